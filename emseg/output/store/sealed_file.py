"""JSON files that no report lists, because they belong to several: they end with the hash of what stands before.

So emseg knows its own files, and replaces them; others it does not.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from os.path import dirname, isdir, isfile, lexists

from emseg.errors import OutputError, option, shown
from emseg.output.store.files import OVERWRITE, write_failure
from emseg.output.store.staging import StagedFiles, remove_abandoned
from emseg.version import __version__

HEX = 64  # digits of a SHA-256
BLOCK = 1 << 20  # bytes that are read at a time
LONGEST_SEAL = 512  # bytes: more than the seal of any version has


def write_sealed(path: str, members: Iterable[bytes], overwrite: bool = False) -> None:
    """Write a JSON object, whole or not at all.

    Parameters
    ----------
    path : str
    members : iterable of bytes
        The members of the object, in pieces, with commas between them. `info` is added.
    overwrite : bool
        Replace what emseg did not write.

    Raises
    ------
    OutputError
        If the file cannot be written, or is not emseg's to replace.
    """
    check_sealed(path, overwrite)
    try:
        os.makedirs(dirname(path) or ".", exist_ok=True)
        remove_abandoned(path, 1)
        with StagedFiles(path) as staged:
            staged.write_parts(path, _sealed(members))
            check_sealed(path, overwrite)  # it may have appeared in the meantime
            staged.publish(path, free=() if overwrite or lexists(path) else (path,))
    except OSError as error:
        raise write_failure(path, error) from error


def check_sealed(path: str, overwrite: bool = False) -> None:
    """Raise OutputError unless a path is free, or holds a file that emseg wrote, or may be overwritten."""
    if lexists(path) and not isfile(path):
        kind = "a folder" if isdir(path) else "no ordinary file"
        raise OutputError(f"{shown(path)}: is {kind}; choose another output folder ({option('output')})")
    if not overwrite and isfile(path) and not is_sealed(path):
        raise OutputError(f"{shown(path)}: not written by emseg, or changed since; {OVERWRITE}")


def _sealed(members: Iterable[bytes]) -> Iterator[bytes]:
    hashed = hashlib.sha256(b"{")
    yield b"{"
    for part in members:
        hashed.update(part)
        yield part
    yield _seal(hashed.hexdigest())


def _seal(digest: str) -> bytes:
    info = f',"info":{{"description":"made by emseg","version":"{__version__}","sha256":"{digest}"}}}}\n'
    return info.encode()


def is_sealed(path: str) -> bool:
    """Whether emseg wrote a file, of whatever version, and nobody has changed it since."""
    closing = b'"}}\n'
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LONGEST_SEAL))
            tail = file.read()
            begin = tail.rfind(b',"info":{"description":"made by emseg",')
            digest = tail[-len(closing) - HEX : -len(closing)]
            if begin < 0 or not tail.endswith(closing):
                return False
            left = size - len(tail) + begin
            hashed = hashlib.sha256()
            file.seek(0)
            while left > 0:
                block = file.read(min(BLOCK, left))
                if not block:
                    return False
                hashed.update(block)
                left -= len(block)
            return hashed.hexdigest().encode() == digest
    except OSError:
        return False
