"""How every command goes through its inputs: name the results of all, then do one after the other, or several at once.

A command gives its name, its options and a function that does one `Job`; all else is here. Nothing heavy is imported
before the first job, and with `--jobs` nothing at all but in the processes that do the work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, NamedTuple

import click

from emseg.cli.batch.input_paths import expand
from emseg.cli.error_lines import FAILED, READER_LEFT, USAGE, explain, hush, tell, to_stdout
from emseg.errors import DataError, EmsegError, ImageError, UsageError, shown
from emseg.execution.processors import processors
from emseg.output.store.names import REPORT, STDIO, Input, Job, plan
from emseg.version import __version__

DONE, BEFORE, BAD = "done", "done before", "failed"


class Done(NamedTuple):
    """What became of an input: its report, and a function that describes it for people."""

    report: Mapping[str, Any]
    text: Callable[[], str]


#: Does one job; the second argument says that it is the only one, so that its progress may be shown.
Work = Callable[[Job, bool], Done]


@dataclass(frozen=True)
class Outcome:
    """How a job ended: its exit code, DONE, BEFORE or BAD, the line to say why, and the text for standard output."""

    code: int
    state: str
    line: str = ""
    out: str = ""


@dataclass(frozen=True)
class Batch:
    """Inputs, and what the options of OUT, MANY and TALK say of them; see the help text."""

    inputs: tuple[str, ...]
    output: str = "."
    overwrite: bool = False
    recursive: bool = False
    files_from: str | None = None
    null: bool = False
    name: str = "{stem}"
    jobs: int = 1
    resume: bool = False
    shard: tuple[int, int] | None = None
    dry_run: bool = False
    page: int | str = 1
    max_pixels: int | None = None
    max_memory: int | None = None
    as_json: bool = False
    quiet: bool = False
    debug: bool = False

    @classmethod
    def of(cls, inputs: tuple[str, ...], options: dict[str, Any]) -> Batch:
        """Take what belongs here out of a command's options."""
        return cls(inputs, **{entry.name: options.pop(entry.name) for entry in fields(cls) if entry.name in options})

    def run(
        self,
        command: str,
        work: Work,
        options: Mapping[str, Any],
        *,
        reads: Iterable[str] = (),
        always: Mapping[str, str] | None = None,
        extra: Iterable[str] = (),
        report: str = REPORT,
        named: Mapping[str, str] | None = None,
        foreseen: Callable[[Job], Job] | None = None,
    ) -> int:
        """Do all inputs; return the exit code.

        Parameters
        ----------
        command : str
        work : callable
            Does one job and writes its files with `emseg.cli.batch.write_job.write`. With --jobs it must be picklable.
        options : mapping
            All that decides what the results are.
        reads : names of options whose values may be files, whose content then counts.
        always, extra, report : see `plan`.
        named : further fields of --name.
        foreseen : callable, optional
            With --dry-run, tells the files of a job where its input decides what they are.
        """
        jobs = plan(self._expanded(), self.output, extra, always, report, self.name, named)
        recipe = _recipe(command, {**options, "extra": sorted(extra), "page": self.page}, reads)
        jobs = [replace(job, recipe=recipe, max_pixels=self.max_pixels, max_memory=self.max_memory) for job in jobs]
        if self.output == STDIO:
            self._require_stdout(extra)
        if self.shard:
            jobs = jobs[self.shard[0] - 1 :: self.shard[1]]
        task = partial(_do, partial(dry_run, foreseen) if self.dry_run else work, self, len(jobs) == 1)
        try:
            return self._told(jobs, self._outcomes(jobs, task))
        except BrokenPipeError:  # here, because click would make another exit code of it
            hush()
            return READER_LEFT

    def _expanded(self) -> list[Input]:
        if not self.inputs and self.files_from is None:
            raise click.UsageError("Missing argument 'INPUT...'", click.get_current_context(silent=True))
        if self.null and self.files_from is None:
            raise UsageError("-0: goes with --files-from")
        found = expand(self.inputs, self.recursive, self.files_from, self.null)
        if isinstance(self.page, int):
            return [replace(entry, page=self.page) for entry in found]
        return [page for entry in found for page in _pages(entry)]

    def _require_stdout(self, extra: Iterable[str]) -> None:
        if any(extra) or self.as_json or self.resume:
            raise UsageError("-o -: writes one file to standard output; leave out all other files, --json and --resume")
        if sys.stdout.isatty():
            raise UsageError("-o -: standard output is a terminal; add > labels.png")

    def _outcomes(self, jobs: list[Job], task: Callable[[Job], Outcome]) -> Iterator[tuple[Job, Outcome]]:
        """Each job with its outcome, in the order of the jobs, but for those that several processes do."""
        count = min(self.jobs or processors(), len(jobs)) if not self.dry_run else 1
        if count < 2:
            yield from ((job, task(job)) for job in jobs)
            return
        from emseg.cli.batch.worker_pool import share_threads, spread
        from emseg.image.limits import free_memory

        share_threads(count)
        memory = self.max_memory or free_memory() // count
        jobs = [replace(job, max_memory=memory) for job in jobs]
        yield from spread([job for job in jobs if job.source != STDIO], count, task)
        yield from ((job, task(job)) for job in jobs if job.source == STDIO)

    def _told(self, jobs: list[Job], outcomes: Iterator[tuple[Job, Outcome]]) -> int:
        """Print what comes of the jobs; return the exit code."""
        from emseg.cli.progress import counted

        states, codes = dict.fromkeys((DONE, BEFORE, BAD), 0), set()
        with counted(len(jobs), self.quiet) as step:
            for job, outcome in outcomes:
                out = outcome.out
                if outcome.state == BAD and outcome.code <= USAGE:
                    out = _as_json({"input": {"path": shown(job.source)}, "error": outcome.line}, self)
                with step():
                    if outcome.code == READER_LEFT:
                        raise BrokenPipeError
                    if outcome.line:
                        tell(outcome.line)
                    if out:
                        with to_stdout():
                            click.echo(out)
                if outcome.code > USAGE:  # interrupted: the other inputs are not wanted either
                    return outcome.code
                states[outcome.state] += 1
                codes.add(outcome.code)
        if not jobs and not self.quiet:
            tell("there are no inputs" if not self.shard else "no inputs in this part")
        if states[BAD] and len(jobs) > 1:
            tell(f"{states[BAD]} of {len(jobs)} inputs failed")
        elif len(jobs) > 1 and not (self.quiet or self.as_json or self.dry_run):
            before = f", {states[BEFORE]} of them before" if states[BEFORE] else ""
            with to_stdout():
                click.echo(f"All {len(jobs)} inputs are done{before}")
        return FAILED if len(codes) > 1 else max(codes, default=0)


def _do(work: Work, batch: Batch, alone: bool, job: Job) -> Outcome:
    """Do one job, come what may."""
    try:
        return _done(work, batch, alone, job)
    except Exception as error:  # the outermost place of a job: one bad input never ends the batch
        if batch.debug:
            import traceback

            traceback.print_exc()
        name = "stdin" if job.source == STDIO else job.source
        code, line = explain(error, name)
        if line and shown(name) not in line:  # of several inputs, which
            line = f"{shown(name)}: {line}"
    except KeyboardInterrupt as error:
        code, line = explain(error)
    return Outcome(code, BAD, line)


def _as_json(facts: Mapping[str, Any], batch: Batch) -> str:
    """Facts as a line for --json; nothing without it."""
    if not batch.as_json:
        return ""
    import json

    return json.dumps(facts, allow_nan=False)


def _done(work: Work, batch: Batch, alone: bool, job: Job) -> Outcome:
    if job.problem:
        raise DataError(job.problem)
    state, done = DONE, None
    if batch.resume and job.source != STDIO:
        done = _earlier(job)
        state = BEFORE if done else DONE
    if not done:
        if job.report != STDIO:
            from emseg.output.store.files import check

            check(job.files.values(), job.report, batch.overwrite)
        done = work(job, alone)
    if (batch.quiet and not batch.as_json) or job.report == STDIO:
        return Outcome(0, state)
    return Outcome(0, state, out=_as_json(done.report, batch) or done.text())


def _earlier(job: Job) -> Done | None:
    """The outcome of an earlier run with the same input and recipe, if it is still there."""
    from emseg.image.file_bytes import digest_of_image
    from emseg.output.store.files import finished

    found = finished(job.report, digest_of_image(job.source), job.recipe)
    return Done(found, lambda: f"{shown(job.source)}: done before") if found else None


def opened(job: Job) -> Any:
    """A job's input in a form that the pipeline reads."""
    from emseg.image.file_bytes import MAX_BYTES
    from emseg.image.limits import Reading
    from emseg.image.read import Source

    how = Reading(job.page, job.max_pixels, job.max_memory)
    if job.source != STDIO:
        return Source(job.source, how)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageError("stdin: more bytes than emseg reads; crop or shrink the image")
    return Source("stdin", how, data)


def _pages(entry: Input) -> list[Input]:
    """An input for every page of a file; for one that cannot be read, one that says so."""
    if entry.problem:
        return [entry]
    if entry.path == STDIO:
        raise UsageError("--page all: needs a file, not standard input")
    from emseg.image.read import count_pages

    try:
        pages = count_pages(entry.path)
    except EmsegError as error:
        return [replace(entry, problem=str(error))]
    width = len(str(pages))
    return [replace(entry, page=page, mark=f".p{page:0{width}}" * (pages > 1)) for page in range(1, pages + 1)]


def dry_run(foreseen: Callable[[Job], Job] | None, job: Job, alone: bool) -> Done:
    """A job's plan instead of its results."""
    job = foreseen(job) if foreseen else job
    paths = [*job.files.values(), job.report]
    names = ", ".join(shown(path) for path in paths)
    return Done({"input": {"path": shown(job.source)}, "would_write": paths}, lambda: f"{shown(job.source)} → {names}")


def _recipe(command: str, options: Mapping[str, Any], reads: Iterable[str]) -> str:
    """Hash of all that decides what the results of an input are."""
    import hashlib
    import json

    from emseg.output.store.files import digest

    facts = {"version": __version__, "command": command, "options": dict(options)}
    contents = {name: digest(options[name]) for name in reads if isinstance(options.get(name), str)}
    return hashlib.sha256(json.dumps([facts, contents], sort_keys=True, default=str).encode()).hexdigest()
