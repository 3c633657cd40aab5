"""Kinds of option values: how each is spelled in a shell, typed in Python, and checked. Imports nothing heavy.

Plain classes, because the command line makes all of them each time it starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

LONGEST = 4300  # digits from which on Python's `int` refuses a text


class Kind:
    """What an option takes.

    Attributes
    ----------
    wanted : str
        What to give, in words that complete "it must be …".
    stored : str
        Python type of the value that emseg works with.
    given : str
        Python type that a caller may pass.
    metavar : str
        What the help text shows in the value's place.
    names : tuple of str
        What it offers by name; empty if it takes other values.
    meaning : mapping of str to str
        What each of the names is; empty if they speak for themselves.
    words : sequence of str
        What it takes by name beside other values, such as "auto" instead of a number.
    """

    wanted = ""
    stored = "str"
    given = ""
    metavar = "TEXT"
    names: tuple[str, ...] = ()
    meaning: Mapping[str, str] = {}
    words: Sequence[str] = ()

    def __init__(self, metavar: str = "") -> None:
        self.metavar = metavar or self.metavar
        self.given = self.given or self.stored

    def parse(self, text: str) -> Any:
        """The value that a text on the command line stands for; raise ValueError if there is none."""
        return self.check(text)

    def check(self, value: Any, name: str = "") -> Any:
        """The value as it is stored, of one that a Python caller passes as `name`; raise ValueError if it is wrong."""
        if not isinstance(value, str):
            raise ValueError
        return value


class Flag(Kind):
    """True or False."""

    wanted = "True or False"
    stored = "bool"

    def check(self, value: Any, name: str = "") -> bool:
        """A bool, and nothing that merely counts as one."""
        if not isinstance(value, bool):
            raise ValueError
        return value


class Whole(Kind):
    """A whole number."""

    stored = "int"
    metavar = "N"

    def __init__(self, least: int | None = 0, metavar: str = "") -> None:
        super().__init__(metavar)
        self.least = least
        self.wanted = "a whole number" if least is None else f"a whole number of {least} or more"

    def parse(self, text: str) -> int:
        """Decimal digits, and a sign."""
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < LONGEST):
            raise ValueError
        return self.check(int(text))

    def check(self, value: Any, name: str = "") -> int:
        """An int, of whatever integer type."""
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise ValueError
        if self.least is not None and int(value) < self.least:
            raise ValueError
        return int(value)


class Number(Kind):
    """A finite number, or one of some words instead."""

    metavar = "X"

    def __init__(
        self,
        wanted: str,
        words: Sequence[str] = (),
        inside: Callable[[float], bool] = math.isfinite,
        whole: bool = False,
        metavar: str = "",
    ) -> None:
        number = "int" if whole else "float"
        self.stored = f"{number} | str" if words else number
        super().__init__(metavar)
        self.words, self.inside, self.whole = words, inside, whole
        *first, last = [wanted, *map(repr, words)]
        self.wanted = f"{', '.join(first)}{',' * (len(first) == 1)} or {last}" if first else last

    def parse(self, text: str) -> float | str:
        """A word, or a number as Python spells it."""
        if text in self.words:
            return text
        try:
            if not text.isascii() or "_" in text:
                raise ValueError
            return self.check(int(text) if self.whole and len(text) < LONGEST else float(text))
        except ValueError:
            raise ValueError from None  # without Python's words, which say nothing of what is wanted

    def check(self, value: Any, name: str = "") -> float | str:
        """A number that lies inside, or a word."""
        if isinstance(value, str) and value in self.words:
            return value
        wide: Any = Integral if self.whole else Real
        if not isinstance(value, wide) or isinstance(value, bool):
            raise ValueError
        number: float = int(value) if self.whole else float(value)
        if not (self.inside(number) and (self.whole or math.isfinite(number))):
            raise ValueError
        return number


class Choice(Kind):
    """One of several names; a mapping says what each of them is."""

    def __init__(self, names: Iterable[str], metavar: str = "", given: str = "str") -> None:
        self.given = given
        super().__init__(metavar or " ")
        self.names = tuple(names)
        self.meaning = names if isinstance(names, Mapping) else {}
        self.wanted = f"one of {', '.join(filter(None, self.names))}"

    def check(self, value: Any, name: str = "") -> str:
        """One of the names; a number counts as its decimal digits."""
        text = str(value) if self.given != "str" and isinstance(value, Integral) else value
        if not isinstance(text, str) or text not in self.names:
            raise ValueError
        return text


class Optional(Kind):
    """Nothing, or what another kind takes."""

    def __init__(self, inner: Kind) -> None:
        self.inner, self.wanted, self.stored = inner, inner.wanted, f"{inner.stored} | None"
        self.given = f"{inner.given} | None"
        super().__init__(inner.metavar)

    def parse(self, text: str) -> Any:
        """As the other kind does."""
        return self.inner.parse(text)

    def check(self, value: Any, name: str = "") -> Any:
        """None, or as the other kind does."""
        return None if value is None else self.inner.check(value, name)


class Names(Kind):
    """Several names, each at most once, in the order given or that of the list."""

    stored = "tuple[str, ...]"
    given = "str | Sequence[str]"

    def __init__(self, names: Iterable[str], word: str = "NAME", more: Iterable[str] = (), sort: bool = False) -> None:
        super().__init__(f"{word}[,{word}]")
        self.names, self.sort = (*names, *more), sort
        if isinstance(names, Mapping) and isinstance(more, Mapping):
            self.meaning = {**names, **more}
        self.wanted = f"some of {', '.join(self.names)}"

    def parse(self, text: str) -> tuple[str, ...]:
        """The names between commas."""
        found = [part.strip() for part in text.split(",")] if text else []
        for name in found:
            if name not in self.names:
                raise ValueError(f"{name!r} is none of {', '.join(self.names)}")
        return self.check(found)

    def check(self, value: Any, name: str = "") -> tuple[str, ...]:
        """The names, without repetition."""
        if isinstance(value, str):  # as the command line spells several
            return self.parse(value)
        if not isinstance(value, Iterable):
            raise ValueError
        found = tuple(dict.fromkeys(value))
        if not all(name in self.names for name in found):
            raise ValueError
        return tuple(sorted(found, key=self.names.index)) if self.sort else found


def not_negative(number: float) -> bool:
    """Whether a number is 0 or more."""
    return number >= 0


def field_strength(number: float) -> bool:
    """Whether a number is 0 to 1e6; from 100 on all hold labels together alike, and 1e38 is beyond single precision."""
    return 0 <= number <= 1e6


def positive(number: float) -> bool:
    """Whether a number is above 0."""
    return number > 0


def below_one(number: float) -> bool:
    """Whether a number is from 0 to below 1."""
    return 0 <= number < 1


def inside_one(number: float) -> bool:
    """Whether a number lies between 0 and 1."""
    return 0 < number < 1
