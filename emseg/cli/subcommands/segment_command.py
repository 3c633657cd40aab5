"""`emseg segment`: parse, call `segment`, write."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from emseg.cli.batch.one_job import of_all, opened
from emseg.cli.batch.outcome import Done
from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import warn
from emseg.cli.terminal import in_colour
from emseg.output.registry import written_besides
from emseg.output.store.names import Job

HELP = """Segment each INPUT into K classes of similar pixels.

\b
Examples:
  emseg segment photo.png -k 4
  emseg segment *.tif -k 3 -o results --save labels-tiff
  emseg segment photo.png -k 5 --features lab,xy:0.5 --mask ground.png
  emseg segment scan.png -k 3 --mrf auto --regions 50
  emseg segment --stack b2.tif b3.tif b4.tif -k 5
  emseg segment *.jpg -k auto --regions auto -o results
  emseg segment nuclei.tif -k 2 --split --save coco
  emseg segment photo.jpg --scribbles strokes.png --save cutout

\b
Writes, for photo.png:
  photo.labels.png    label map: 1…K, darkest first; 0 is "no data"
  photo.overlay.png   the image with its classes, or regions, in colour
  photo.log.csv       a row per iteration
  photo.json          the report, written last
"""


@click.command("segment", cls=GroupedCommand, help=HELP)
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=Files())
@options("segment")
def command(inputs: tuple[str, ...], save: tuple[str, ...], verbose: bool, **given: Any) -> int:
    """Do each input; return the exit code."""
    from emseg.cli.batch.run import Batch  # help does without
    from emseg.options import checked
    from emseg.options.effects import without_effect

    batch = Batch.of(inputs, given)
    fit = checked.segmentation("segment", **{name: value for name, value in given.items() if name != "mask"})
    warn(without_effect("segment", fit), batch.settings.quiet)
    work = partial(_segment, batch.settings.overwrite, verbose, given)
    named = {"k": str(given["k"]).replace(":", "-")}
    extra = written_besides(save, {**given, "regions": fit.finds_regions, "scribbles": fit.marked})
    reads = "mask", "init", "scribbles", "prior_map"
    return batch.run("segment", work, given, reads=reads, extra=extra, named=named, foreseen=foreseen)


def _segment(overwrite: bool, verbose: bool, fit: dict[str, Any], job: Job, alone: bool) -> Done:
    from emseg.cli.save_segmentation import require_writable, save
    from emseg.commands.segment import segment

    on_iteration = None
    if verbose:
        from emseg.cli.progress import show_row

        on_iteration = partial(show_row, job.source)
    require_writable(job, overwrite)
    result = segment(opened(job), on_iteration=on_iteration, **of_all(job), **fit)
    report = save(result, job, overwrite)
    return Done(report, partial(summary, report, result.colours, job), result.notices)


def foreseen(job: Job) -> Job:
    """The job with all files that the run will write."""
    from emseg.cli.save_segmentation import foreseen as found  # most runs are no dry ones

    return found(job)


def summary(report: dict[str, Any], colours: Any, job: Job) -> str:
    """What to show of a segmentation on standard output."""
    from emseg.output.tables.summary import summary_text

    return summary_text(report, colours, in_colour(sys.stdout), job.report)
