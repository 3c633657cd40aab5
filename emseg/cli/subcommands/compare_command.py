"""`emseg compare`: parse, call `compare`, write."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import say, warn
from emseg.cli.progress import table, watch
from emseg.errors import UsageError, shown
from emseg.numerics import clock
from emseg.output.store.names import COMPARE, COMPARE_REPORT, STDIO, plan

HELP = """Fit one mixture to IMAGE by many algorithms, all from the same start.

\b
Examples:
  emseg compare photo.png -k 4
  emseg compare photo.png -k 5 --algorithms em,squarem,anderson -o out
  emseg compare photo.png -k 5 --start random --seed 3

\b
Writes, for photo.png:
  photo.compare.svg    log-likelihood, and distance to the best, by E-steps
  photo.compare.csv    every row of every algorithm's log
  photo.compare.json   the report, written last

The start is a single draw of k-means++, so that the algorithms have a way to go; `--start search` is the one that
`emseg segment` would start from, near enough to an optimum that little is left to compare.
"""


@click.command("compare", cls=GroupedCommand, help=HELP)
@click.argument("image", metavar="IMAGE", type=Files())
@options("compare")
def command(
    image: str,
    output: str,
    overwrite: bool,
    no_timings: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    debug: bool,
    **given: Any,
) -> None:
    """Compare, write the files, show the table."""
    from emseg.commands.compare import compare
    from emseg.output.charts.comparison import comparison_svg
    from emseg.output.store.files import check_targets, write_all
    from emseg.output.tables.comparison_table import comparison_csv, comparison_text

    if output == STDIO:
        raise UsageError("-o -: compare writes several files; name a folder")
    (job,) = plan([image], output, always=COMPARE, report=COMPARE_REPORT)
    check_targets(job.files.values(), job.report, overwrite)
    with watch(image, quiet), clock.stopped(no_timings):
        result = compare(image, watch=partial(table, verbose=verbose), **given)
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
