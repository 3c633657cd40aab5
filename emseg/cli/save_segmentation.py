"""The files of a segmentation."""

from __future__ import annotations

from functools import partial
from typing import Any

from emseg.cli.batch.write_job import write
from emseg.output.registry import KINDS
from emseg.output.segmented import Segmented
from emseg.output.store.names import Job, with_labels_of_slices


def save(result: Segmented, job: Job, overwrite: bool = False) -> dict[str, Any]:
    """Write the files of `job`, the report last; return the report as written.

    Raises
    ------
    OutputError
        If a file cannot be written, or is not emseg's to replace.
    """
    job = job._replace(files=with_labels_of_slices(job.files, result.image.metadata))
    return write(job, {kind: partial(KINDS[kind].write, result) for kind in job.files}, result.report, overwrite)
