"""Several numbers as one value: `0,255`. Imports nothing heavy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from emseg.options.kinds.basic_kinds import LONGEST, Kind

_WHOLE = r"[+-]?\d+"


class Values(Kind):
    """Finite numbers, each once, in the order given."""

    wanted = "a finite number, or several, as '0,255'"
    stored = "tuple[float, ...]"
    given = "float | Sequence[float]"
    metavar = "V[,V]"

    def parse(self, text: str) -> tuple[float, ...]:
        """The numbers between commas; whole ones stay exact."""
        return self.check([_number(part.strip()) for part in text.split(",")] if text else ())

    def check(self, value: Any, name: str = "") -> tuple[float, ...]:
        """One number or several of them."""
        if isinstance(value, str) or not isinstance(value, Real | Iterable):
            raise ValueError
        return tuple(dict.fromkeys(_finite(number) for number in ([value] if isinstance(value, Real) else value)))


def _number(text: str) -> float:
    """The number that a text stands for."""
    if not text.isascii() or "_" in text or len(text) >= LONGEST:
        raise ValueError
    try:
        return int(text) if re.fullmatch(_WHOLE, text, re.ASCII) else float(text)
    except ValueError:
        raise ValueError from None  # without Python's words, which say nothing of what is wanted


def _finite(number: Any) -> float:
    if isinstance(number, bool) or not isinstance(number, Real) or not math.isfinite(number):
        raise ValueError
    return int(number) if isinstance(number, Integral) else float(number)
