"""Names of restored pictures that a PNG cannot hold."""

from __future__ import annotations

from dataclasses import replace

from emseg.output.names import STDIO, Job


def suited(job: Job, png: bool) -> Job:
    """The job with the name of its picture ending in .tif where a PNG cannot hold it."""
    if png or job.report == STDIO:
        return job
    return replace(job, files={**job.files, "image": job.files["image"].removesuffix(".png") + ".tif"})
