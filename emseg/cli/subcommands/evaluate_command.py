"""`emseg evaluate`: parse, call `evaluate`, print."""

from __future__ import annotations

from typing import Any

import click

from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import say, warn
from emseg.cli.progress import watch

HELP = """Score LABELS against one or more TRUTHs of the same size.

\b
Examples:
  emseg evaluate photo.labels.png truth.png
  emseg evaluate photo.labels.png annotators.npz --json
  emseg evaluate photo.labels.png first.png second.png --ignore 0

Label maps are palette or grey PNGs, TIFFs of integers, NIfTI volumes, and NumPy files, where an array (A, H, W) holds
those of A annotators. Maps that tell their place in the world are compared place by place. Labels are names: it only
matters which pixels have the same one. The scores do not depend on their order.
"""
MEANING = {
    "covering": "overlap of each true label with its best partner; 1 is perfect",
    "pri": "probabilistic Rand index: share of pixel pairs on which both agree; 1",
    "voi": "variation of information in bits; 0",
    "adjusted_rand": "Rand index, corrected for chance; 1",
    "gce": "global consistency error; 0, also where one map refines the other",
    "dice": "mean Dice score of true labels, labels matched one to one; 1",
    "jaccard": "mean intersection over union, matched in that way; 1",
    "object_f1": "F1 of objects (labels but 0) that overlap by more than half; 1",
    "error": "share of pixels with another label, matched in that way; 0",
}
SHOWN = 9  # labels of a confusion matrix that fits a terminal


@click.command("evaluate", cls=GroupedCommand, help=HELP)
@click.argument("labels", metavar="LABELS", type=Files())
@click.argument("truths", metavar="TRUTH...", nargs=-1, required=True, type=Files())
@options("evaluate")
def command(labels: str, truths: tuple[str, ...], ignore: int | None, as_json: bool, debug: bool) -> None:
    """Print the scores."""
    from emseg.commands.evaluate import evaluate

    with watch(labels, quiet=False):
        found = evaluate(labels, truths, ignore)
    warn(found["warnings"], quiet=False)
    if as_json:
        import json

        say(json.dumps(found, allow_nan=False))
        return
    count = found["annotators"]
    against = found["truths"][0] if count == 1 else f"{count} truths"
    say(f"{found['labels']} against {against}: {found['regions']} labels, {found['pixels']} pixels")
    for name, meaning in MEANING.items():
        say(f"  {name:13}  {found['scores'][name]:6.4f}  {meaning}")
    for table in found["confusion"]:
        if table and max(len(table["labels"]), len(table["truth"])) <= SHOWN:
            _say_table(table)


def _say_table(table: dict[str, Any]) -> None:
    """Print a confusion matrix: a row for each label, a column for each true one."""
    rows = [["", *table["truth"]]]
    rows += [[label, *counts] for label, counts in zip(table["labels"], table["counts"], strict=True)]
    width = max(len(str(cell)) for row in rows for cell in row)
    say("  pixels by label (rows) and true label (columns)")
    for row in rows:
        say("  " + "  ".join(f"{cell:>{width}}" for cell in row))
