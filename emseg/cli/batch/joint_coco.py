"""One COCO file for all images of a run, made of those of the single images.

So it holds what earlier runs have done too, with `resume` and in other shards, and leaves out what failed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Iterable, Iterator, Sequence
from os.path import abspath, basename, commonpath, dirname, join, normcase, realpath, relpath

from emseg.errors import UsageError, option, shown
from emseg.output.store.names import STDIO, Job

KIND, NAME = "coco", "annotations.coco.json"


def joint_path(jobs: Sequence[Job], folder: str, overwrite: bool = False) -> str:
    """Where the file of all images goes; empty if there is to be none.

    Raises
    ------
    UsageError
        If it would be a result of one of the images.
    OutputError
        If it is not emseg's to replace.
    """
    if folder == STDIO or len(jobs) < 2 or not any(KIND in job.files for job in jobs):
        return ""
    path = join(folder, NAME)
    for job in jobs:
        if any(normcase(realpath(path)) == normcase(realpath(other)) for other in (*job.files.values(), job.report)):
            what = f"{shown(job.source)}: its result {shown(path)} is also the COCO file of all images"
            raise UsageError(f"{what}; use another {option('name')}")
    from emseg.output.store.sealed_file import check_sealed

    check_sealed(path, overwrite)
    return path


def write_joint(path: str, jobs: Sequence[Job], finished: Container[str], mine: Container[str], overwrite: bool) -> str:
    """Write the file of all images that are finished; return a line that says what it holds.

    Parameters
    ----------
    path : str
    jobs : sequence of Job
        All of them, those of other shards included.
    finished : container of str
        Reports of the jobs that this run has done, or found done.
    mine : container of str
        Reports of the jobs of this run. Of others, those count whose report says that they were done in the same way.
    overwrite : bool
        Whether a file may be replaced that emseg did not write.

    Raises
    ------
    OutputError
        If the file cannot be written, or is not emseg's to replace.
    """
    from emseg.output.store.files import as_listed
    from emseg.output.store.sealed_file import write_sealed

    there = [
        job
        for job in jobs
        if KIND in job.files
        and (job.report in finished or job.report not in mine)
        and as_listed(job.report, job.recipe, job.files[KIND])
    ]
    if not there:
        return f"{shown(path)}: not written, because no image is done"
    joined = _Joined(_common_folder(jobs))
    write_sealed(path, joined.parts(there), overwrite)
    left = len(jobs) - len(there)
    rest = f"; {left} of {len(jobs)} inputs missing" if left else ""
    return f"→ {shown(path)}: {joined.images} images, {joined.annotations} annotations{rest}"


class _Joined:
    """Numbers images and annotations through."""

    def __init__(self, top: str) -> None:
        self.top, self.images, self.annotations = top, 0, 0

    def parts(self, jobs: Iterable[Job]) -> Iterator[bytes]:
        """The members of the JSON object, piece by piece; annotations of one image at a time are in memory."""
        images: list[str] = []
        categories: dict[int, str] = {}
        yield b'"annotations":['
        for job in jobs:
            with open(job.files[KIND], "rb") as file:
                facts = json.load(file)
            numbers = {}
            for image in facts["images"]:
                self.images += 1
                numbers[image["id"]] = self.images
                page = {"page": job.page} if job.page else {}
                images.append(_dumped({**image, "id": self.images, "file_name": self._name(job), **page}))
            categories |= {category["id"]: _dumped(category) for category in facts["categories"]}
            for entry in facts["annotations"]:
                comma = b"," * (self.annotations > 0)
                self.annotations += 1
                own = {**entry, "id": self.annotations, "image_id": numbers[entry["image_id"]]}
                yield comma + _dumped(own).encode()
        yield b'],"images":[' + ",".join(images).encode()
        yield b'],"categories":[' + ",".join(categories[number] for number in sorted(categories)).encode() + b"]"

    def _name(self, job: Job) -> str:
        """The image's path below the folder that all images are in, as loaders want it."""
        if job.source == STDIO or not self.top:
            return shown(basename(job.source)) if job.source != STDIO else "stdin"
        return shown(relpath(abspath(job.source), self.top).replace(os.sep, "/"))


def _common_folder(jobs: Iterable[Job]) -> str:
    """The deepest folder that all inputs are in; empty if there is none, as on several drives."""
    try:
        return commonpath([dirname(abspath(job.source)) for job in jobs if job.source != STDIO])
    except ValueError:
        return ""


def _dumped(facts: object) -> str:
    return json.dumps(facts, separators=(",", ":"))
