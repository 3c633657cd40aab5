"""From the arguments of a command to the list of its inputs: files, folders, patterns, lists of names."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os.path import (
    basename,
    commonpath,
    dirname,
    getsize,
    isdir,
    isfile,
    join,
    lexists,
    normpath,
    realpath,
    relpath,
    splitext,
)
from typing import Any

from emseg.cli.error_lines import tell
from emseg.errors import UsageError, option, shown
from emseg.output.store.names import STDIO, Input

#: Endings of the files that are looked for in folders. A file that is named is read whatever its ending: formats are
#: told apart by content.
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".webp"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm", ".jp2", ".j2k", ".jpx", ".avif"),
    *(".npy", ".npz", ".hdr", ".nii", ".nii.gz"),
    *(".dcm", ".dicom", ".ima", ".nrrd", ".mha", ".mhd"),
)
LARGEST_LIST, LARGEST_REPORT = 1 << 28, 1 << 24  # bytes


def expand(
    arguments: Sequence[str], recursive: bool = False, listed: str | None = None, null: bool = False
) -> Sequence[Input]:
    """The inputs that the arguments and the list of names stand for.

    They are in the order given, and those of a folder in the order of their names.

    Parameters
    ----------
    arguments : sequence of str
        Paths, folders, patterns (for shells that leave them alone, or quoted), or "-" for standard input.
    recursive : bool
        Look into folders of folders. Results keep the tree below the deepest folder that holds all inputs.
    listed : str, optional
        A file of further paths, taken as they are; "-" is standard input.
    null : bool
        Names in the list end with NUL, not with a line.

    Raises
    ------
    UsageError
        If the list cannot be read, or standard input is to be both the list and an image.
    """
    if listed == STDIO and STDIO in arguments:
        raise UsageError("-: standard input is both an image and the list of --files-from; give one of them")
    if listed is not None and not arguments and not recursive:
        return Inputs(list(_names(listed, null))) or []  # a million objects would take more memory than their names
    found = [(root, entry) for argument in arguments for root, entry in _expanded(argument, recursive)]
    if listed is not None:
        found += [(dirname(path) or ".", Input(path)) for path in _names(listed, null)]
    if not recursive:
        return [entry for _, entry in found]
    roots = {root for root, entry in found if entry.path != STDIO}
    top = common_folder(roots) if roots else ""
    return [entry if entry.path == STDIO else _placed(entry, top) for _, entry in found]


class Inputs(Sequence[Input]):
    """Inputs of which no more than their paths are known; each is made when it is asked for."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Input]:
        return (Input(path, "", "", 0, "", ()) for path in self.paths)

    def __getitem__(self, at: Any) -> Any:
        return Inputs(self.paths[at]) if isinstance(at, slice) else Input(self.paths[at])


def one_image(pages: list[list[Input]], quiet: bool) -> list[Input]:
    """One input for each page of all files together; the first names the results.

    Raises
    ------
    UsageError
        If one of them is standard input, or they have different numbers of pages.
    """
    bad = next((entry for each in pages for entry in each if entry.problem), None)
    if not pages or bad:
        return [bad] if bad else []
    first, *others = pages
    if not others and not quiet:
        tell("--stack does nothing with one input; give the other files, too, or leave it out")
    if any(entry.path == STDIO for entry, *_ in pages):
        raise UsageError("--stack: goes with files, not with standard input")
    if len({len(each) for each in pages}) > 1:
        counts = ", ".join(f"{shown(each[0].path)} has {len(each)}" for each in pages)
        raise UsageError(f"--page all: files of a stack need as many pages each; {counts}")
    return [entry._replace(stack=tuple(each[at].path for each in others)) for at, entry in enumerate(first)]


def line_of_series(paths: Iterable[str]) -> str:
    """A line if the first files are slices of one DICOM series, each of which is an image of its own; else empty."""
    first = [path for path in islice(paths, 2) if path != STDIO]
    if len(first) < 2 or not all(map(_may_be_dicom, first)):
        return ""
    from emseg.image.formats.medical.slice_files import of_one_series  # most inputs are pictures

    if not of_one_series(first):
        return ""
    names = " and ".join(map(shown, first))
    return f"{names} are slices of one DICOM series, and each file is an image of its own; --stack makes them a volume"


def _may_be_image(path: str) -> bool:
    """Whether a name ends like that of an image; of DICOM files it may end with nothing, or numbers."""
    if path.lower().endswith(SUFFIXES):
        return True
    ending = splitext(path)[1].removeprefix(".")
    return (not ending or ending.isdigit()) and isfile(path) and _may_be_dicom(path)


def _may_be_dicom(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _placed(entry: Input, top: str) -> Input:
    below = relpath(realpath(dirname(entry.path) or "."), top)
    return Input(entry.path, "" if below == "." else below, entry.problem)


def _expanded(argument: str, recursive: bool) -> Iterator[tuple[str, Input]]:
    """The inputs that one argument stands for, each with the folder that the argument starts from."""
    if argument == STDIO:
        yield "", Input(STDIO)
    elif isdir(argument):
        yield from _in_folder(argument, recursive)
    elif lexists(argument) or not set(argument) & set("*?["):
        yield dirname(argument) or ".", Input(argument)
    else:
        import glob  # most runs have no patterns

        root = dirname(argument[: min(argument.index(c) for c in "*?[" if c in argument)]) or "."
        paths = sorted(path for path in glob.glob(argument, recursive=True) if not _is_result(path))
        found = False
        for path in paths:
            if not isdir(path):
                found = True
                yield root, Input(path)
            elif recursive and not argument.rstrip(os.sep).endswith("**"):  # which lists the contents itself
                found = True
                yield from ((root, entry) for _, entry in _in_folder(path, True))
        if not found:
            yield root, Input(argument, problem=f"{shown(argument)}: no such file, and no file matches that pattern")


def _in_folder(folder: str, recursive: bool) -> Iterator[tuple[str, Input]]:
    """The images in a folder in the order of their names, without hidden files and without emseg's own results."""
    found = False
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            path = name if folder == "." == here else normpath(join(here, name))
            if not name.startswith(".") and _may_be_image(path) and not _is_result(path):
                found = True
                yield folder, Input(path if path[0] != "-" else join(".", path))
    if not found:
        hint = "" if recursive else "; --recursive looks into the folders in it"
        yield folder, Input(folder, problem=f"{shown(folder)}: no images in this folder{hint}")


def _is_result(path: str) -> bool:
    """Whether emseg wrote this file: a report beside it lists its name."""
    name = basename(path)
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        report = join(dirname(path), ".".join(parts[:end]) + ".json")
        try:
            if isfile(report) and getsize(report) <= LARGEST_REPORT:
                with open(report, "rb") as file:
                    facts = json.load(file)
                if facts["version"] and name in facts["outputs"]:
                    return True
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return False


def _names(listed: str, null: bool) -> Iterator[str]:
    """The paths in a list, taken as they are: patterns, folders and "-" have no meaning in it."""
    try:
        if listed == STDIO:
            text = sys.stdin.buffer.read(LARGEST_LIST + 1)
        else:
            with open(listed, "rb") as file:
                text = file.read(LARGEST_LIST + 1)
    except OSError as error:
        raise UsageError(f"--files-from {shown(listed)}: cannot be read ({error.strerror})") from error
    if len(text) > LARGEST_LIST:
        raise UsageError(f"--files-from {shown(listed)}: is too long for a list of names; give it in parts")
    if b"\0" in text and not null:
        raise UsageError(f"--files-from {shown(listed)}: holds NUL characters; if its names end with them, add -0")
    for line in re.finditer(rb"[^\0]+" if null else rb"[^\r\n]+", text):
        name = os.fsdecode(line[0])
        yield join(".", name) if name == STDIO else name


def common_folder(folders: Iterable[str]) -> str:
    """The deepest folder that holds all of these."""
    try:
        return commonpath([realpath(folder) for folder in folders])
    except ValueError as error:  # several drives
        raise UsageError(
            f"{option('recursive')}: the inputs have no folder in common; run the command for each"
        ) from error
