"""What can go wrong, in words a user can act on.

Every error the package raises on purpose is an `EmsegError`. Its message is one line that names the file or option and
the remedy; `exit_code` is what the command line ends with.
"""

from __future__ import annotations

import os


def shown(path: str | bytes | os.PathLike[str]) -> str:
    """Spell a file name on one printable line: line breaks, control characters and undecodable bytes are escaped."""
    text = os.fsdecode(path)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class EmsegError(Exception):
    """Base of all errors meant for the user: one line, with the remedy."""

    exit_code = 1


class UsageError(EmsegError):
    """What was asked for is not possible on any input (exit code 2)."""

    exit_code = 2


class ImageError(EmsegError):
    """A file is missing, is no image, is damaged, or is of a kind that emseg does not read."""


class DataError(EmsegError):
    """The image was read, but its pixels cannot carry the fit that was asked for."""


class OutputError(EmsegError):
    """A result cannot be written, or would replace a file that emseg did not write."""
