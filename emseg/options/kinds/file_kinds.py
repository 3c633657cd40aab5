"""Kinds of option values that say which inputs are read and where results go. Imports nothing heavy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from emseg.options.kinds.basic_kinds import Kind, Whole

STDIO = "-"


class Folder(Kind):
    """A folder for results, which may not exist yet; "-" is standard output."""

    metavar = "DIR"

    def parse(self, text: str) -> str:
        """The text, unless it is a file's path."""
        if os.path.isfile(text):
            raise ValueError(f"{text!r} is a file; name a folder")
        return text


class ExistingFolder(Kind):
    """A folder to read from."""

    metavar = "DIR"

    def parse(self, text: str) -> str:
        """The text, if there is such a folder."""
        if not os.path.isdir(text):
            raise ValueError(f"{text!r} is no folder")
        return text


class InputFile(Kind):
    """A file to read; `words` are accepted, too."""

    metavar = "FILE"

    def __init__(self, words: tuple[str, ...] = (), metavar: str = "") -> None:
        super().__init__(metavar)
        self.words = words

    def parse(self, text: str) -> str:
        """The text, if there is such a file; pipes are files, too."""
        if text not in self.words and (os.path.isdir(text) or not os.path.exists(text)):
            more = "".join(f", or {word}" for word in self.words)
            raise ValueError(f"{text!r} is no file; give the path of one{more}")
        return text


class Page(Kind):
    """The number of a page, from 1, or all of them."""

    wanted = "a whole number of 1 or more"
    stored = "int | str"
    given = "int"
    metavar = "N|all"
    words = ("all",)

    def parse(self, text: str) -> int | str:
        """A number from 1, or "all"."""
        if text == "all":
            return text
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
            raise ValueError(f"{text!r} is no page; give a whole number of 1 or more, or all")
        return int(text)

    def check(self, value: Any, name: str = "") -> int | str:
        """A number from 1."""
        return Whole(1).check(value)


class Axes(Kind):
    """A letter for each axis of an array."""

    wanted = "a letter for each axis, Y and X among them, as 'CYX'"
    metavar = "AXES"

    def parse(self, text: str) -> str:
        """The letters."""
        try:
            return self.check(text)
        except ValueError:
            raise ValueError(f"{text!r} names no axes; give {self.wanted.replace(chr(39), '')}") from None

    def check(self, value: Any, name: str = "") -> str:
        """The letters, as capitals; empty for none."""
        text = str(super().check(value)).upper()
        if text and not (text.isascii() and text.isalpha() and len(set(text)) == len(text) and {*"YX"} <= {*text}):
            raise ValueError
        return text


class Channels(Kind):
    """Numbers of channels, from 1, or their names."""

    wanted = "numbers of channels from 1, or their names"
    stored = "tuple[int | str, ...]"
    given = "int | str | Sequence[int | str]"
    metavar = "N,N"

    def parse(self, text: str) -> tuple[int | str, ...]:
        """Numbers and names between commas."""
        return self.check(text)

    def check(self, value: Any, name: str = "") -> tuple[int | str, ...]:
        """Numbers as int, names as they are."""
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",")] if value else ()
        if not isinstance(value, Iterable):
            value = [value]
        found = tuple(part if isinstance(part, str) else Whole(1).check(part) for part in value)
        if not all(found):
            raise ValueError
        return found


class Amount(Kind):
    """A number of pixels or bytes, as 500M or 8G."""

    stored = "int | None"

    def parse(self, text: str) -> int | None:
        """The number; the prefixes are powers of 1000."""
        if not text:
            return None
        found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)([kKMGT]?)B?", text, re.ASCII)
        amount = int(float(found[1]) * 1000 ** "_KMGT".index(found[2].upper() or "_")) if found else 0
        if amount < 1:
            raise ValueError(f"{text!r} is no amount; give a number, as 500M or 8G")
        return amount

    def check(self, value: Any, name: str = "") -> int | None:
        """As it is."""
        return value  # type: ignore[no-any-return]


class Shard(Kind):
    """One of n equal parts, as 1/2."""

    stored = "tuple[int, int] | None"
    metavar = "i/n"

    def parse(self, text: str) -> tuple[int, int] | None:
        """The number of the part, from 1, and how many there are."""
        if not text:
            return None
        part, slash, parts = text.partition("/")
        if not (slash and all(number.isascii() and number.isdigit() for number in (part, parts))):
            raise ValueError(f"{text!r} is not of the form i/n, as 1/2")
        if not 1 <= int(part) <= int(parts):
            raise ValueError(f"{text!r} is no part; give 1/{parts} to {parts}/{parts}")
        return int(part), int(parts)

    def check(self, value: Any, name: str = "") -> tuple[int, int] | None:
        """As it is."""
        return value  # type: ignore[no-any-return]
