"""Ctrl-C, `kill` and a closed terminal clean up, print one line and end the process, at any moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from emseg.cli.terminal import plain
from emseg.output.store.interrupts import END_SIGNALS

#: Functions to call before the process ends, the last one first.
CLEANERS: list[Callable[[], None]] = []


def install(quiet: bool = False) -> None:
    """From now on, end in order on a signal of `END_SIGNALS`, but for those that are ignored (nohup).

    The handler ends the process itself. An exception would be lost where Python runs code of its own, as in the
    callbacks of the import system, and could strike a second time in the middle of tidying up.
    """
    for number in END_SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, partial(_leave, quiet))


def _leave(quiet: bool, number: int, frame: Any) -> None:
    for other in END_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    for clean in reversed(CLEANERS):
        clean()
    discard = getattr(sys.modules.get("emseg.output.store.staging"), "discard_all", None)
    if discard:
        discard()
    if not quiet:
        with suppress(OSError):
            if os.isatty(2) and not plain():
                os.write(2, b"\r\x1b[K")  # over what is there of a bar
            os.write(2, b"emseg: interrupted\n" if number == signal.SIGINT else b"emseg: terminated\n")
    os._exit(128 + number)
