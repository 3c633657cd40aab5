"""What the standard streams can show: characters, colours, a line that moves, and how wide it may be."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

#: How characters of our own are spelled where a stream's encoding lacks them.
SPELLED = dict.fromkeys("▏▎▍▌▋▊▉", "-") | {
    "→": "->", "×": "x", "…": "...", "█": "#", "−": "-", "–": "-", "·": "*", "½": "1/2", "≤": "<=", "≥": ">=",
    "±": "+-", "²": "^2", "³": "^3", "√": "sqrt ", "∝": "~", "µ": "u", "°": " deg", "ᵢ": "_i", "ⱼ": "_j",
}  # fmt: skip
HANDLER = "emseg"
#: Values of TERM for terminals that know no escape sequences.
PLAIN = ("dumb", "unknown")
FALLBACK = 80  # columns


def prepare_streams() -> None:
    """From now on, standard output and error can take any text: what they have no character for is spelled out."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # a stream that somebody has put in its place
            stream.reconfigure(errors=HANDLER)  # type: ignore[union-attr]


def spelled(text: str, stream: TextIO) -> str:
    """The text with all that the stream's encoding lacks spelled in characters that it has."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, HANDLER).decode(encoding)
    except (LookupError, UnicodeError):
        return text.encode("ascii", HANDLER).decode("ascii")


def in_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours, and its user wants them: see https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and not plain()


def moving(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which a line can be written over."""
    return stream.isatty() and not plain()


def columns() -> int:
    """How many characters a line of standard error holds; COLUMNS decides where it is set."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told[:6]) > 0:
        return int(told[:6])
    with suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(sys.stderr.fileno()).columns or FALLBACK
    return FALLBACK


def plain() -> bool:
    """Whether the terminal knows no escape sequences, and is none on which a line can be written over."""
    return os.environ.get("TERM", "").lower() in PLAIN


def _spell(error: UnicodeError) -> tuple[str | bytes, int]:
    """Spell the characters that an encoding lacks: ours by `SPELLED`, Greek letters by name, all else by number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spelled, error.object[error.start : error.end])), error.end


def _spelled(character: str) -> str:
    if character in SPELLED:
        return SPELLED[character]
    import unicodedata  # most runs need no name

    kind, _, name = unicodedata.name(character, "").rpartition(" ")
    if kind in ("GREEK SMALL LETTER", "GREEK CAPITAL LETTER"):
        return name.lower() if "SMALL" in kind else name.capitalize()
    return character.encode("ascii", "backslashreplace").decode("ascii")


handler: Any = _spell
codecs.register_error(HANDLER, handler)
