"""What can go wrong, in words a user can act on.

Every error the package raises on purpose is an `EmsegError`. Its message is one line that names the file or option and
the remedy; `exit_code` is what the command line ends with.

A message names an option through `option`: a Python caller reads `missing='drop'`, the command line shows
`--missing drop`.
"""

from __future__ import annotations

import os
import re

_OPEN, _CLOSE = "\ue000", "\ue001"  # private characters, which `shown` escapes, so that no file name holds them
_MARKED = f"{_OPEN}([a-z_]+)(?:=([^{_CLOSE}]*))?{_CLOSE}"
#: Options that the command line spells otherwise than Python, with hyphens.
_SPELLED = {"k": "-k", "output": "-o", "as_json": "--json"}


def shown(path: str | bytes | os.PathLike[str]) -> str:
    """Spell a file name on one printable line: line breaks, control characters and undecodable bytes are escaped."""
    text = path if type(path) is str else os.fsdecode(path)  # most names, a million of them in a dry run
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def option(name: str, value: object = None) -> str:
    """An option, with the value that is meant, as a part of an error's message.

    Parameters
    ----------
    name : str
        The keyword of the Python function: ``"missing"``.
    value : str, int, float or bool, optional
        What to set it to; without it, the message names the option alone.
    """
    return f"{_OPEN}{name}{_CLOSE}" if value is None else f"{_OPEN}{name}={value!r}{_CLOSE}"


def for_python(message: str) -> str:
    """The message with its options as keywords of a Python function: `missing='drop'`."""
    return re.sub(_MARKED, lambda found: found[1] if found[2] is None else f"{found[1]}={found[2]}", message)


def for_command_line(message: str) -> str:
    """The message with its options as a shell takes them: `--missing drop`."""
    if _OPEN not in message:
        return message
    from ast import literal_eval  # most runs end without a message

    def flag(found: re.Match[str]) -> str:
        name = _SPELLED.get(found[1], "--" + found[1].replace("_", "-"))
        value = True if found[2] is None else literal_eval(found[2])
        if value is True:
            return name
        return f"--no-{name[2:]}" if value is False else f"{name} {value}"

    return re.sub(_MARKED, flag, message)


def options_named(message: str) -> set[str]:
    """Python names of the options that a message names by `option`."""
    return {found[1] for found in re.finditer(_MARKED, message)}


class EmsegError(Exception):
    """Base of all errors meant for the user: one line, with the remedy.

    Parameters
    ----------
    message : str
        Options in it come from `option`; `str(error)` spells them for Python, `for_command_line` for a shell.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return for_python(self.message)


class UsageError(EmsegError):
    """What was asked for is not possible on any input (exit code 2)."""

    exit_code = 2


class ImageError(EmsegError):
    """A file is missing, is no image, is damaged, or is of a kind that emseg does not read."""


class DataError(EmsegError):
    """The image was read, but its pixels cannot carry the fit that was asked for."""


class OutputError(EmsegError):
    """A result cannot be written, or would replace a file that emseg did not write."""
