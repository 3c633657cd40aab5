"""Work that comes in independent parts: done in order or by several threads, with the same result to the last bit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Crew:
    """Does parts of a task, and tells how much of a whole is done.

    Parameters
    ----------
    threads : int
        How many parts are worked on at once. NumPy lets go of the interpreter in long operations, so that threads help.
    on_progress : callable, optional
        Called in the main thread with the share that is done, from 0 to 1.
    """

    def __init__(self, threads: int = 1, on_progress: Callable[[float], object] | None = None) -> None:
        self.threads = threads
        self.on_progress = on_progress
        self._begin, self._end = 0.0, 1.0

    @contextmanager
    def stage(self, begin: float, end: float) -> Iterator[Crew]:
        """What runs inside takes the whole from one share to the other."""
        outer = self._begin, self._end
        width = outer[1] - outer[0]
        self._begin, self._end = outer[0] + begin * width, outer[0] + end * width
        try:
            yield self
        finally:
            self._begin, self._end = outer

    def run(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
        """Results in the order of the parts, however many threads there are."""
        listed = list(parts)
        results = map(work, listed) if self.threads < 2 or len(listed) < 2 else self._threaded(work, listed)
        for done, result in enumerate(results, 1):
            yield result
            if self.on_progress:
                self.on_progress(self._begin + (self._end - self._begin) * done / len(listed))

    def _threaded(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        pool = ThreadPoolExecutor(self.threads)
        try:
            waiting: deque[Future[Result]] = deque()
            for part in parts:
                waiting.append(pool.submit(work, part))
                if len(waiting) > 2 * self.threads:  # results that nobody has taken yet are memory
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
