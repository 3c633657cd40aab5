"""`emseg apply`: parse, call `apply`, write."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from emseg.cli.batch.one_job import of_all, opened
from emseg.cli.batch.outcome import Done
from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import warn
from emseg.cli.subcommands.segment_command import foreseen, summary
from emseg.output.registry import written_always, written_besides
from emseg.output.store.names import Job

HELP = """Label each INPUT with MODEL, which `emseg segment --save model` has written. Nothing is fitted.

\b
Examples:
  emseg apply photo.emseg.json *.png -o results
  emseg apply cells.emseg.json slides --recursive --jobs 4 -o results
  emseg apply cells.emseg.json *.tif --split --save coco -o results

\b
Writes, for photo.png:
  photo.labels.png    label map: the classes of the model; 0 is "no data"
  photo.overlay.png   the image with its classes, or regions, in colour
  photo.json          the report, written last
"""


@click.command("apply", cls=GroupedCommand, help=HELP)
@click.argument("model", metavar="MODEL", type=click.Path(exists=True, dir_okay=False))
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=Files())
@options("apply")
def command(model: str, inputs: tuple[str, ...], save: tuple[str, ...], **given: Any) -> int:
    """Do each input; return the exit code."""
    from emseg.cli.batch.run import Batch  # help does without
    from emseg.options import checked
    from emseg.options.effects import without_effect
    from emseg.output.store.model_file import read_model

    batch = Batch.of(inputs, given)
    mixture = read_model(model).mixture  # a bad model is one line, not one for each input
    wanted = checked.segmentation("apply", **{name: value for name, value in given.items() if name != "mask"})
    warn(without_effect("apply", wanted), batch.settings.quiet)
    there = {"partial_volume": mixture.mixed_classes() is not None, "regions": wanted.finds_regions}
    extra = written_besides(save, there, applied=True)
    work = partial(_apply, batch.settings.overwrite, model, given)
    options_of_run, named = {"model": model, **given}, {"k": str(mixture.k)}
    always = written_always(applied=True)
    return batch.run(
        "apply",
        work,
        options_of_run,
        reads=("model", "mask"),
        always=always,
        extra=extra,
        named=named,
        foreseen=foreseen,
    )


def _apply(overwrite: bool, model: str, given: dict[str, Any], job: Job, alone: bool) -> Done:
    from emseg.cli.save_segmentation import require_writable, save
    from emseg.commands.apply import apply

    require_writable(job, overwrite)
    result = apply(model, opened(job), **of_all(job), **given)
    report = save(result, job, overwrite)
    return Done(report, partial(summary, report, result.colours, job), result.notices)
