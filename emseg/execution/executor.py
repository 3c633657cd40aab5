"""Work that comes in independent parts: done here or by several processes, with the same result to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")


class Pool(Protocol):
    """Who does parts of the work elsewhere, see `emseg.execution.processes.Workers`."""

    def map(self, work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """`work(*a)` of each of the arguments, in their order."""
        ...


class Crew:
    """Does parts of a task, and tells how much of a whole is done.

    Parameters
    ----------
    pool : Pool, optional
        Who does them; without it, they are done here, one after the other.
    on_progress : callable, optional
        Called in the main thread with the share that is done, from 0 to 1.
    """

    def __init__(self, pool: Pool | None = None, on_progress: Callable[[float], object] | None = None) -> None:
        self.pool = pool
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

    def run(
        self, work: Callable[..., Result], parts: Sequence[Part], inputs: Callable[[Part], tuple[Any, ...]]
    ) -> Iterator[Result]:
        """`work(part, *inputs(part))` in the order of the parts, whoever does them.

        Parameters
        ----------
        work : callable
            What it needs to know of the whole must be in what `inputs` gives, as another process may do it.
        parts : sequence
        inputs : callable
            What a part needs: pieces of arrays, which travel.
        """
        arguments = ((part, *inputs(part)) for part in parts)
        alone = self.pool is None or len(parts) < 2
        results = (
            (work(*given) for given in arguments) if alone or self.pool is None else self.pool.map(work, arguments)
        )
        for done, result in enumerate(results, 1):
            yield result
            if self.on_progress:
                self.on_progress(self._begin + (self._end - self._begin) * done / len(parts))
