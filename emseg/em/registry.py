"""Every algorithm by its name on the command line: the one list that options, documentation and tests read.

Importing this module imports no numpy; `algorithm` loads what it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from emseg.errors import UsageError

if TYPE_CHECKING:
    from emseg.em.base import Algorithm


@dataclass(frozen=True)
class Entry:
    """Where an algorithm lives and what it is, in one line."""

    module: str
    name: str
    summary: str


ALGORITHMS: dict[str, Entry] = {
    "em": Entry("emseg.em.em", "EM", "classic EM (Dempster, Laird & Rubin 1977)"),
    "anderson": Entry("emseg.em.anderson", "Anderson", "EM with Anderson acceleration (Henderson & Varadhan 2019)"),
    "squarem": Entry("emseg.em.squarem", "Squarem", "EM with squared extrapolation (Varadhan & Roland 2008)"),
}


def algorithm(name: str) -> Algorithm:
    """The algorithm of that name with its default settings.

    Raises
    ------
    UsageError
        If there is none.
    """
    try:
        entry = ALGORITHMS[name]
    except KeyError:
        raise UsageError(f"unknown algorithm {name!r}: choose one of {', '.join(ALGORITHMS)}") from None
    return getattr(import_module(entry.module), entry.name)()  # type: ignore[no-any-return]
