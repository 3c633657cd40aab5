"""How files are written: whole or not at all, the report last, and never over a file that emseg did not write.

Everything is first written under hidden names (`emseg.output.store.hidden`). Then, with signals held back,
`.photo.claims` records the hashes of the old files and of the new, the old report goes, the files are renamed one by
one, and last the report. So a report that is there describes the files that are there; and wherever a crash falls,
the next run knows its own files, old or new. All it can leave is that hidden record and, if the process was killed,
hidden `.tmp` files, which the next run of the same input removes. The record stays for as long as there are files of
an earlier run that the report no longer lists.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from os.path import basename, dirname, isdir, isfile, join, lexists
from typing import Any

from emseg.errors import OutputError, shown
from emseg.output.store.hidden import Hidden, alone, sweep
from emseg.output.store.interrupts import held
from emseg.strict_json import report_json

LARGEST_REPORT = 1 << 28  # bytes; whatever is larger is no report of ours
SHA256 = 64  # hexadecimal digits


def check(paths: Iterable[str], report: str, overwrite: bool = False) -> None:
    """Raise OutputError unless every target is free, or was written by emseg, or may be overwritten."""
    with alone(dirname(report) or "."):  # not while another process is between two renames
        _check(paths, report, overwrite)


def _check(paths: Iterable[str], report: str, overwrite: bool) -> None:
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
        if path != report and (basename(path), digest(path)) not in own:
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
        sweep(report, len(files))
        with Hidden(report) as hidden:
            hashes = {}
            for path, content in files.items():
                data = content()
                hashes[basename(path)] = hashlib.sha256(data).hexdigest()
                hidden.write(path, data)
            written = {**facts, "outputs": hashes}
            hidden.write(report, report_json(written))
            with held(), alone(folder):
                earlier = _hashes(report) | _hashes(claims)
                hidden.write(claims, _record(earlier | set(hashes.items())))
                hidden.show(claims)
                with suppress(FileNotFoundError):
                    os.remove(report)
                hidden.show(*files)
                hidden.show(report)
                _settle(hidden, claims, earlier, set(hashes))
    except OSError as error:
        raise _failure(error.filename2 or folder, error) from error
    return written


def finished(report: str, sha256: str, recipe: str) -> dict[str, Any] | None:
    """The report of an earlier run if it stands for the same input and recipe, and all its files are as written.

    What a killed process may have left beside them is tidied up.
    """
    facts: dict[str, Any] = _facts(report)
    match facts:
        case {"recipe": done, "input": {"sha256": source}, "outputs": dict() as outputs}:
            pass
        case _:
            return None
    if not sha256 or (done, source) != (recipe, sha256) or any(basename(name) != name for name in outputs):
        return None
    if any(digest(join(dirname(report), name)) != sha for name, sha in outputs.items()):
        return None
    sweep(report, len(outputs))
    claims = _claims(report)
    if lexists(claims):
        with suppress(OSError), Hidden(report) as hidden, held(), alone(dirname(report) or "."):
            _settle(hidden, claims, _hashes(claims), set(outputs))
    return facts


def _settle(hidden: Hidden, claims: str, earlier: set[tuple[str, str]], listed: set[str]) -> None:
    """Keep the record of claims for the files of earlier runs that the report does not list, if there are any."""
    folder = dirname(claims)
    left = {(name, digest) for name, digest in earlier if name not in listed and lexists(join(folder, name))}
    if left:
        hidden.write(claims, _record(left))
        hidden.show(claims)
    else:
        os.remove(claims)


def _failure(where: str, error: OSError) -> OutputError:
    remedy = "check space and permissions, or choose another folder (-o)"
    if error.errno == errno.ENAMETOOLONG:
        remedy = "shorten the names (--name)"
    return OutputError(f"{shown(where)}: cannot be written ({error.strerror or error}); {remedy}")


def _claims(report: str) -> str:
    return join(dirname(report), f".{basename(report).removesuffix('.json')}.claims")


def _record(claims: set[tuple[str, str]]) -> bytes:
    """File names and hashes in the form that `_hashes` reads; a name may have several."""
    return report_json({"version": 1, "outputs": sorted(claims)})


def _facts(path: str) -> Any:
    """What a report or a record of claims holds; None if there is none that can be read."""
    try:
        if not isfile(path) or os.path.getsize(path) > LARGEST_REPORT:
            return None
        with open(path, "rb") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return None


def _hashes(report: str) -> set[tuple[str, str]]:
    """File names and hashes that a report or a record of claims lists; empty if it is none of ours."""
    try:
        facts = _facts(report)
        outputs = facts["outputs"]
        pairs = outputs.items() if isinstance(outputs, dict) else outputs
        return {(name, digest) for name, digest in pairs if facts["version"] and len(digest) == SHA256}
    except (ValueError, KeyError, TypeError):
        return set()


def digest(path: str) -> str:
    """SHA-256 of a regular file's content, in hexadecimal; empty if it cannot be read."""
    if not isfile(path):  # a pipe or a device might never end
        return ""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
