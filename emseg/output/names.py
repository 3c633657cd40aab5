"""What the files of a run are called. Imports nothing heavy: the command line plans with it before any work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os.path import basename, join, normcase, normpath, realpath, splitext

from emseg.errors import UsageError

ALWAYS = {"labels": ".labels.png", "overlay": ".overlay.png", "log": ".log.csv"}
#: What `--save` can add.
EXTRA = {
    "labels-tiff": ".labels.tif",
    "posterior": ".posterior.tif",
    "entropy": ".entropy.tif",
    "mean": ".mean.png",
    "model": ".emseg.json",
}
REPORT = ".json"
#: What `compare` writes, and its report.
COMPARE, COMPARE_REPORT = {"csv": ".compare.csv", "svg": ".compare.svg"}, ".compare.json"


@dataclass(frozen=True)
class Job:
    """An input and the paths of its results: `files` by kind in the order of writing, and the report, written last."""

    source: str
    files: dict[str, str]
    report: str


def plan(
    sources: Sequence[str],
    folder: str,
    extra: Iterable[str] = (),
    always: Mapping[str, str] = ALWAYS,
    report: str = REPORT,
) -> list[Job]:
    """Name the results of every input.

    Parameters
    ----------
    sources : paths of the inputs.
    folder : where the results go.
    extra : kinds of `EXTRA`.
    always : suffixes of the other results by kind.
    report : suffix of the report.

    Raises
    ------
    UsageError
        If a file would be the result of two inputs, or a result would replace an input.
    """
    suffixes = {**always, **{kind: EXTRA[kind] for kind in extra}}
    inputs = {_key(source): source for source in sources}
    made: dict[str, str] = {}
    jobs = []
    for source in sources:
        stem = normpath(join(folder, splitext(basename(source))[0]))
        job = Job(source, {kind: stem + suffix for kind, suffix in suffixes.items()}, stem + report)
        for path in (*job.files.values(), job.report):
            key = _key(path)
            if key in made:
                raise UsageError(f"{source}: its result {path} is also that of {made[key]}; use a folder for each (-o)")
            if key in inputs:
                raise UsageError(f"{source}: its result {path} would replace an input; use another folder (-o)")
            made[key] = source
        jobs.append(job)
    return jobs


def _key(path: str) -> str:
    return normcase(realpath(path))
