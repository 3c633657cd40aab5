"""The names of restored pictures: .png, or .tif where a PNG cannot hold the pixels."""

from __future__ import annotations

from emseg.cli.batch.one_job import opened
from emseg.output.store.names import STDIO, Job


def foreseen(job: Job, overwrite: bool) -> Job:
    """`suited` for a job whose input is still to be read; raise ImageError if it cannot be read."""
    from emseg.output.pictures.restored_picture import fits_png
    from emseg.stages.inputs.input_image import as_image

    return job if job.report == STDIO else suited(job, fits_png(as_image(opened(job))), overwrite)


def suited(job: Job, png: bool, overwrite: bool) -> Job:
    """The job with the name of its picture ending in .tif where a PNG cannot hold it.

    Raises
    ------
    OutputError
        If there is such a file that emseg did not write. It is raised before the work.
    """
    if png or job.report == STDIO or not job.files["image"].endswith(".png"):
        return job
    from emseg.output.store.files import check_targets

    files = {**job.files, "image": job.files["image"].removesuffix(".png") + ".tif"}
    check_targets(files.values(), job.report, overwrite)
    return job._replace(files=files)
