"""`emseg segment`: parse, call `segment`, write."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from emseg.cli.errors import FAILED, USAGE, attempt
from emseg.cli.options import FILES, FIT, TALK, options
from emseg.cli.progress import watch
from emseg.output.names import Job, plan

HELP = """Segment each INPUT into K regions.

\b
Examples:
  emseg segment photo.png -k 4
  emseg segment *.tif -k 3 -o results --save labels-tiff
  emseg segment photo.png -k 5 --features lab,xy:0.5 --mask ground.png

\b
Writes, for photo.png:
  photo.labels.png    label map: 1…K, darkest first; 0 is "no data"
  photo.overlay.png   the image with its regions tinted and outlined
  photo.log.csv       a row per iteration
  photo.json          the report, written last
"""


@click.command("segment", help=HELP)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@options(FIT, FILES, TALK)
def command(inputs: tuple[str, ...], output: str, save: tuple[str, ...], debug: bool, **how: Any) -> int:
    """Do each input in turn; return the exit code."""
    codes = []
    for job in plan(inputs, output, save):
        code = attempt(partial(_segment, job, **how), job.source, debug)
        if code > USAGE:  # interrupted: the other inputs are not wanted either
            return code
        codes.append(code)
    failed = len(codes) - codes.count(0)
    if failed and len(codes) > 1:
        click.echo(f"emseg: {failed} of {len(codes)} inputs failed", err=True)
    return codes[0] if len(set(codes)) == 1 else FAILED


def _segment(job: Job, overwrite: bool, as_json: bool, quiet: bool, verbose: bool, **fit: Any) -> None:
    from emseg.cli.save import save
    from emseg.output.files import check
    from emseg.pipeline.segment import segment

    check(job.files.values(), job.report, overwrite)
    with watch(job.source, quiet=quiet, verbose=verbose) as on_iteration:
        result = segment(job.source, on_iteration=on_iteration, **fit)
    report = save(result, job, overwrite)
    if as_json:
        import json

        click.echo(json.dumps(report, allow_nan=False))
    elif not quiet:
        from emseg.output.summary import summary_text

        click.echo(summary_text(report, result.colours, sys.stdout.isatty(), job.report))
