"""One job: its input is opened and worked on, or an earlier result is found. Every error becomes its outcome."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from emseg.cli.batch.outcome import BAD, BEFORE, DONE, Done, Outcome, Work
from emseg.cli.error_lines import explain
from emseg.cli.terminal import moving
from emseg.errors import DataError, ImageError, for_command_line, shown
from emseg.numerics import clock
from emseg.options.declarations.running import RunOptions
from emseg.output.store.names import STDIO, Job


def do(work: Work, settings: RunOptions, alone: bool, job: Job) -> Outcome:
    """Do one job; every error becomes its outcome."""
    try:
        return _done(work, settings, alone, job)
    except Exception as error:  # the outermost place of a job: one bad input never ends the batch
        if settings.debug:
            import traceback

            traceback.print_exc()
        name = "stdin" if job.source == STDIO else job.source
        code, line = explain(error, name)
        if line and not any(shown(path) in line for path in (name, *job.stack)):  # there may be several inputs
            line = f"{shown(name)}: {line}"
    except KeyboardInterrupt as error:
        code, line = explain(error)
    return Outcome(code, BAD, line)


def verdict(outcome: Outcome, job: Job, settings: RunOptions) -> Outcome:
    """The outcome of a job whose process may have ended before it could tell: what lies in the folder decides."""
    done = _earlier(job) if outcome.lost else None
    if done is None:
        return outcome
    quiet = settings.quiet and not settings.as_json
    return Outcome(0, DONE, out="" if quiet else json_line(done.report, settings) or f"{shown(job.source)}: done")


def json_line(facts: Mapping[str, Any], settings: RunOptions) -> str:
    """Facts as a line of JSON; nothing unless JSON is wanted."""
    if not settings.as_json:
        return ""
    import json

    return json.dumps(facts, allow_nan=False)


def opened(job: Job) -> Any:
    """A job's input in a form that the library reads."""
    from emseg.image.file_bytes import MAX_BYTES
    from emseg.image.limits import Reading
    from emseg.image.read import Source

    how = Reading(job.page, job.max_pixels, job.max_memory, axes=job.axes, channels=job.channels)
    how = how._replace(truncated_ok=job.truncated_ok, saves=tuple(job.files))
    if job.stack:
        return [Source(path, how._replace(channels=())) for path in (job.source, *job.stack)]
    if job.source != STDIO:
        return Source(job.source, how)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageError("stdin: more bytes than emseg reads; crop or shrink the image")
    return Source("stdin", how, data)


def of_all(job: Job) -> dict[str, Any]:
    """What a command that takes several files as one image is told of them."""
    return {"stack": True, "channels": job.channels} if job.stack else {}


def dry_run(foreseen: Callable[[Job], Job] | None, job: Job, alone: bool) -> Done:
    """A job's plan instead of its results."""
    job = foreseen(job) if foreseen else job
    paths = [*job.files.values(), job.report]
    names, sources = (", ".join(map(shown, some)) for some in (paths, (job.source, *job.stack)))
    return Done({"input": {"path": shown(job.source)}, "would_write": paths}, lambda: f"{sources} → {names}")


def _done(work: Work, settings: RunOptions, alone: bool, job: Job) -> Outcome:
    if job.problem:
        raise DataError(job.problem)
    state, done = DONE, None
    if settings.resume and job.source != STDIO:
        done = _earlier(job)
        state = BEFORE if done else DONE
    if not done:
        if job.report != STDIO:
            from emseg.output.store.files import check_targets

            check_targets(job.files.values(), job.report, settings.overwrite)
        with _watched(job, settings, alone), clock.stopped(settings.no_timings):
            done = work(job, alone)
    name = "stdin" if job.source == STDIO else shown(job.source)
    notices = () if settings.quiet else tuple(f"{name}: {for_command_line(line)}" for line in done.notices)
    if (settings.quiet and not settings.as_json) or job.report == STDIO:
        return Outcome(0, state, notices=notices)
    return Outcome(0, state, out=json_line(done.report, settings) or done.text(), notices=notices)


def _watched(job: Job, settings: RunOptions, alone: bool) -> AbstractContextManager[None]:
    """What shows the work on a terminal."""
    if settings.quiet or not moving(sys.stderr):
        return nullcontext()
    from emseg.cli.progress import watch  # most runs are not watched

    return watch(job.source, settings.quiet, alone)


def _earlier(job: Job) -> Done | None:
    """The result of an earlier run with the same input and recipe, if all its files are still there."""
    from emseg.image.file_bytes import digest_of_image, digest_of_stack
    from emseg.output.store.files import finished_report

    digest = digest_of_image(job.source)
    if job.stack:
        digest = digest_of_stack([digest, *map(digest_of_image, job.stack)])
    found = finished_report(job.report, digest, job.recipe, job.files.values())
    return Done(found, lambda: f"{shown(job.source)}: done before") if found else None
