"""The option of `segment` that denoises first, apart from those of the commands that restore: it loads nothing."""

from __future__ import annotations

from typing import Any

from emseg.cli.shared_options import _checked, _option


def _level(value: Any) -> float | str:
    if value == "auto":
        return "auto"
    try:
        level = float(value)
    except ValueError:
        level = -1.0
    if not 0 <= level < float("inf"):
        raise ValueError(f"{value!r} is no such number; give a number of 0 or more, or auto")
    return level


def _cleaning(value: Any) -> float | str:
    return "off" if value == "off" else _level(value)


CLEANED = (
    _option("--denoise", metavar="auto|off|S", callback=_checked(_cleaning), default="off",
            help="Take noise of this level out of the image first; auto: as much as is found."),
)  # fmt: skip
