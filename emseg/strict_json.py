"""Strict JSON: readable by people, the same bytes for the same facts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any


def json_bytes(facts: Mapping[str, Any]) -> bytes:
    """Encode facts in the given order, indented, with rows of numbers on one line; NaN and infinity become null."""
    text = json.dumps(json_values(facts), indent=2, ensure_ascii=False, allow_nan=False)
    # Strings hold no line breaks in JSON, so what is split over lines is structure.
    numbers = re.compile(r"\[\n *((?:[-\d.e+]+|null)(?:,\n *(?:[-\d.e+]+|null))*)\n *\]")
    text = numbers.sub(lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]", text)
    return (text + "\n").encode("utf-8", "backslashreplace")


def json_values(value: Any) -> Any:
    """The same facts in Python's own types, with None for numbers that JSON cannot hold."""
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: json_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
