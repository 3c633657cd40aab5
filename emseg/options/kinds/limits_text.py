"""Lower and upper limits as the text LO,HI. Imports nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

LIMITS = "two limits LO,HI with LO below HI, as '0,255'; either may be empty"


def limits(text: str) -> tuple[float, float]:
    """The limits that ``"0,255"``, ``"0,"`` or ``",255"`` stand for, infinite where there is none.

    Raises
    ------
    ValueError
        If the text is none of them, or the lower limit is not below the upper one.
    """
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError
    low, high = (float(part) if part.strip() else end for part, end in zip(parts, (-math.inf, math.inf), strict=True))
    if not (low < high and (math.isfinite(low) or math.isfinite(high))):
        raise ValueError
    return low, high


def is_limits(value: str | Sequence[float]) -> bool:
    """Whether a value stands for limits; an empty text stands for none."""
    try:
        return not as_limits(value) or bool(limits(as_limits(value)))
    except (TypeError, ValueError):
        return False


def as_limits(value: Any) -> str:
    """Limits as text, from text or a pair of numbers; raise ValueError for NaN."""
    if isinstance(value, str):
        return value
    if any(math.isnan(limit) for limit in value):
        raise ValueError
    return ",".join(f"{float(limit):.17g}" if math.isfinite(limit) else "" for limit in value)
