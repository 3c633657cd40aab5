"""`evaluate`: label maps from files or arrays, and how well they agree. No printing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.commands.results.segmentation import Segmentation
from emseg.errors import DataError, ImageError, option, shown
from emseg.image.arrays.array_like import as_given, is_nibabel, is_pillow, whole_numbers
from emseg.image.arrays.from_memory import image_in_memory
from emseg.image.label_maps import read_label_image
from emseg.image.missing.nodata import as_stored
from emseg.image.model import Image
from emseg.image.place.alignment import aligned
from emseg.image.place.grids import grid_of
from emseg.image.stored_array import is_array, stored_array
from emseg.records import NamedRecord
from emseg.regions.scores import compared, confusion, mean_scores
from emseg.stages.inputs.input_image import MaskLike

#: A label map: a path, an array, or the result of `segment`.
Source = MaskLike | Segmentation
#: Stands in the place of masked labels; no map holds it.
LEFT_OUT = int(np.iinfo(np.int64).min)


def evaluate(labels: Source, truths: Source | Sequence[Source], ignore: int | None = None) -> dict[str, Any]:
    """Score a label map.

    Maps in NIfTI or GeoTIFF are brought onto one grid by their places in the world, as masks are.

    Parameters
    ----------
    labels : array-like (H, W), path or Segmentation
    truths : array-like, path or Segmentation, or a sequence of them
        What is taken for true, by one or several annotators; an array of shape (A, H, W) or a file with such an array
        holds A of them. Volumes have the shape of the labels. Masked pixels are left out, and so are those of a truth
        that hold the value for "no data" which its file declares.
    ignore : int, optional
        True label of pixels to leave out.

    Returns
    -------
    dict
        `labels` and `truths`: names; `annotators`: how many truths there were; `pixels`; `regions`: distinct labels;
        `scores`: see `emseg.regions.scores.mean_scores`; `confusion`: for each truth, the pixels of each pair of
        labels, or None if there are more than 10,000 pairs; `warnings`: lines that the user should read.

    Raises
    ------
    ImageError
        If a file is no label map.
    DataError
        If sizes differ, or no pixel is left.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> truth = np.repeat([[0, 0, 1, 1]], 3, axis=0)
    >>> emseg.evaluate(1 + truth, truth)["scores"]["adjusted_rand"]
    1.0
    """
    notices: list[str] = []
    true_maps = [_without_nodata(_maps(truth, f"truth {n}"), notices) for n, truth in enumerate(_several(truths), 1)]
    maps = _on_one_grid([_maps(labels, "labels"), *true_maps], notices)
    maps = _flat_volumes(maps)
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
        if own.dtype == np.int64:
            found = np.where(own == LEFT_OUT, LEFT_OUT, found.astype(np.int64))
        true.extend(found if ignore is None else np.where(found == LEFT_OUT, ignore, found))
    if not true:
        raise DataError(f"{name}: nothing to compare with; name one or more true label maps")
    without = LEFT_OUT if ignore is None else ignore
    empty = any((plane == without).all() for plane in true)
    if empty and ignore is None:
        raise DataError(f"{name}: a truth is masked everywhere, no pixel is left; check the masks")
    if empty:
        raise DataError(f"{name}: a truth is {ignore} everywhere, no pixel is left; use another {option('ignore')}")
    tables = compared(own, true, without)
    if ignore is not None and not any((plane == ignore).any() for plane in true):
        notices.append(f"no truth has the label {ignore}, which was to be left out")
    return {
        "labels": name,
        "truths": names,
        "annotators": len(true),
        "pixels": int(own.size),
        "regions": int(np.unique(own).size),
        "ignore": ignore,
        "warnings": notices,
        "scores": mean_scores(tables),
        "confusion": [confusion(table) for table in tables],
    }


def _several(truths: Any) -> Sequence[Any]:
    """The truths one by one: a list of numbers is one map, a list of maps or paths is several."""
    if not isinstance(truths, list | tuple):
        return [truths]
    if truths and all(isinstance(truth, list | tuple) for truth in truths):
        inner = [number for truth in truths for number in truth]
        return truths if any(isinstance(row, list | tuple) for row in inner) else [truths]
    return truths


class _Maps(NamedRecord):
    """What a source is called; its values, an array of its own shape or those of an image; and the image's metadata.

    An array from memory has slices first, as results of emseg have. One from a file may be in nibabel's order.
    """

    name: str
    values: NDArray[Any]
    metadata: Mapping[str, Any] | None = None
    in_memory: bool = False

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


def _maps(source: Any, name: str) -> _Maps:
    if isinstance(source, Segmentation):
        image = source.image
        return _Maps(name, source.labels.reshape(*image.shape, 1), image.metadata)
    if is_nibabel(source):
        image = image_in_memory(source, name)
        return _Maps(name, whole_numbers(image.pixels), image.metadata)
    if not isinstance(source, str | os.PathLike):
        return _Maps(name, np.asarray(source) if is_pillow(source) else _array(source, name), in_memory=True)
    if is_array(source):
        return _Maps(shown(source), stored_array(os.fspath(source), shown(source)))
    image = read_label_image(source)
    return _Maps(image.name, image.pixels, image.metadata)


def _without_nodata(maps: _Maps, notices: list[str]) -> _Maps:
    """A truth without the pixels that hold no data by the word of its file."""
    value = as_stored((maps.metadata or {}).get("nodata", ""), maps.values.dtype)
    absent = maps.values == value if value is not None else np.zeros(1, np.bool_)
    count = int(np.count_nonzero(absent))
    if not count or value is None:
        return maps
    notices.append(f"{maps.name}: {count} pixels hold its value for no data, {value}, and are left out")
    return maps._replace(values=np.where(absent, LEFT_OUT, maps.values.astype(np.int64)))


def _array(source: Any, name: str) -> NDArray[Any]:
    """The labels of an array; where they are masked, `LEFT_OUT`."""
    given = as_given(source, name)
    labels, known = given.array, given.known
    if labels.ndim == 3 and labels.shape[2] == 1 < labels.shape[1]:  # a channel
        labels, known = labels[..., 0], None if known is None else known[..., 0]
    if known is None:
        return labels
    whole = whole_numbers(np.where(known, labels, 0))
    return np.where(known, whole.astype(np.int64), LEFT_OUT) if whole.dtype.kind in "ui" else whole


def _flat_volumes(maps: list[_Maps]) -> list[_Maps]:
    """Arrays of volumes, all of one shape (Z, H, W), as maps of slices below one another."""
    shapes = {found.values.shape for found in maps}
    if len(maps) < 2 or len(shapes) > 1 or any(found.metadata is not None for found in maps):
        return maps
    (shape,) = shapes
    return [found._replace(values=found.values.reshape(-1, shape[-1])) for found in maps] if len(shape) == 3 else maps


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
    if maps.in_memory and values.shape == volume:
        values = values.reshape(*photo.shape, 1)
    elif maps.metadata is None and values.shape not in (volume, volume[::-1]):  # (H, W), or those of annotators
        values = np.moveaxis(maps.planes(), 0, 2)
    placed, lines = aligned(whole_numbers(values), metadata, maps.name, photo, "label map")
    notices += lines
    return _Maps(maps.name, placed, metadata)
