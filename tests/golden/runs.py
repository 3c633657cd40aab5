"""Runs one option set on one image through the command line, and reads what it wrote."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded

import numpy as np
from PIL import Image

from tests.golden.inputs import IMAGES, companion
from tests.golden.option_sets import SETS

KINDS = ("positive", "inside", "ellipse", "holes", "thirds", "scribbles", "prior")
#: Images that 0.1.0 compared by texture unless told otherwise. Their histograms have two modes, so now it is values.
GREY = ("brick",)


@dataclass(frozen=True)
class Outcome:
    """What a run gave: the exit code and, if that is 0, maps and what the report says."""

    code: int
    maps: dict[str, np.ndarray]
    report: dict[str, Any]
    paths: frozenset[str]
    said: str


def run(name: str, image: str, companions: Path, output: Path) -> Outcome:
    """Segment the image of that name under the option set of that name, in this process."""
    files = {kind: str(companion(companions, image, kind)) for kind in KINDS}
    options = [word.format(**files) for word in SETS[name].split()]
    if image in GREY and "--features" not in options:
        options += ["--features", "gray"]
    code, said = command(["segment", str(IMAGES / f"{image}.png"), *options, "--quiet", "-o", str(output)])
    if code:
        return Outcome(code, {}, {}, frozenset(), said)
    maps = {}
    for kind in ("labels", "regions"):
        path = output / f"{image}.{kind}.png"
        if path.exists():
            with Image.open(path) as picture:
                maps[kind] = np.asarray(picture)
    report = json.loads((output / f"{image}.json").read_text("utf-8"))
    return Outcome(0, maps, report, frozenset(path.replace(f"{image}.", "*.") for path in key_paths(report)), said)


def command(arguments: list[str]) -> tuple[int, str]:
    """Exit code of `emseg ARGUMENTS`, and all that it printed."""
    from emseg.cli.main import main

    printed, thresholds, code = io.StringIO(), gc.get_threshold(), 0
    with (
        patch.object(sys, "argv", ["emseg", *arguments]),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            gc.set_threshold(*thresholds)
    return code, printed.getvalue()


def key_paths(value: Any, path: str = "") -> Iterator[str]:
    """Every key of nested JSON as a dotted path; lists are looked into, and their indices left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (below := f"{path}.{key}" if path else key)
            yield from key_paths(inner, below)
    elif isinstance(value, list):
        for inner in value:
            yield from key_paths(inner, path)
