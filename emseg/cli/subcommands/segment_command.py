"""`emseg segment`: parse, call `segment`, write."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from emseg.cli.batch.batch_options import MANY
from emseg.cli.batch.run import Batch, Done, opened
from emseg.cli.denoise_option import CLEANED
from emseg.cli.progress import watch
from emseg.cli.shared_options import FILES, FIT, TALK, options
from emseg.output.registry import written_besides
from emseg.output.store.names import Job

HELP = """Segment each INPUT into K regions.

\b
Examples:
  emseg segment photo.png -k 4
  emseg segment *.tif -k 3 -o results --save labels-tiff
  emseg segment photo.png -k 5 --features lab,xy:0.5 --mask ground.png
  emseg segment scan.png -k 3 --mrf auto --regions 50
  emseg segment *.jpg -k auto --regions auto -o results

\b
Writes, for photo.png:
  photo.labels.png    label map: 1…K, darkest first; 0 is "no data"
  photo.overlay.png   the image with its regions tinted and outlined
  photo.log.csv       a row per iteration
  photo.json          the report, written last
"""


@click.command("segment", help=HELP)
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@options(FIT, CLEANED, FILES, MANY, TALK)
def command(inputs: tuple[str, ...], save: tuple[str, ...], verbose: bool, **how: Any) -> int:
    """Do each input; return the exit code."""
    batch = Batch.of(inputs, how)
    work = partial(_segment, batch.overwrite, batch.quiet, verbose, how)
    named = {"k": str(how["k"]).replace(":", "-")}
    extra = written_besides(save, how)
    return batch.run("segment", work, how, reads=("mask", "init", "scribbles", "prior_map"), extra=extra, named=named)


def _segment(overwrite: bool, quiet: bool, verbose: bool, fit: dict[str, Any], job: Job, alone: bool) -> Done:
    from emseg.cli.save_segmentation import save
    from emseg.commands.segment import segment

    with watch(job.source, quiet=quiet or not alone, verbose=verbose) as on_iteration:
        result = segment(opened(job), on_iteration=on_iteration, **fit)
    report = save(result, job, overwrite)
    return Done(report, partial(summary, report, result.colours, job))


def summary(report: dict[str, Any], colours: Any, job: Job) -> str:
    """What to show of a segmentation on standard output."""
    from emseg.output.tables.summary import summary_text

    return summary_text(report, colours, sys.stdout.isatty(), job.report)
