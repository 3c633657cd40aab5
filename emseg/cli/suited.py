"""Names of restored pictures that a PNG cannot hold."""

from __future__ import annotations

from dataclasses import replace

from emseg.output.names import STDIO, Job


def suited(job: Job, png: bool, overwrite: bool) -> Job:
    """The job with the name of its picture ending in .tif where a PNG cannot hold it.

    Raises
    ------
    OutputError
        If there is such a file that emseg did not write: before the work, not after it.
    """
    if png or job.report == STDIO:
        return job
    from emseg.output.files import check

    files = {**job.files, "image": job.files["image"].removesuffix(".png") + ".tif"}
    check(files.values(), job.report, overwrite)
    return replace(job, files=files)
