"""The files of a job are written to the disk, or the only one to standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from emseg.cli.error_lines import to_stdout
from emseg.output.store.names import STDIO, Job


def write(
    job: Job, contents: Mapping[str, Callable[[], bytes]], facts: Mapping[str, Any], overwrite: bool = False
) -> dict[str, Any]:
    """Write the files of a job; return the report as written.

    Parameters
    ----------
    job : Job
    contents : mapping of kind to function
        For every kind of `job.files`, a function that makes the bytes.
    facts : mapping
        The report.
    overwrite : bool
        Whether files may be replaced that emseg did not write.

    Raises
    ------
    OutputError
        If a file cannot be written, or is not emseg's to replace.
    """
    if job.report == STDIO:
        (kind,) = job.files
        data = contents[kind]()
        with to_stdout():
            sys.stdout.buffer.write(data)
        return dict(facts)
    from emseg.output.store.files import write_all

    files = {path: contents[kind] for kind, path in job.files.items()}
    facts = {**facts, "recipe": job.recipe} if job.recipe else facts
    return write_all(files, job.report, facts, overwrite, job.place)
