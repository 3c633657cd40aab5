"""Kinds of option values that are texts with a meaning: ranges, limits, features, paths. Imports nothing heavy."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from emseg.errors import ImageError, UsageError, option, shown
from emseg.features.registry import FEATURES
from emseg.options.kinds.basic_kinds import LONGEST, Kind
from emseg.options.kinds.in_memory import InMemory, can_stand_for_a_file, is_model
from emseg.options.kinds.limits_text import LIMITS, as_limits, is_limits

AUTO = (1, 9)  # the range of components that k="auto" stands for


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


#: What may be said instead of classes, and what it means.
WORDS = {
    "default": "auto where objects are split, else all",
    "auto": "the dark or the bright ones, whichever outline is convex",
    "dark": "",
    "bright": "",
    "all": "every class has regions",
}
Groups = tuple[tuple[int, ...], ...]


def class_groups(text: str) -> Groups:
    """The classes that ``"2,3+4"`` names: objects of class 2, and objects of classes 3 and 4 together.

    Raises
    ------
    ValueError
        If it is no such text, or names a class twice.
    """
    names = [[name.strip() for name in part.split("+")] for part in text.split(",")]
    if not all(name.isascii() and name.isdigit() and len(name) < LONGEST for part in names for name in part):
        raise ValueError
    groups = tuple(tuple(int(name) for name in part) for part in names)
    named = [label for group in groups for label in group]
    if min(named) < 1 or len(set(named)) < len(named):
        raise ValueError
    return groups


def groups_named(text: str) -> Groups:
    """The classes that a text names; none where it is a word."""
    return () if text in WORDS else class_groups(text)


class Components(Kind):
    """A number of components, or a range to choose from."""

    wanted = "a whole number of 1 or more, a range LO:HI as '2:9', or 'auto'"
    stored = "int | str"
    metavar = "K"
    words = ("auto",)

    def parse(self, text: str) -> int | str:
        """Digits are a number; all else is a range."""
        return self.check(int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST else text)

    def check(self, value: Any, name: str = "") -> int | str:
        """An int, or the text of a range."""
        if isinstance(value, bool) or not isinstance(value, Integral | str):
            raise ValueError
        if isinstance(value, str) and value.isdigit():
            raise ValueError
        found = value if isinstance(value, str) else int(value)
        k_range(found)
        return found


class Limits(Kind):
    """A lower and an upper limit, as a text or a pair."""

    wanted = LIMITS
    given = "str | Sequence[float]"
    metavar = "LO,HI"

    def check(self, value: Any, name: str = "") -> str:
        """The limits as a text; empty for none."""
        if not isinstance(value, str | Sequence) or not is_limits(value):
            raise ValueError
        return as_limits(value)


class Box(Kind):
    """A rectangle in pixels, as a text or four numbers."""

    wanted = "a rectangle X,Y,W,H in whole pixels, as '20,10,300,200'"
    given = "str | Sequence[int]"
    metavar = "X,Y,W,H"

    def check(self, value: Any, name: str = "") -> str:
        """The rectangle as a text; empty for none."""
        if isinstance(value, str) and not value:
            return ""
        try:
            parts = value.split(",") if isinstance(value, str) else [operator.index(part) for part in value]
            left, top, width, height = map(int, parts)
        except ValueError:
            raise ValueError from None  # what it must be says more than what Python found
        if min(left, top) < 0 or min(width, height) < 1:
            raise ValueError
        return f"{left},{top},{width},{height}"


class Features(Kind):
    """Names of features with weights."""

    wanted = "a name or several, as 'lab,xy:0.5'"
    metavar = "SPEC"
    words = ("auto", *FEATURES)

    def check(self, value: Any, name: str = "") -> str:
        """The text, if it can be read.

        Raises
        ------
        UsageError
            Saying what is wrong with the text.
        """
        from emseg.features.specification import parse_spec

        parse_spec(super().check(value))
        return str(value)


class Path(Kind):
    """The path of a file that exists, or in Python an array; empty for none, or one of some words instead.

    With `models`, Python callers may give a model, too.
    """

    metavar = "FILE"

    def __init__(self, words: Sequence[str] = (), metavar: str = "", models: bool = False) -> None:
        self.given = "str | os.PathLike[str] | ArrayLike" + " | Model" * models
        super().__init__(metavar or "|".join((*words, self.metavar)))
        self.words, self.models = words, models
        first = f"one of {', '.join(words)}, " if words else ""
        self.wanted = f"{first}a path{', a model' * models} or an array"

    def parse(self, text: str) -> str:
        """The text, if it is a word or a file's path."""
        if text and text not in self.words and not os.path.isfile(text):
            raise ValueError(f"{text!r} is neither a file nor one of {', '.join(self.words)}" if self.words else
                             f"{text!r} is no file")  # fmt: skip
        return text

    def check(self, value: Any, name: str = "") -> str:
        """The path as a text, or one that stands for an array or a model.

        Raises
        ------
        UsageError, ImageError
            If there is no such file: the former if it might have been one of the words.
        """
        if isinstance(value, InMemory):
            return value
        if can_stand_for_a_file(value) and (self.models or not is_model(value)):
            return InMemory(value)
        if not isinstance(value, str | os.PathLike):
            raise ValueError
        path = os.fsdecode(value)
        if path and path not in self.words and not os.path.isfile(path):
            if self.words:
                raise UsageError(f"{option(name, shown(path))}: is no file; give {', '.join(self.words)} or a file")
            raise ImageError(f"{option(name, shown(path))}: is no file; check the path")
        return path


class Settings(Kind):
    """Settings of an algorithm by name; on the command line the option is repeated, once a setting."""

    wanted = "a mapping of names to values"
    stored = "Mapping[str, str]"
    metavar = "NAME=VALUE"

    def parse(self, text: str) -> tuple[str, str]:
        """One setting."""
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not of the form NAME=VALUE")
        return name.strip(), value.strip()

    def check(self, value: Any, name: str = "") -> dict[str, str]:
        """A dict of its own."""
        if not isinstance(value, Mapping):
            raise ValueError
        return dict(value)


class ClassGroups(Kind):
    """Classes by their numbers, or a word."""

    wanted = f"classes by their labels, as '2' or '2+3,4', or one of {', '.join(WORDS)}"
    metavar = "auto|dark|bright|all|LABELS"
    given = "str | int"

    def check(self, value: Any, name: str = "") -> str:
        """The text without spaces; a number counts as its digits."""
        text = str(value) if isinstance(value, Integral) and not isinstance(value, bool) else value
        if not isinstance(text, str):
            raise ValueError
        if text in WORDS:
            return text
        return ",".join("+".join(map(str, group)) for group in class_groups(text))
