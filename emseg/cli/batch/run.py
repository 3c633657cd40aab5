"""How every command goes through its inputs: it names all results, then works on one input or several at a time.

A command gives its name, its options and a function that does one `Job`; all else is here. Nothing heavy is imported
before the first job, and with several processes only they import it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from functools import partial
from typing import Any

import click

from emseg.cli.batch.input_paths import expand, line_of_series, one_image
from emseg.cli.batch.one_job import do, dry_run, json_line, verdict
from emseg.cli.batch.outcome import BAD, BEFORE, DONE, Outcome, Work
from emseg.cli.error_lines import FAILED, READER_LEFT, USAGE, hush, say, tell, warn
from emseg.cli.terminal import moving
from emseg.errors import EmsegError, OutputError, UsageError, for_command_line, shown
from emseg.options.declarations.reading import ReadingOptions
from emseg.options.declarations.running import RunOptions
from emseg.options.effects import without_effect
from emseg.output.store.names import REPORT, STDIO, Input, Job, plan, with_all
from emseg.records import NamedRecord
from emseg.version import __version__

#: Commands that take several files as one image.
STACKING = "segment", "apply"

AT_ONCE = 1000  # lines that a dry run prints together


class Batch(NamedRecord):
    """Inputs as the command line names them, and how to go through them."""

    inputs: tuple[str, ...]
    settings: RunOptions = RunOptions()
    reading: ReadingOptions = ReadingOptions()

    @classmethod
    def of(cls, inputs: tuple[str, ...], options: dict[str, Any]) -> Batch:
        """Take what belongs here out of a command's options."""

        def taken(kind: type) -> dict[str, Any]:
            return {entry.name: options.pop(entry.name) for entry in fields(kind) if entry.name in options}

        return cls(inputs, RunOptions(**taken(RunOptions)), ReadingOptions(**taken(ReadingOptions)))

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
            Does one job, and writes its files with `emseg.cli.batch.write_job.write`. Several processes need it to be
            picklable.
        options : mapping
            All that decides what the results are.
        reads : iterable of str
            Names of options whose values may be files, the contents of which count, too.
        always, extra, report
            See `plan`.
        named : mapping of str to str, optional
            Further fields of `name`.
        foreseen : callable, optional
            For a dry run: tells the files of a job where its input decides which they are.
        """
        settings, reading = self.settings, self.reading
        warn(without_effect(command, settings), settings.quiet)
        jobs: Sequence[Job] = plan(
            self._expanded(command), settings.output, extra, always, report, settings.name, named
        )
        taken = {"page": reading.page or 1, "axes": reading.axes, "channels": reading.channels, "stack": reading.stack}
        taken |= {"truncated_ok": True} if reading.truncated_ok else {}
        same: dict[str, Any] = {"max_pixels": settings.max_pixels, "max_memory": settings.max_memory}
        same |= {"axes": reading.axes, "channels": reading.channels, "truncated_ok": reading.truncated_ok}
        if not settings.dry_run or settings.resume:
            same["recipe"] = _recipe(command, {**options, "extra": sorted(extra), **taken}, reads)
        if any(same.values()):
            jobs = with_all(jobs, **same)
        if settings.output == STDIO:
            self._require_stdout(extra)
        joint = _joint_path(jobs, settings, extra)
        everything, finished = jobs, set[str]()
        if settings.shard:
            jobs = jobs[settings.shard[0] - 1 :: settings.shard[1]]
        task = partial(do, partial(dry_run, foreseen) if settings.dry_run else work, settings, len(jobs) == 1)
        try:
            if settings.dry_run:
                from emseg.cli.batch.foretold import foretold  # most runs do work

                outcomes = foretold(jobs, task, foreseen, settings)
            else:
                outcomes = self._outcomes(jobs, task)
            code = self._told(jobs, _noted(outcomes, finished) if joint else outcomes)
            if joint and code <= FAILED:
                code = max(code, *self._joined(joint, everything, finished, {job.report for job in jobs}), 0)
            return code
        except BrokenPipeError:  # here, because click would make another exit code of it
            hush()
            return READER_LEFT

    def _joined(self, path: str, jobs: Sequence[Job], finished: set[str], mine: set[str]) -> set[int]:
        """Write the COCO file of all images; return the exit code if that failed."""
        from emseg.cli.batch.joint_coco import write_joint

        settings = self.settings
        try:
            line = "" if settings.dry_run else write_joint(path, jobs, finished, mine, settings.overwrite)
        except OutputError as error:
            tell(for_command_line(error.message))
            return {FAILED}
        quiet = settings.quiet or settings.as_json
        return set() if quiet else _printed(line or f"all inputs → {shown(path)}")

    def _expanded(self, command: str) -> Sequence[Input]:
        settings = self.settings
        if not self.inputs and settings.files_from is None:
            raise click.UsageError("Missing argument 'INPUT...'", click.get_current_context(silent=True))
        if settings.null and settings.files_from is None:
            raise UsageError("-0: goes with --files-from")
        found = expand(self.inputs, settings.recursive, settings.files_from, settings.null)
        page = self.reading.page
        if not page and not self.reading.stack:
            self._tell_series(command, found)
            return found
        if page != "all":
            pages = [[entry._replace(page=int(page or 0))] for entry in found]
        else:
            pages = [_pages(entry, self.reading.axes) for entry in found]
        if self.reading.stack:
            return one_image(pages, settings.quiet)
        self._tell_series(command, found)
        return [entry for each in pages for entry in each]

    def _tell_series(self, command: str, found: Sequence[Input]) -> None:
        if len(found) > 1 and not self.settings.quiet and command in STACKING:
            for line in filter(None, [line_of_series(entry.path for entry in found if not entry.problem)]):
                tell(line)

    def _require_stdout(self, extra: Iterable[str]) -> None:
        if any(extra) or self.settings.as_json or self.settings.resume:
            raise UsageError("-o -: writes one file to standard output; leave out all other files, --json and --resume")
        if sys.stdout.isatty():
            raise UsageError("-o -: standard output is a terminal; add > labels.png")

    def _outcomes(self, jobs: Sequence[Job], task: Callable[[Job], Outcome]) -> Iterator[tuple[Job, Outcome]]:
        """Each job with its outcome, in the order of the jobs, but for those that several processes do."""
        settings = self.settings
        count = self._processes(len(jobs))
        if count < 2:
            yield from ((job, task(job)) for job in jobs)
            return
        from emseg.cli.batch.worker_pool import spread
        from emseg.image.limits import free_memory

        memory = settings.max_memory or free_memory() // count
        jobs = [job._replace(max_memory=memory) for job in jobs]
        for job, outcome in spread([job for job in jobs if job.source != STDIO], count, task):
            yield job, verdict(outcome, job, settings)
        yield from ((job, task(job)) for job in jobs if job.source == STDIO)

    def _processes(self, jobs: int) -> int:
        """How many processes do so many jobs; 1 is this one."""
        if jobs == 1 or self.settings.dry_run:
            return 1
        from emseg.execution.processors import processors  # a single input does without

        return min(self.settings.jobs or processors(), jobs)

    def _counted(self, jobs: int) -> AbstractContextManager[Callable[[], AbstractContextManager[None]]]:
        """What shows on a terminal how many of the jobs are done."""
        if jobs < 2 or self.settings.quiet or not moving(sys.stderr):
            return nullcontext(nullcontext)
        from emseg.cli.progress import counted  # most runs are not watched

        return counted(jobs, copied=self._processes(jobs) > 1)

    def _told(self, jobs: Sequence[Job], outcomes: Iterator[tuple[Job, Outcome]]) -> int:
        """Print what comes of the jobs; return the exit code."""
        settings, states, codes = self.settings, dict.fromkeys((DONE, BEFORE, BAD), 0), set()
        waiting: list[str] = []  # lines that are printed together, in dry runs
        with self._counted(len(jobs)) as step:
            for job, outcome in outcomes:
                out = outcome.out
                if outcome.state == BAD and outcome.code <= USAGE:
                    out = json_line({"input": {"path": shown(job.source)}, "error": outcome.line}, settings)
                with step():
                    if outcome.code == READER_LEFT:
                        raise BrokenPipeError
                    if waiting and (outcome.notices or outcome.line or len(waiting) >= AT_ONCE):
                        codes |= _printed("\n".join(waiting))
                        waiting.clear()
                    for line in (*outcome.notices, *filter(None, [outcome.line])):
                        tell(line)
                    if out and settings.dry_run:
                        waiting.append(out)
                    elif out:
                        codes |= _printed(out)
                if outcome.code > USAGE:  # interrupted: the other inputs are not wanted either
                    return outcome.code
                states[outcome.state] += 1
                codes.add(outcome.code)
        if waiting:
            codes |= _printed("\n".join(waiting))
        if not jobs and not settings.quiet:
            tell("there are no inputs" if not settings.shard else "no inputs in this part")
        if states[BAD] and len(jobs) > 1:
            tell(f"{states[BAD]} of {len(jobs)} inputs failed")
        elif len(jobs) > 1 and not (settings.quiet or settings.as_json or settings.dry_run):
            before = f", {states[BEFORE]} of them before" if states[BEFORE] else ""
            codes |= _printed(f"All {len(jobs)} inputs are done{before}")
        return FAILED if len(codes) > 1 else max(codes, default=0)


def _joint_path(jobs: Sequence[Job], settings: RunOptions, extra: Iterable[str]) -> str:
    """Where a file of all images goes, if there is to be one."""
    if "coco" not in extra:
        return ""
    from emseg.cli.batch.joint_coco import joint_path  # most runs do without

    return joint_path(jobs, settings.output, settings.overwrite)


def _noted(outcomes: Iterator[tuple[Job, Outcome]], finished: set[str]) -> Iterator[tuple[Job, Outcome]]:
    """The outcomes; the reports of what went well are noted as they come."""
    for job, outcome in outcomes:
        if outcome.state != BAD:
            finished.add(job.report)
        yield job, outcome


def _printed(text: str) -> set[int]:
    """Print a text; return the exit code if that failed. It is one line, once: the files are still to be made."""
    try:
        say(text)
    except OutputError as error:
        tell(for_command_line(error.message))
        return {FAILED}
    return set()


def _pages(entry: Input, axes: str) -> list[Input]:
    """An input for every page of a file; for one that cannot be read, one that says so."""
    if entry.problem:
        return [entry]
    if entry.path == STDIO:
        raise UsageError("--page all: needs a file, not standard input")
    from emseg.image.limits import Reading
    from emseg.image.read import count_pages

    try:
        pages = count_pages(entry.path, Reading(axes=axes))
    except EmsegError as error:
        return [entry._replace(problem=for_command_line(error.message))]
    width = len(str(pages))
    return [entry._replace(page=page, mark=f".p{page:0{width}}" * (pages > 1)) for page in range(1, pages + 1)]


def _recipe(command: str, options: Mapping[str, Any], reads: Iterable[str]) -> str:
    """Hash of all that decides what the results of an input are."""
    import hashlib
    import json

    from emseg.output.store.files import file_digest

    facts = {"version": __version__, "command": command, "options": dict(options)}
    contents = {name: file_digest(options[name]) for name in reads if isinstance(options.get(name), str)}
    return hashlib.sha256(json.dumps([facts, contents], sort_keys=True, default=str).encode()).hexdigest()
