"""Signals that ask a process to end, held back while files get their final names or processes start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Ctrl-C, `kill`, and a terminal that is closed; the last where the system has it.
END_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def signals_held() -> Iterator[None]:
    """Let a signal of `END_SIGNALS` that comes in the meantime take effect afterwards."""
    waiting: list[int] = []
    handlers: dict[int, Any] = {}
    try:
        for number in END_SIGNALS:
            handler = signal.getsignal(number)
            if handler not in (None, signal.SIG_IGN):
                signal.signal(number, lambda number, frame: waiting.append(number))
                handlers[number] = handler
    except ValueError:  # another thread than the main one: signals are not delivered here
        pass
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if waiting:
            signal.raise_signal(waiting[0])


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Let this thread, and processes that it starts, get no `END_SIGNALS` in the meantime; they come afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def unblock_signals() -> None:
    """Let this process get `END_SIGNALS` that were blocked when it was started."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
