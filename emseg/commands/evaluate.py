"""`evaluate`: label maps from files or arrays, and how well they agree. No printing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, ImageError, option, shown
from emseg.image.label_maps import is_array, read_label_image, stored_array, whole_numbers
from emseg.image.model import Image
from emseg.image.place.alignment import aligned
from emseg.image.place.grids import grid_of
from emseg.regions.scores import score

Source = NDArray[Any] | str | os.PathLike[str]


def evaluate(labels: Source, truths: Sequence[Source], ignore: int | None = None) -> dict[str, Any]:
    """Score a label map.

    Maps in NIfTI or GeoTIFF are brought onto one grid by their places in the world, as masks are.

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
        `scores`: see `emseg.regions.scores.score`; `warnings`: lines that the user should read.

    Raises
    ------
    ImageError
        If a file is no label map.
    DataError
        If sizes differ, or no pixel is left.
    """
    notices: list[str] = []
    maps = _on_one_grid(
        [_maps(labels, "labels"), *(_maps(truth, f"truth {n}") for n, truth in enumerate(truths, 1))], notices
    )
    name, planes = maps[0].name, maps[0].planes()
    if len(planes) != 1:
        raise DataError(f"{name}: holds {len(planes)} label maps; give one to score, and the others as truth")
    own, names = planes[0], [truth.name for truth in maps[1:]]
    true: list[NDArray[Any]] = []
    for truth in maps[1:]:
        found = truth.planes()
        if found.shape[1:] != own.shape:
            sizes = [f"{shape[1]} × {shape[0]}" for shape in (found.shape[1:], own.shape)]
            raise DataError(f"{truth.name}: {sizes[0]} pixels, the labels have {sizes[1]}; give maps of one size")
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
        "warnings": notices,
        "scores": score(own, true, ignore),
    }


class _Maps(NamedTuple):
    """What a source is called; its values, an array of its own shape or those of an image; and the image's metadata."""

    name: str
    values: NDArray[Any]
    metadata: Mapping[str, Any] | None = None

    @property
    def is_placed(self) -> bool:
        """Whether it is a volume or has a place in the world."""
        found = self.metadata
        return found is not None and ("volume" in found or grid_of(found, self.values.shape[:2]) is not None)

    def planes(self) -> NDArray[Any]:
        """Label maps (A, H, W)."""
        found = whole_numbers(self.values) if self.metadata is None else np.moveaxis(self.values, 2, 0)
        if found.dtype.kind not in "ui" or found.ndim not in (2, 3) or found.size == 0:
            what = f"{found.dtype} of shape {found.shape}"
            raise ImageError(f"{self.name}: not a label map ({what}); give whole numbers of shape (H, W) or (A, H, W)")
        return found.reshape(-1, *found.shape[-2:])


def _maps(source: Source, name: str) -> _Maps:
    if isinstance(source, np.ndarray):
        return _Maps(name, source)
    if is_array(source):
        return _Maps(shown(source), stored_array(os.fspath(source), shown(source)))
    image = read_label_image(source)
    return _Maps(image.name, image.pixels, image.metadata)


def _on_one_grid(maps: list[_Maps], notices: list[str]) -> list[_Maps]:
    """Maps on the grid of the first that has a place in the world, or is a volume."""
    first = next((found for found in maps if found.is_placed), None)
    if first is None or first.metadata is None:
        return maps
    photo = Image(first.values, "gray", name=first.name, metadata=first.metadata)
    return [found if found is first else _on_grid_of(photo, found, notices) for found in maps]


def _on_grid_of(photo: Image, maps: _Maps, notices: list[str]) -> _Maps:
    values, metadata = maps.values, maps.metadata or {}
    volume = photo.metadata.get("volume", ())
    if maps.metadata is None and values.shape not in (volume, volume[::-1]):  # (H, W), or those of several annotators
        values = np.moveaxis(maps.planes(), 0, 2)
    placed, lines = aligned(whole_numbers(values), metadata, maps.name, photo, "label map")
    notices += lines
    return _Maps(maps.name, placed, metadata)
