"""Processes that do parts of the work on one image.

Each is a new interpreter at the end of two pipes, not a copy of this process: that works on every system, from any
thread, and does not run the user's script again. Arrays travel as pickles; a part of an image takes a hundred times
longer to work on than to send. When its standard input ends, because this process is done or dead, a worker ends too.
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

from emseg.errors import EmsegError

START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from emseg.execution.processes import serve; serve()"
)
# They share the processors as it is; and so results are the same to the last bit, however many they are.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
AHEAD = 2  # parts in work or done, of each worker, that nobody has taken yet: more would only be memory


def can_work() -> bool:
    """Whether there is an interpreter to start; programs that embed Python may have none."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


class Workers:
    """So many processes, started when first needed and ended with the `with` block.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._all: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count)  # each waits for the answer of one process

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *failure: object) -> None:
        for worker in self._all:
            worker.end()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def map(self, work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """`work(*a)` of each of the arguments, in their order.

        Parameters
        ----------
        work : callable
            Can be pickled, as what it takes and gives.
        arguments : iterable of tuple
            Asked for one by one, not long before they are needed.

        Raises
        ------
        EmsegError
            If a process dies.
        Exception
            What `work` raises.
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
    """A process, and what it was last told to do."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            start_new_session=True,  # Ctrl-C is for the process that started it
        )
        self.code = b""
        with suppress(OSError):  # it is dead, which shows when its answer is waited for
            self._send(sys.path)

    def do(self, code: bytes, given: tuple[Any, ...]) -> Any:
        """The result of one part."""
        try:
            self._send((None if code is self.code else code, given))
            self.code = code
            assert self.process.stdout is not None
            fine, found = pickle.load(self.process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise EmsegError(self._death()) from error
        if not fine:
            raise found
        return found

    def end(self) -> None:
        """Whatever it is doing."""
        self.process.kill()
        with suppress(OSError):
            self.process.communicate()

    def _send(self, what: object) -> None:
        assert self.process.stdin is not None
        pickle.dump(what, self.process.stdin, 5)
        self.process.stdin.flush()

    def _death(self) -> str:
        self.process.kill()  # if it has only closed its end
        code = self.process.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"a process that worked on the image ended early ({how}); if memory is short, give --workers 1"


def serve() -> None:
    """Be a worker: do what comes on standard input, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed must not mix with them
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
    """Take what comes; end this process at once when the other end is gone."""
    with suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    os._exit(0)
