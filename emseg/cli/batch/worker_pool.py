"""Several jobs at once, each in a process of its own that may die without harm to the others."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from emseg.cli import signals
from emseg.cli.batch.outcome import BAD, Outcome
from emseg.cli.error_lines import FAILED
from emseg.cli.progress import tick
from emseg.errors import shown
from emseg.output.store.interrupts import signals_blocked, unblock_signals
from emseg.output.store.names import Job
from emseg.output.store.staging import remove_abandoned

PATIENCE = 5.0  # seconds that a process gets for tidying up
TICK = 0.3  # seconds after which a line on the terminal moves
Task = Callable[[Job], Outcome]


@dataclass(eq=False)
class _Worker:
    """A process, our end of the pipe to it, and our end of a second pipe, which breaks when we die."""

    process: Any
    pipe: Connection
    life: Connection
    job: Job | None = None

    def give(self, job: Job) -> None:
        self.job = job
        with suppress(OSError):  # it is dead, which shows when its answer is waited for
            self.pipe.send(job)

    def answer(self) -> Outcome:
        """The outcome of its job; if the process has died, an outcome that says so."""
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(PATIENCE)
            self.process.kill()  # if it has only closed its end
            self.process.join()
            return self._lost()
        return outcome

    def _lost(self) -> Outcome:
        assert self.job is not None
        code = self.process.exitcode
        end = f"killed by {_signal_name(-code)}" if code is not None and code < 0 else f"exit code {code}"
        remove_abandoned(self.job.report, len(self.job.files))
        line = f"{shown(self.job.source)}: its process ended early ({end}); if memory is short, give fewer --jobs"
        return Outcome(FAILED, BAD, line, lost=True)

    def close(self) -> None:
        self.pipe.close()
        self.life.close()


def spread(jobs: Sequence[Job], count: int, task: Task) -> Iterator[tuple[Job, Outcome]]:
    """Do jobs in so many processes; give each job with its outcome, in the order in which they end."""
    # A copy of this process costs little: it has loaded few modules, and has one thread.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    workers: list[_Worker] = []
    left = list(reversed(jobs))

    def end() -> None:
        for worker in workers:
            with suppress(OSError, AttributeError):
                worker.process.terminate()
        for worker in workers:
            worker.process.join(PATIENCE)
            worker.process.kill()
            worker.close()

    signals.CLEANERS.append(end)
    try:
        while left or workers:
            while left and len(workers) < count:
                workers.append(_start(context, task, workers))
                workers[-1].give(left.pop())
            for pipe in wait([worker.pipe for worker in workers], TICK):
                worker = next(worker for worker in workers if worker.pipe is pipe)
                job, outcome = worker.job, worker.answer()
                if left and worker.process.is_alive():
                    worker.give(left.pop())
                else:
                    worker.close()
                    worker.process.join(PATIENCE)
                    workers.remove(worker)
                assert job is not None
                yield job, outcome
            tick()
    finally:
        end()
        signals.CLEANERS.remove(end)


def _start(context: Any, task: Task, others: list[_Worker]) -> _Worker:
    pipe, theirs = context.Pipe()
    watched, life = context.Pipe(duplex=False)
    # A copy of this process has copies of our ends, which it must close: else nobody would learn of our death.
    ours = [pipe, life] + [end for other in others for end in (other.pipe, other.life)]
    if context.get_start_method() != "fork":
        ours = []
    process = context.Process(target=_serve, args=(task, theirs, watched, ours), daemon=True)
    with signals_blocked():  # in the new process until it has handlers of its own: ours would tidy up after us
        process.start()
    theirs.close()
    watched.close()
    return _Worker(process, pipe, life)


def _serve(task: Task, pipe: Connection, life: Connection, ours: list[Connection]) -> None:
    """Do jobs as they arrive, until there are no more or the other end is closed."""
    signals.CLEANERS.clear()
    signals.install(quiet=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the one that started us decides
    unblock_signals()
    for end in ours:
        end.close()
    threading.Thread(target=_watch, args=(life,), daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            pipe.send(task(pipe.recv()))


def _watch(life: Connection) -> None:
    """End this process in order when the one that started it is gone."""
    with suppress(EOFError, OSError):
        life.recv()
    os.kill(os.getpid(), signal.SIGTERM)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
