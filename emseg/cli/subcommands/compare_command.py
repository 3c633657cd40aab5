"""`emseg compare`: parse, call `compare`, write."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import say, warn
from emseg.cli.progress import table, watch
from emseg.errors import ImageError, UsageError, shown
from emseg.numerics import clock
from emseg.output.store.names import COMPARE, COMPARE_REPORT, STDIO, Input, plan

HELP = """Fit one mixture to IMAGE by many algorithms, all from the same start.

\b
Examples:
  emseg compare photo.png -k 4
  emseg compare photo.png -k 5 --algorithms em,squarem,anderson -o out
  emseg compare photo.png -k 5 --start random --seed 3
  emseg compare --stack b2.tif b3.tif b4.tif -k 5

\b
Writes, for photo.png:
  photo.compare.svg    log-likelihood, and distance to the best, by E-steps
  photo.compare.csv    every row of every algorithm's log
  photo.compare.json   the report, written last

The start is a single draw of k-means++, so that the algorithms have a way to go; `--start search` is the one that
`emseg segment` would start from, near enough to an optimum that little is left to compare.
"""


@click.command("compare", cls=GroupedCommand, help=HELP)
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=Files())
@options("compare")
def command(
    images: tuple[str, ...],
    output: str,
    overwrite: bool,
    no_timings: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    debug: bool,
    stack: bool,
    **given: Any,
) -> None:
    """Compare, write the files, show the table."""
    from emseg.commands.compare import compare
    from emseg.output.charts.comparison import comparison_svg
    from emseg.output.store.files import check_targets, write_all
    from emseg.output.tables.comparison_table import comparison_csv, comparison_text

    if output == STDIO:
        raise UsageError("-o -: compare writes several files; name a folder")
    entry = _together(images, stack, quiet)
    (job,) = plan([entry], output, always=COMPARE, report=COMPARE_REPORT)
    image, several = entry.path, [entry.path, *entry.stack]
    check_targets(job.files.values(), job.report, overwrite)
    with watch(image, quiet), clock.stopped(no_timings):
        given |= {"stack": True} if entry.stack else {}
        result = compare(several if entry.stack else image, watch=partial(table, verbose=verbose), **given)
    contents = {
        job.files["csv"]: partial(comparison_csv, result.traces),
        job.files["svg"]: partial(comparison_svg, result.report, result.traces),
    }
    report = write_all(contents, job.report, result.report, overwrite, job.place)
    warn((f"{shown(image)}: {line}" for line in result.notices), quiet)
    if as_json:
        import json

        say(json.dumps(report, allow_nan=False))
    elif not quiet:
        say(comparison_text(report, job.report))


def _together(images: tuple[str, ...], stack: bool, quiet: bool) -> Input:
    """The image, or the files that are one."""
    from emseg.cli.batch.input_paths import expand, one_image

    if stack:
        (entry,) = one_image([[entry] for entry in expand(images)], quiet)
        if entry.problem:
            raise ImageError(entry.problem)
        return entry
    if len(images) > 1:
        raise UsageError(f"compare takes one image, not {len(images)}; --stack takes several files as one image")
    return Input(images[0])
