"""Regions, or classes, in the format of the COCO data sets (Lin et al. 2014), for what trains detectors.

An object is a polygon where one says exactly which pixels are in it, and run lengths where it has holes or parts.
`iscrowd` is 0 for all of them: loaders leave out what they take for a crowd.
"""

from __future__ import annotations

import json
from os.path import basename
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import shown
from emseg.output.maps.map_parts import MapParts, map_parts
from emseg.output.maps.polygons import outlines as rings_of
from emseg.output.segmented import Segmented


def coco_file(result: Segmented) -> bytes:
    """The regions of a segmentation, or its classes; each slice of a volume is an image."""
    return parts_coco(map_parts(result), result.mixture.k, result.image.name)


def parts_coco(parts: MapParts, k: int, name: str) -> bytes:
    """Encode parts: an image for each slice, K categories, and an annotation for each part in each slice."""
    height, width = parts.numbers.shape[-2:]
    image = {"file_name": shown(basename(name)), "width": width, "height": height}
    volume = parts.numbers.ndim == 3
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for z, plane in parts.slices:
        images.append({"id": z + 1, **image, **({"slice": z} if volume else {})})
        for entry in _annotations(plane, parts):
            annotations.append({"id": len(annotations) + 1, "image_id": z + 1, **entry})
    categories = [{"id": label, "name": f"class {label}", "supercategory": "class"} for label in range(1, k + 1)]
    facts = {"images": images, "categories": categories, "annotations": annotations}
    return json.dumps(facts, separators=(",", ":")).encode()


def _annotations(plane: NDArray[np.integer[Any]], parts: MapParts) -> list[dict[str, Any]]:
    """What COCO says of each part that lies in a plane, but for the numbers of image and annotation."""
    from scipy.ndimage import find_objects

    outlines: dict[int, list[int]] = {}
    if parts.word == "region":  # a class has mostly several parts
        rings = rings_of(plane)
        counts = np.bincount(rings.labels)
        ends = rings.starts.tolist()
        for at in np.flatnonzero(rings.outer & (counts[rings.labels] == 1)).tolist():
            outlines[int(rings.labels[at])] = rings.points[ends[at] : ends[at + 1]].ravel().tolist()
    runs = _run_lengths(plane, outlines)
    areas = np.bincount(plane.ravel(), minlength=len(parts.classes) + 1).tolist()
    found = []
    for number, box in enumerate(find_objects(np.asarray(plane, np.int32)), 1):
        if box is None:
            continue
        (top, bottom), (left, right) = ((side.start, side.stop) for side in box)
        entry: dict[str, Any] = {"category_id": int(parts.classes[number - 1]), "iscrowd": 0, "area": areas[number]}
        entry |= {"region": number} if parts.word == "region" else {}
        entry["bbox"] = [left, top, right - left, bottom - top]
        inside = [outlines[number]] if number in outlines else {"size": list(plane.shape), "counts": runs[number]}
        found.append({**entry, "segmentation": inside})
    return found


def _run_lengths(plane: NDArray[np.integer[Any]], known: dict[int, list[int]]) -> dict[int, list[int]]:
    """Run lengths of all numbers but those that are known already.

    They go down the columns, and begin with what is outside, as in COCO's uncompressed masks.
    """
    wanted = np.ones(int(plane.max(initial=0)) + 1, np.bool_)
    wanted[[0, *known]] = False
    down = np.ascontiguousarray(plane.T).ravel()
    places = np.flatnonzero(wanted[down])
    places = places[np.argsort(down[places], kind="stable")]
    owners = down[places]
    begins = np.flatnonzero((np.diff(places, prepend=-2) != 1) | (np.diff(owners, prepend=-1) != 0))
    first, last = places[begins], places[np.append(begins[1:], len(places)) - 1] + 1 if len(places) else begins
    ends = np.stack([first, last], axis=1)
    numbers, starts = np.unique(owners[begins], return_index=True)
    found = {}
    for number, own in zip(numbers.tolist(), np.split(ends, starts[1:]), strict=False):
        runs = np.diff(own.ravel(), prepend=0, append=down.size).tolist()
        found[number] = runs if runs[-1] else runs[:-1]
    return found
