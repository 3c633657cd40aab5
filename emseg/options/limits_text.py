"""Limits LO,HI as an option has them. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

LIMITS = "two limits LO,HI with LO below HI, as '0,255'; either may be empty"


def limits(text: str) -> tuple[float, float]:
    """Lower and upper limit that ``"0,255"``, ``"0,"`` or ``",255"`` stand for, infinite where there is none.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError
    low, high = (float(part) if part.strip() else end for part, end in zip(parts, (-math.inf, math.inf), strict=True))
    if not (low < high and (math.isfinite(low) or math.isfinite(high))):
        raise ValueError
    return low, high


def is_limits(value: str | Sequence[float]) -> bool:
    """Whether a value may be limits; empty for none."""
    try:
        return not as_limits(value) or bool(limits(as_limits(value)))
    except (TypeError, ValueError):
        return False


def as_limits(value: Any) -> str:
    """Limits as text, from text or a pair of numbers."""
    if isinstance(value, str):
        return value
    return ",".join(f"{float(limit):.17g}" if math.isfinite(limit) else "" for limit in value)
