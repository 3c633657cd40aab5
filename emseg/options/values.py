"""What options that take a number or a word may be. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from typing import Any

AUTO = (1, 9)  # what -k auto chooses from


def k_range(k: int | str) -> tuple[int, int]:
    """Smallest and largest number of components that ``4``, ``"2:9"`` or ``"auto"`` stand for.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if k == "auto":
        return AUTO
    parts = k.split(":") if isinstance(k, str) else [str(k)] * 2
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError
    low, high = int(parts[0]), int(parts[1])
    if not 1 <= low <= high:
        raise ValueError
    return low, high


def is_k(value: int | str) -> bool:
    """Whether a value may be the number of components."""
    try:
        return bool(k_range(value))
    except ValueError:
        return False


def as_k(value: Any) -> int | str:
    """A number as an int, text as it is."""
    return value if isinstance(value, str) else int(value)


def is_denoise(value: float | str) -> bool:
    """Whether a value can be `denoise`."""
    return value in ("auto", "off") if isinstance(value, str) else 0 <= value < math.inf


def is_beta(value: float | str) -> bool:
    """Whether a value may be the strength of a field."""
    return value == "auto" if isinstance(value, str) else 0 <= value < math.inf


def is_regions(value: int | str) -> bool:
    """Whether a value may be the least size of regions."""
    return value == "auto" if isinstance(value, str) else value >= 0


def is_merge(value: float | str) -> bool:
    """Whether a value may say how readily regions merge."""
    return value in ("auto", "default") if isinstance(value, str) else 0 <= value < math.inf


def is_dof(value: float | str) -> bool:
    """Whether a value may be degrees of freedom."""
    return value in ("each", "common") if isinstance(value, str) else 0 < value < math.inf
