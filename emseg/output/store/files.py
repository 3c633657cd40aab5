"""How files are written: whole or not at all, the report last, and never over a file that emseg did not write.

1. Everything is written under temporary hidden names (`emseg.output.store.staging`).
2. A record of ownership, `.photo.claims`, receives the hashes of the old files and of the new ones.
3. The old report is removed, the files are renamed one by one, and last the report. Signals are held back meanwhile.
   Just before, the targets are checked once more. A file that stood for nothing then is linked, not renamed, so that
   what appears at the last moment is not replaced.

So a report that is there describes the files that are there. Wherever a crash falls, the next run knows its own files,
old or new. A crash can leave the record, and hidden `.tmp` files, which the next run of the same input removes. The
record stays for as long as there are files of an earlier run that the report no longer lists.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from os.path import basename, dirname, isdir, isfile, join, lexists, splitext
from typing import Any

from emseg.errors import OutputError, option, shown
from emseg.execution import steps
from emseg.output.store.interrupts import signals_held
from emseg.output.store.staging import StagedFiles, folder_lock, pinned, remove_abandoned
from emseg.strict_json import json_bytes

LARGEST_REPORT = 1 << 28  # bytes: a thousand times the report of 255 classes; whatever is larger is no report
HEX_DIGITS = 64  # of a SHA-256
OVERWRITE = f"give {option('overwrite', True)} to replace it"


def check_targets(paths: Iterable[str], report: str, overwrite: bool = False) -> None:
    """Check that every path is free, or was written by emseg, or may be overwritten.

    Raises
    ------
    OutputError
        If not, or if a path is no ordinary file.
    """
    with folder_lock(dirname(report) or "."):  # not while another process is between two renames
        _check_targets(paths, report, overwrite)


def _check_targets(paths: Iterable[str], report: str, overwrite: bool) -> set[str]:
    """Check as `check_targets` does; return the paths that stand for nothing."""
    free = set()
    listed = _listed(report)
    own = listed | _listed(_record_path(report))
    for path in (*paths, report):
        try:
            os.lstat(path)
        except FileNotFoundError:
            free.add(path)
            continue
        except OSError as error:  # a name that is too long, a folder that is a file
            raise write_failure(path, error) from error
        if not isfile(path):
            kind = "a folder" if isdir(path) else "no ordinary file"
            raise OutputError(f"{shown(path)}: is {kind}; choose another output folder ({option('output')})")
        if overwrite:
            continue
        if path != report and (_key(basename(path)), file_digest(path)) not in own:
            raise OutputError(f"{shown(path)}: not written by emseg, or changed since; {OVERWRITE}")
        if path == report and not listed:
            raise OutputError(f"{shown(path)}: not a report of emseg; {OVERWRITE}")
    return free


def write_all(
    files: Mapping[str, Callable[[], bytes]],
    report: str,
    facts: Mapping[str, Any],
    overwrite: bool = False,
    place: str = "",
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
    place : str
        Real path of the folder when the run was planned, if it is known; see `pinned`.

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
    folder = pin = dirname(report) or "."
    try:
        with pinned(folder, place) as pin:
            inside = {join(pin, basename(path)): content for path, content in files.items()}
            return _write_all(inside, join(pin, basename(report)), facts, overwrite)
    except OSError as error:
        raise write_failure((error.filename2 or folder).replace(pin, folder), error) from error


def _write_all(
    files: Mapping[str, Callable[[], bytes]], report: str, facts: Mapping[str, Any], overwrite: bool
) -> dict[str, Any]:
    """Write files and their report into a folder that is there."""
    record = _record_path(report)
    check_targets(files, report, overwrite)
    remove_abandoned(report, len(files))
    with StagedFiles(report) as staged:
        hashes = {}
        for path, content in files.items():
            steps.step(f"writing {shown(basename(path))}")
            data = content()
            hashes[basename(path)] = hashlib.sha256(data).hexdigest()
            staged.write(path, data)
        written = {**facts, "outputs": hashes}
        staged.write(report, json_bytes(written))
        with signals_held(), folder_lock(dirname(report)):
            free = _check_targets(files, report, overwrite)
            earlier = _listed(report) | _listed(record)
            staged.write(record, _record_bytes(earlier | {(_key(name), sha) for name, sha in hashes.items()}))
            staged.publish(record)
            with suppress(FileNotFoundError):
                os.remove(report)
            _publish(staged, files, report, free | {report}, overwrite)
            _trim_record(staged, record, earlier, set(map(_key, hashes)))
    return written


def _publish(staged: StagedFiles, files: Iterable[str], report: str, free: set[str], overwrite: bool) -> None:
    """Give files their names, and last the report; OutputError if a file of another's has appeared in its place."""
    while True:
        try:
            staged.publish(*files, report, free=() if overwrite else free)
            return
        except FileExistsError:
            record = _record_path(report)
            try:  # another run of emseg may have got there first, where the file system has no locks
                free = _check_targets(files, report, overwrite)
            except OutputError:
                staged.withdraw()
                folder, listed = dirname(report), _listed(record)
                there = {(name, sha) for name, sha in listed if file_digest(join(folder, name)) == sha}
                _trim_record(staged, record, there, set())
                raise


def finished_report(report: str, sha256: str, recipe: str, expected: Iterable[str]) -> dict[str, Any] | None:
    """The report of an earlier run, if it is of the same input and recipe and its files are as written; else None.

    Files that a killed process has left beside them are removed.

    Parameters
    ----------
    report : str
        Path of the report.
    sha256 : str
        Digest of the input, in hexadecimal; empty if it is not known.
    recipe : str
        Hash of everything but the input that decides what the results are.
    expected : iterable of str
        Paths of the files that these options make. The report must name each, perhaps with another extension: the
        input decides whether labels are PNG or NIfTI.
    """
    facts: dict[str, Any] = _loaded(report)
    match facts:
        case {"recipe": done, "input": {"sha256": source}, "outputs": dict() as outputs}:
            pass
        case _:
            return None
    if not sha256 or (done, source) != (recipe, sha256) or any(basename(name) != name for name in outputs):
        return None
    if not {_without_extension(path) for path in expected} <= {_without_extension(name) for name in outputs}:
        return None
    # A file that is not there has the digest "", which a report could name.
    if not all(sha and file_digest(join(dirname(report), name)) == sha for name, sha in outputs.items()):
        return None
    remove_abandoned(report, len(outputs))
    record = _record_path(report)
    if lexists(record):
        with suppress(OSError), StagedFiles(report) as staged, signals_held(), folder_lock(dirname(report) or "."):
            _trim_record(staged, record, _listed(record), set(map(_key, outputs)))
    return facts


def as_listed(report: str, recipe: str, path: str) -> bool:
    """Whether a file is as the report lists it, and the report is of this recipe; inputs are not looked at."""
    facts = _loaded(report)
    match facts:
        case {"recipe": done, "outputs": dict() as outputs} if done == recipe:
            return outputs.get(basename(path)) == file_digest(path) != ""
    return False


def _without_extension(path: str) -> str:
    return splitext(basename(path).removesuffix(".gz"))[0]


def _trim_record(staged: StagedFiles, record: str, earlier: set[tuple[str, str]], listed: set[str]) -> None:
    """Reduce the record of ownership to files of earlier runs that the report does not list; remove an empty one."""
    folder = dirname(record)
    left = {(name, digest) for name, digest in earlier if name not in listed and lexists(join(folder, name))}
    if left:
        staged.write(record, _record_bytes(left))
        staged.publish(record)
    else:
        with suppress(FileNotFoundError):  # another run of the same input has done so
            os.remove(record)


def write_failure(where: str, error: OSError) -> OutputError:
    """What to say of a file that cannot be written."""
    remedy = f"check space and permissions, or choose another folder ({option('output')})"
    if error.errno == errno.ENAMETOOLONG:
        remedy = f"shorten the names ({option('name')})"
    return OutputError(f"{shown(where)}: cannot be written ({error.strerror or error}); {remedy}")


def _record_path(report: str) -> str:
    """Where the record of ownership is."""
    return join(dirname(report), f".{basename(report).removesuffix('.json')}.claims")


def _record_bytes(owned: set[tuple[str, str]]) -> bytes:
    """File names and hashes in the form that `_listed` reads; a name may have several hashes."""
    return json_bytes({"version": 1, "outputs": sorted(owned)})


def _no_number(name: str) -> None:
    """Refuse NaN and infinity, which emseg never writes and JSON does not have."""
    raise ValueError(f"{name} is no number")


def _loaded(path: str) -> Any:
    """What a report or a record of ownership holds; None if there is none that can be read."""
    try:
        if not isfile(path) or os.path.getsize(path) > LARGEST_REPORT:
            return None
        with open(path, "rb") as file:
            return json.load(file, parse_constant=_no_number)
    except (OSError, ValueError, RecursionError):
        return None


def _listed(report: str) -> set[tuple[str, str]]:
    """File names and hashes that a report or a record of ownership lists; empty if emseg did not write it."""
    try:
        facts = _loaded(report)
        outputs = facts["outputs"]
        pairs = outputs.items() if isinstance(outputs, dict) else outputs
        return {(_key(name), digest) for name, digest in pairs if facts["version"] and len(digest) == HEX_DIGITS}
    except (ValueError, KeyError, TypeError, AttributeError):  # AttributeError: of a name that is no text
        return set()


def _key(name: str) -> str:
    """A file name with its bytes read as UTF-8: under another locale, Python spells them in another way."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeError:
        return name


def file_digest(path: str) -> str:
    """SHA-256 of a regular file's content, in hexadecimal; empty if it cannot be read."""
    if not isfile(path):  # a pipe or a device might never end
        return ""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
