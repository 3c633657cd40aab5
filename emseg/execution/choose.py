"""Who works on an image: this process, or several where the image is large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emseg.execution.processes import Processes, can_start
from emseg.execution.processors import processors
from emseg.execution.runner import Runner

#: Values of an image (H · W · C). Below this size, processes take as long to start (0.3 s) as they save.
LARGE = 1 << 19


@contextmanager
def runner_for(workers: int, size: int, on_progress: Callable[[float], object] | None) -> Iterator[Runner]:
    """Yield a runner for an image of so many values; its processes end with the `with` block.

    Parameters
    ----------
    workers : int
        How many processes; 0: as many as there are processors.
    size : int
        H · W · C.
    on_progress : callable, optional
        Called with the share that is done, from 0 to 1.
    """
    count = workers or processors()
    if count < 2 or size < LARGE or not can_start():
        yield Runner(None, on_progress)
        return
    with Processes(count) as executor:
        yield Runner(executor, on_progress)
