"""`Executor`: whoever does the parts of a task, with the same result whoever it is.

It is the same to the last bit where all of them compute with one thread. More threads add in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Executor(Protocol):
    """Does parts of a task: in this process, in several, or on several machines.

    `emseg.execution.processes.Processes` is one of them. Another one needs `map` alone.
    """

    def map(self, work: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        """`work(*a)` for each of the arguments, in their order.

        Parameters
        ----------
        work : callable
            A pure function that can be pickled, and so can what it takes and returns. What it needs to know of the
            whole, and the seed of what it draws, is in it or in the arguments.
        arguments : iterable of tuple
            May be made one by one, not long before they are needed.
        """
        ...


class Serial:
    """Does all parts here, one after the other."""

    def map(self, work: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        """`work(*a)` for each of the arguments, each when its result is asked for."""
        return (work(*given) for given in arguments)
