"""`Processes`: an executor that shares the parts of a task among processes.

Each process is a new interpreter at the end of two pipes, not a copy of this one. That works on every system and from
any thread, and does not run the user's script again. Arrays travel as pickles: to work on a part of an image takes a
hundred times longer than to send it. A worker ends when its standard input ends, because this process is done or dead.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

from emseg.errors import EmsegError, option
from emseg.execution.executor import Result

START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from emseg.execution.processes import serve; serve()"
)
# The processes share the processors already. With one thread each, the results do not depend on their number.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
#: Parts a worker that are in work or done and that nobody has taken yet. More would only take memory.
AHEAD = 2


def can_start() -> bool:
    """Whether there is an interpreter to start; a program that embeds Python may have none."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


class Processes:
    """An executor of `count` processes, started when first needed and ended with the `with` block.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._all: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count)  # each waits for the answer of one process

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *failure: object) -> None:
        for worker in self._all:
            worker.end()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def map(self, work: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        """`work(*a)` for each of the arguments, in their order.

        Parameters
        ----------
        work : callable
            Can be pickled; so can what it takes and returns.
        arguments : iterable of tuple
            Taken one by one, not long before they are needed.

        Raises
        ------
        EmsegError
            If a process dies.
        Exception
            Whatever `work` raises.
        """
        if not self._all:
            self._all = [_Worker() for _ in range(self.count)]
            for worker in self._all:
                self._idle.put(worker)
        code = pickle.dumps(work, 5)
        waiting: deque[Future[Any]] = deque()
        for given in arguments:
            waiting.append(self._threads.submit(self._do, code, given))
            if len(waiting) > AHEAD * self.count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _do(self, code: bytes, given: tuple[Any, ...]) -> Any:
        worker = self._idle.get()
        try:
            return worker.do(code, given)
        finally:
            self._idle.put(worker)


class _Worker:
    """A process, and the pickled function that it was given last."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            start_new_session=True,  # Ctrl-C is for the process that started it
        )
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("a process was started without pipes")
        self.tasks, self.answers = self.process.stdin, self.process.stdout
        self.code = b""
        with suppress(OSError):  # a dead process shows when its answer is waited for
            self._send(sys.path)

    def do(self, code: bytes, given: tuple[Any, ...]) -> Any:
        """The result of one part."""
        try:
            self._send((None if code is self.code else code, given))
            self.code = code
            fine, found = pickle.load(self.answers)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise EmsegError(self._death()) from error
        if not fine:
            raise found
        return found

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        with suppress(OSError):
            self.process.communicate()

    def _send(self, what: object) -> None:
        pickle.dump(what, self.tasks, 5)
        self.tasks.flush()

    def _death(self) -> str:
        self.process.kill()  # it may only have closed its end of the pipe
        code = self.process.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        remedy = f"if memory is short, use {option('workers', 1)}"
        return f"a process that worked on the image ended early ({how}); {remedy}"


def serve() -> None:
    """Be a worker: do the tasks that come on standard input, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a task prints must not mix with the answers
    tasks: SimpleQueue[tuple[bytes | None, tuple[Any, ...]]] = SimpleQueue()
    Thread(target=_receive, args=(tasks,), daemon=True).start()
    work: Any = None
    with suppress(BrokenPipeError):
        while True:
            code, given = tasks.get()
            try:
                work = pickle.loads(code) if code is not None else work
                answer = True, work(*given)
            except Exception as error:  # the other process decides what it means
                answer = False, error
            pickle.dump(answer, answers, 5)
            answers.flush()


def _receive(tasks: SimpleQueue[tuple[bytes | None, tuple[Any, ...]]]) -> None:
    """Queue the tasks that come; end this process at once when the other end of the pipe is gone."""
    with suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    os._exit(0)
