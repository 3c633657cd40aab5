"""Seconds for logs and reports. While the clock is stopped they are 0, and the same work leaves the same bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_STOPPED: ContextVar[bool] = ContextVar("stopped", default=False)


def seconds() -> float:
    """Seconds since some moment in the past; 0 while the clock is stopped."""
    return 0.0 if _STOPPED.get() else time.perf_counter()


@contextmanager
def stopped(wanted: bool = True) -> Iterator[None]:
    """Stop the clock inside, if that is wanted."""
    token = _STOPPED.set(wanted or _STOPPED.get())
    try:
        yield
    finally:
        _STOPPED.reset(token)
