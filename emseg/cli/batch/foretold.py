"""Dry runs: what each job would write, a million of them in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os.path import exists

from emseg.cli.batch.outcome import DONE, Outcome
from emseg.errors import EmsegError, shown
from emseg.options.declarations.running import RunOptions
from emseg.output.store.names import STDIO, Job


def foretold(
    jobs: Sequence[Job],
    task: Callable[[Job], Outcome],
    foreseen: Callable[[Job], Job] | None,
    settings: RunOptions,
) -> Iterator[tuple[Job, Outcome]]:
    """Each job with its outcome; of those that have nothing to be checked, by itself.

    Parameters
    ----------
    jobs : sequence of Job
    task : callable
        Does a dry run of a job, with all checks.
    foreseen : callable, optional
        Tells the files of a job where its input decides which they are.
    settings : RunOptions
    """
    plain = not (settings.as_json or settings.quiet or settings.resume)
    there: dict[str, bool] = {}
    for job in jobs:
        folder = job.place
        if folder not in there:
            there[folder] = exists(folder)
        simple = plain and not (job.problem or job.stack or there[folder] or job.source == STDIO)
        try:
            job = foreseen(job) if simple and foreseen else job
        except EmsegError:  # which the task tells
            simple = False
        if not simple:
            yield job, task(job)
            continue
        paths = (*job.files.values(), job.report)
        line = f"{job.source} → {', '.join(paths)}"
        if not line.isprintable():  # hardly any name has control characters
            line = f"{shown(job.source)} → {', '.join(map(shown, paths))}"
        yield job, Outcome(0, DONE, out=line)
