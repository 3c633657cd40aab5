"""How long each step of a command takes."""

from __future__ import annotations

from emseg.numerics import clock


class Stopwatch:
    """Wall-clock seconds of one step after another.

    Attributes
    ----------
    seconds : dict of str to float
        Seconds by step, rounded to microseconds, in the order in which the steps ended.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = clock.seconds()

    def lap(self, step: str) -> None:
        """End a step and begin the next one."""
        now = clock.seconds()
        self.seconds[step] = round(now - self._last, 6)
        self._last = now
