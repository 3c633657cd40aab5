"""What a shell offers for a word that is being typed: names where there are some, else files or folders.

click prints the scripts for bash, zsh and fish, and asks here. A file is left to the shell itself, which knows how to
quote it.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import listdir
from os.path import split
from typing import TYPE_CHECKING

from emseg.options.kinds.basic_kinds import Kind, Names, Optional
from emseg.options.kinds.file_kinds import ExistingFolder, Folder, InputFile
from emseg.options.kinds.text_kinds import Features, Path

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem  # most runs complete nothing


def offered(kind: Kind, incomplete: str) -> list[CompletionItem]:
    """What a kind of option offers for the beginning of a value."""
    inner = kind.inner if isinstance(kind, Optional) else kind
    if isinstance(inner, Folder | ExistingFolder):
        return [by_shell("dir", incomplete)]
    if isinstance(inner, Path | InputFile):
        # A bash that is given words shows no files, so words are for where no file begins like that.
        words = () if _is_begun_file(incomplete) else inner.words
        return [by_shell("file", incomplete), *starting(words, incomplete)]
    words = (*inner.names, *inner.words)
    if isinstance(inner, Names | Features):  # several, with commas between them
        begun, comma, _ = incomplete.rpartition(",")
        words = tuple(begun + comma + word for word in words if word not in begun.split(","))
    return starting(words, incomplete)


def _is_begun_file(beginning: str) -> bool:
    """Whether there is a file whose path begins like that."""
    folder, name = split(beginning)
    try:
        return any(entry.startswith(name) for entry in listdir(folder or "."))
    except OSError:
        return False


def by_shell(kind: str, incomplete: str) -> CompletionItem:
    """What the shell itself completes: a "file" or a "dir"."""
    from click.shell_completion import CompletionItem

    return CompletionItem(incomplete, type=kind)


def starting(words: Iterable[str], beginning: str) -> list[CompletionItem]:
    """The words that begin like that."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(word) for word in words if word and word.startswith(beginning)]
