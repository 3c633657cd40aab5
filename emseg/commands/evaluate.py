"""`evaluate`: label maps from files or arrays, and how well they agree. No printing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, ImageError, option, shown
from emseg.image.label_maps import read_label_maps
from emseg.regions.scores import score

Source = NDArray[Any] | str | os.PathLike[str]


def evaluate(labels: Source, truths: Sequence[Source], ignore: int | None = None) -> dict[str, Any]:
    """Score a label map.

    Parameters
    ----------
    labels : ndarray (H, W) or path
    truths : sequence of ndarray or path
        What is taken for true, by one or several annotators; an array of shape (A, H, W) or a file with such an array
        holds A of them.
    ignore : int, optional
        True label of pixels to leave out.

    Returns
    -------
    dict
        `labels` and `truths`: names; `annotators`: how many truths there were; `pixels`; `regions`: distinct labels;
        `scores`: see `emseg.regions.scores.score`.

    Raises
    ------
    ImageError
        If a file is no label map.
    DataError
        If sizes differ, or no pixel is left.
    """
    name, planes = _planes(labels, "labels")
    if len(planes) != 1:
        raise DataError(f"{name}: holds {len(planes)} label maps; give one to score, and the others as truth")
    own, names = planes[0], []
    true: list[NDArray[Any]] = []
    for n, truth in enumerate(truths, 1):
        called, found = _planes(truth, f"truth {n}")
        if found.shape[1:] != own.shape:
            sizes = [f"{shape[1]} × {shape[0]}" for shape in (found.shape[1:], own.shape)]
            raise DataError(f"{called}: {sizes[0]} pixels, the labels have {sizes[1]}; give maps of one size")
        names.append(called)
        true.extend(found)
    if not true:
        raise DataError(f"{name}: nothing to compare with; name one or more true label maps")
    if ignore is not None and any((plane == ignore).all() for plane in true):
        raise DataError(f"{name}: a truth is {ignore} everywhere, no pixel is left; use another {option('ignore')}")
    return {
        "labels": name,
        "truths": names,
        "annotators": len(true),
        "pixels": int(own.size),
        "regions": int(np.unique(own).size),
        "ignore": ignore,
        "scores": score(own, true, ignore),
    }


def _planes(source: Source, name: str) -> tuple[str, NDArray[Any]]:
    """What a source is called, and its label maps (A, H, W)."""
    if isinstance(source, np.ndarray):
        found = source
    else:
        name = shown(source)
        found = read_label_maps(source)
    if found.dtype == np.bool_:
        found = found.astype(np.uint8)
    whole = found.dtype.kind in "ui" or (found.dtype.kind == "f" and bool((found == np.rint(found)).all()))
    if not whole or found.ndim not in (2, 3) or found.size == 0:
        what = f"{found.dtype} of shape {found.shape}"
        raise ImageError(f"{name}: not a label map ({what}); give whole numbers of shape (H, W) or (A, H, W)")
    return name, found.reshape(-1, *found.shape[-2:])
