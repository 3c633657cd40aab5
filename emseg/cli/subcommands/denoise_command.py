"""`emseg denoise`: parse, call `denoise`, write."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from emseg.cli.batch.one_job import opened
from emseg.cli.batch.outcome import Done
from emseg.cli.batch.restored_names import foreseen, suited
from emseg.cli.click_options import Files, GroupedCommand, options
from emseg.cli.error_lines import warn
from emseg.cli.processor_shares import workers_for_one
from emseg.output.store.names import DENOISE, DENOISE_REPORT, Job

HELP = """Take white noise out of each INPUT.

\b
Examples:
  emseg denoise photo.png
  emseg denoise photo.png --sigma 25
  emseg denoise *.tif -o clean

\b
Writes, for photo.png:
  photo.denoised.png    PNG, or .tif where PNG cannot; NIfTI for NIfTI
  photo.denoised.json   the report, written last
"""


@click.command("denoise", cls=GroupedCommand, help=HELP)
@click.argument("inputs", nargs=-1, metavar="INPUT...", type=Files())
@options("denoise")
def command(inputs: tuple[str, ...], **given: Any) -> int:
    """Do each input; return the exit code."""
    from emseg.cli.batch.run import Batch  # help does without
    from emseg.options import checked
    from emseg.options.effects import without_effect

    batch = Batch.of(inputs, given)
    decisive = {name: value for name, value in given.items() if name != "workers"}
    settings = checked.denoising(**{name: value for name, value in given.items() if name != "mask"})
    warn(without_effect("denoise", settings), batch.settings.quiet)
    work = partial(_denoise, batch.settings.overwrite, batch.settings.jobs, given)
    return batch.run(
        "denoise",
        work,
        decisive,
        reads=("mask",),
        always=DENOISE,
        report=DENOISE_REPORT,
        foreseen=partial(foreseen, overwrite=batch.settings.overwrite),
    )


def _denoise(overwrite: bool, jobs: int, given: dict[str, Any], job: Job, alone: bool) -> Done:
    from emseg.cli.batch.write_job import write
    from emseg.commands.denoise import denoise
    from emseg.output.pictures.restored_picture import fits_png, restored_file
    from emseg.stages.inputs.input_image import as_image, wanted_by
    from emseg.stages.inputs.memory import Restoring

    image = as_image(opened(job), Restoring(), fourth=wanted_by(given["mask"]))
    job = suited(job, fits_png(image), overwrite)
    own = {**given, "workers": workers_for_one(given["workers"], jobs, alone)}
    result = denoise(image, **own)
    report = write(job, {"image": partial(restored_file, result.image)}, result.report, overwrite)
    return Done(report, partial(_summary, report, job), result.notices)


def _summary(report: dict[str, Any], job: Job) -> str:
    from emseg.output.tables.summary import denoise_text

    return denoise_text(report, job.report)
