"""Model files: a fitted mixture as JSON, for `apply` and for new starts."""

from __future__ import annotations

import os
import stat

from emseg.errors import DataError, OutputError, option, shown
from emseg.mixture.saved import Model, model_json, parse_model, unusable
from emseg.output.segmented import Segmented
from emseg.output.store.staging import StagedFiles

LARGEST = 1 << 24  # bytes: 4096 components of 64 features take about as many
HEAD = 64  # bytes in which the first character of a model that is no blank stands


def model_file(result: Segmented) -> bytes:
    """The model of a segmentation; `read_model` reads it back."""
    return model_json(result.report)


def looks_like_model(path: str) -> bool:
    """Whether a file begins as a model does; raise OSError if it cannot be opened."""
    with open(path, "rb") as file:
        return file.read(HEAD).lstrip()[:1] == b"{"


def write_model(path: str, data: bytes, overwrite: bool = False) -> None:
    """Write a model file, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written, or would replace a file that is no model.
    """
    name = shown(path)
    try:
        free = not (os.path.lexists(path) or overwrite)
        if os.path.lexists(path) and not overwrite:
            if not os.path.isfile(path):
                raise OutputError(f"{name}: is no ordinary file; choose another name")
            try:
                read_model(path)
            except DataError:
                remedy = f"give {option('overwrite', True)} to replace it"
                raise OutputError(f"{name}: is no model of emseg; {remedy}") from None
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with StagedFiles(path) as staged:
            staged.write(path, data)
            staged.publish(path, free=(path,) if free else ())
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{name}: cannot be written ({reason}); check space and permissions") from error


def read_model(path: str) -> Model:
    """Read a model file.

    Raises
    ------
    DataError
        If it cannot be read, is no model, or its numbers are no mixture.
    """
    name = shown(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ValueError("no ordinary file")  # a pipe might never end
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError("too large")
    except (OSError, ValueError) as error:
        raise unusable(name, error) from error
    return parse_model(data, name)
