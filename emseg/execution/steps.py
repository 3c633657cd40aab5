"""What a long computation is at, for whoever wants to show it. Whoever computes says it; mostly nobody listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Listener(Protocol):
    """Is told of every step, in the thread that works."""

    def step(self, name: str) -> None:
        """A step begins; the one before has ended."""

    def iteration(self, number: int) -> None:
        """The step is at the iteration of this number."""

    def part(self, share: float) -> None:
        """So much of the step is done, from 0 to 1."""


_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Listener | None) -> Iterator[None]:
    """Tell a listener what goes on inside; nobody if it is None."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def step(name: str) -> None:
    """Say that a step begins; its name completes "emseg is at …"."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.step(name)


def iteration(number: int) -> None:
    """Say which iteration the step is at."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.iteration(number)


def part(share: float) -> None:
    """Say which share of the step is done."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.part(share)
