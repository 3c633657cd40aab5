"""Who restores an image: this process, or several where it is large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emseg.execution.executor import Crew
from emseg.execution.processes import Workers, can_work
from emseg.execution.processors import processors

LARGE = 1 << 19  # values, below which processes would take as long to start as they save


@contextmanager
def crew_of(workers: int, size: int, on_progress: Callable[[float], object] | None) -> Iterator[Crew]:
    """A crew for an image of so many values.

    Parameters
    ----------
    workers : int
        How many processes; 0: as many as there are processors.
    size : int
        H · W · C.
    on_progress : callable, optional
    """
    count = workers or processors()
    if count < 2 or size < LARGE or not can_work():
        yield Crew(None, on_progress)
        return
    with Workers(count) as pool:
        yield Crew(pool, on_progress)
