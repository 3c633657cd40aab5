"""`Runner`: an executor that tells how much of the whole is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from emseg.execution import steps
from emseg.execution.executor import Executor, Serial

Part = TypeVar("Part")
Result = TypeVar("Result")


class Runner:
    """Runs the parts of a task, and reports the share of the whole task that is done.

    Parameters
    ----------
    executor : Executor, optional
        Who does the parts; this process unless given.
    on_progress : callable, optional
        Called in the main thread with the share that is done, from 0 to 1.
    """

    def __init__(self, executor: Executor | None = None, on_progress: Callable[[float], object] | None = None) -> None:
        self.executor = executor or Serial()
        self.on_progress = on_progress
        self._begin, self._end = 0.0, 1.0

    @contextmanager
    def stage(self, begin: float, end: float) -> Iterator[Runner]:
        """What runs inside takes the whole from the share `begin` to the share `end`."""
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
        """`work(part, *inputs(part))` in the order of the parts. A single part is done in this process.

        Parameters
        ----------
        work : callable
            A pure function that can be pickled, see `Executor.map`.
        parts : sequence
        inputs : callable
            What a part needs: pieces of arrays, which travel.
        """
        arguments = ((part, *inputs(part)) for part in parts)
        executor = self.executor if len(parts) > 1 else Serial()
        for done, result in enumerate(executor.map(work, arguments), 1):
            yield result
            share = self._begin + (self._end - self._begin) * done / len(parts)
            steps.part(share)
            if self.on_progress:
                self.on_progress(share)
