"""How files are written: whole or not at all, the report last, and never over a file that emseg did not write.

Everything is first written under hidden names. Then `.photo.claims` records the hashes of the old files and of the
new, the old report goes, the files are renamed one by one, and last the report. So a report that is there describes
the files that are there; and wherever a crash falls, the next run knows its own files, old or new. All it can leave is
that hidden record and, if the process was killed, hidden `.tmp` files. The record stays for as long as there are files
of an earlier run that the report no longer lists.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from os.path import basename, dirname, isdir, isfile, join, lexists
from typing import Any

from emseg.errors import OutputError
from emseg.image.read import shown
from emseg.output.report import report_json

LARGEST_REPORT = 1 << 28  # bytes; whatever is larger is no report of ours
SHA256 = 64  # hexadecimal digits


def check(paths: Iterable[str], report: str, overwrite: bool = False) -> None:
    """Raise OutputError unless every target is free, or was written by emseg, or may be overwritten."""
    listed = _hashes(report)
    own = listed | _hashes(_claims(report))
    for path in (*paths, report):
        try:
            os.lstat(path)
        except FileNotFoundError:
            continue
        except OSError as error:  # a name that is too long, a folder that is a file
            raise _failure(path, error) from error
        if not isfile(path):
            kind = "a folder" if isdir(path) else "no ordinary file"
            raise OutputError(f"{shown(path)}: is {kind}; choose another output folder (-o)")
        if overwrite:
            continue
        if path != report and (basename(path), _sha256(path)) not in own:
            raise OutputError(f"{shown(path)}: not written by emseg, or changed since; give --overwrite to replace it")
        if path == report and not listed:
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
    folder, claims = dirname(report) or ".", _claims(report)
    try:
        os.makedirs(folder, exist_ok=True)
        check(files, report, overwrite)
        with _Hidden(folder) as hidden:
            hashes = {}
            for path, content in files.items():
                data = content()
                hashes[basename(path)] = hashlib.sha256(data).hexdigest()
                hidden.write(path, data)
            written = {**facts, "outputs": hashes}
            hidden.write(report, report_json(written))
            earlier = _hashes(report) | _hashes(claims)
            hidden.write(claims, _record(earlier | set(hashes.items())))
            hidden.show(claims)
            with suppress(FileNotFoundError):
                os.remove(report)
            hidden.show(*files)
            hidden.show(report)
            left = {(name, digest) for name, digest in earlier if name not in hashes and lexists(join(folder, name))}
            if left:
                hidden.write(claims, _record(left))
                hidden.show(claims)
            else:
                os.remove(claims)
    except OSError as error:
        raise _failure(error.filename2 or folder, error) from error
    return written


class _Hidden:
    """Files of a folder under hidden names, until they are shown; those never shown are removed in the end."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.names: dict[str, str] = {}

    def __enter__(self) -> _Hidden:
        return self

    def __exit__(self, *failure: object) -> None:
        for name in self.names.values():
            with suppress(OSError):
                os.remove(name)

    def write(self, path: str, data: bytes) -> None:
        """Write what will be `path` and wait until it is on the disk; permissions follow the umask."""
        name = self.names[path] = join(self.folder, f".emseg-{os.urandom(8).hex()}.tmp")
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def show(self, *paths: str) -> None:
        """Give files their names, for good."""
        for path in paths:
            os.replace(self.names[path], path)
            del self.names[path]
        _sync(self.folder)


def _failure(where: str, error: OSError) -> OutputError:
    remedy = "check space and permissions, or choose another folder (-o)"
    return OutputError(f"{shown(where)}: cannot be written ({error.strerror or error}); {remedy}")


def _claims(report: str) -> str:
    return join(dirname(report), f".{basename(report).removesuffix('.json')}.claims")


def _record(claims: set[tuple[str, str]]) -> bytes:
    """File names and hashes in the form that `_hashes` reads; a name may have several."""
    return report_json({"version": 1, "outputs": sorted(claims)})


def _sync(folder: str) -> None:
    """Make the renaming itself durable, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _hashes(report: str) -> set[tuple[str, str]]:
    """File names and hashes that a report or a record of claims lists; empty if it is none of ours."""
    try:
        if not isfile(report) or os.path.getsize(report) > LARGEST_REPORT:
            return set()
        with open(report, "rb") as file:
            facts = json.load(file)
        outputs = facts["outputs"]
        pairs = outputs.items() if isinstance(outputs, dict) else outputs
        return {(name, digest) for name, digest in pairs if facts["version"] and len(digest) == SHA256}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _sha256(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
