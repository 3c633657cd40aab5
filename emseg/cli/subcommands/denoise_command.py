"""`emseg denoise`: parse, call `denoise`, write."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from emseg.cli.batch.batch_options import MANY
from emseg.cli.batch.restored_names import foreseen, suited
from emseg.cli.batch.run import Batch, Done, opened
from emseg.cli.progress import share
from emseg.cli.restoration_options import MASKED, NOISE, WORKERS, share_of
from emseg.cli.shared_options import OUT, STILL, options
from emseg.output.store.names import DENOISE, DENOISE_REPORT, Job

HELP = """Take white noise out of each INPUT.

\b
Examples:
  emseg denoise photo.png
  emseg denoise photo.png --sigma 25
  emseg denoise *.tif -o clean

\b
Writes, for photo.png:
  photo.denoised.png    the image in its own depth; .tif for floating point numbers and unusual channels
  photo.denoised.json   the report, written last
"""


@click.command("denoise", help=HELP)
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@options(NOISE, MASKED, WORKERS, OUT, MANY, STILL)
def command(inputs: tuple[str, ...], **how: Any) -> int:
    """Do each input; return the exit code."""
    batch = Batch.of(inputs, how)
    decisive = {name: value for name, value in how.items() if name != "workers"}
    work = partial(_denoise, batch.overwrite, batch.quiet, batch.jobs, how)
    return batch.run(
        "denoise",
        work,
        decisive,
        reads=("mask",),
        always=DENOISE,
        report=DENOISE_REPORT,
        foreseen=partial(foreseen, overwrite=batch.overwrite),
    )


def _denoise(overwrite: bool, quiet: bool, jobs: int, how: dict[str, Any], job: Job, alone: bool) -> Done:
    from emseg.cli.batch.write_job import write
    from emseg.commands.denoise import denoise
    from emseg.output.pictures.restored_picture import fits_png, picture_png, picture_tiff
    from emseg.stages.preparation import as_image

    image = as_image(opened(job))
    job = suited(job, fits_png(image), overwrite)
    asked = {**how, "workers": share_of(how["workers"], jobs, alone)}
    with share(job.source, quiet or not alone) as on_progress:
        result = denoise(image, on_progress=on_progress, **asked)
    content = picture_png if fits_png(image) else picture_tiff
    report = write(job, {"image": partial(content, result.image)}, result.report, overwrite)
    return Done(report, partial(_summary, report, job))


def _summary(report: dict[str, Any], job: Job) -> str:
    from emseg.output.tables.summary import denoise_text

    return denoise_text(report, job.report)
