"""How files are written: whole or not at all, the report last, and never over a file that emseg did not write.

All files are first written under hidden names beside their targets, the report as `.photo.json.part`: it names every
new file by its hash, so that after a crash the next run still knows its own. Then the old report is removed, the files
are renamed one by one, and last the report. So a report that is there describes the files that are there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from os.path import basename, dirname, isdir, join, lexists
from typing import Any

from emseg.errors import OutputError
from emseg.image.read import shown
from emseg.output.report import report_json

LARGEST_REPORT = 1 << 28  # bytes; whatever is larger is no report of ours


def check(paths: Iterable[str], report: str, overwrite: bool = False) -> None:
    """Raise OutputError unless every target is free, or was written by emseg, or may be overwritten."""
    own = [*_hashes(report), *_hashes(_part(report))]
    for path in (*paths, report):
        if isdir(path):
            raise OutputError(f"{shown(path)}: is a folder; choose another output folder (-o)")
        if not lexists(path) or overwrite:
            continue
        if path != report and (basename(path), _sha256(path)) not in own:
            raise OutputError(f"{shown(path)}: not written by emseg, or changed since; give --overwrite to replace it")
        if path == report and not own:
            raise OutputError(f"{shown(path)}: not a report of emseg; give --overwrite to replace it")


def write_all(
    files: Mapping[str, Callable[[], bytes]], report: str, facts: Mapping[str, Any], overwrite: bool = False
) -> dict[str, Any]:
    """Write files and their report.

    Parameters
    ----------
    files : mapping of path to function
        The functions make the contents, one at a time, so that only one is in memory.
    report : str
        Path of the report, in the same folder.
    facts : mapping
        Content of the report; `outputs`, the SHA-256 of every file by its name, is added.
    overwrite : bool
        Replace what emseg did not write.

    Returns
    -------
    dict
        The report as written.

    Raises
    ------
    OutputError
        If something cannot be written. What was there before is then untouched, unless the failure is in the moment of
        renaming; files are whole even then.
    """
    folder, part = dirname(report) or ".", _part(report)
    pending: dict[str, str] = {}
    renaming = False
    try:
        os.makedirs(folder, exist_ok=True)
        check(files, report, overwrite)
        hashes = {}
        for path, content in files.items():
            data = content()
            hashes[basename(path)] = hashlib.sha256(data).hexdigest()
            pending[path] = join(folder, f".{hashes[basename(path)][:16]}.{os.getpid()}.tmp")
            _write(pending[path], data)
        written = {**facts, "outputs": hashes}
        with suppress(FileNotFoundError):
            os.remove(part)
        _write(part, report_json(written))
        with suppress(FileNotFoundError):
            os.remove(report)
        renaming = True
        for path, hidden in pending.items():
            os.replace(hidden, path)
        os.replace(part, report)
        _sync(folder)
    except OSError as error:
        where = shown(error.filename2 or error.filename or folder)
        remedy = "check space and permissions, or choose another folder (-o)"
        raise OutputError(f"{where}: cannot be written ({error.strerror}); {remedy}") from error
    finally:
        for hidden in (*pending.values(), *(() if renaming else (part,))):
            with suppress(OSError):
                os.remove(hidden)
    return written


def _part(report: str) -> str:
    return join(dirname(report), f".{basename(report)}.part")


def _write(path: str, data: bytes) -> None:
    """Write a new file and wait until it is on the disk; permissions follow the umask."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: str) -> None:
    """Make the renaming itself durable, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _hashes(report: str) -> list[tuple[str, str]]:
    """File names and hashes that a report lists; empty if it is none of ours."""
    try:
        if os.path.getsize(report) > LARGEST_REPORT:
            return []
        with open(report, "rb") as file:
            facts = json.load(file)
        return [(str(name), str(digest)) for name, digest in facts["outputs"].items() if facts["version"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
