"""Classes in the format of the COCO data sets: a mask for each label as run lengths, which are exact."""

from __future__ import annotations

import json
from os.path import basename
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import shown
from emseg.output.pictures.slices import as_plane
from emseg.output.segmented import Segmented


def coco_file(result: Segmented) -> bytes:
    """The classes of a segmentation as masks; those of a volume in the montage of its slices."""
    image, labels = as_plane(result.image, result.labels)
    return classes_coco(labels, result.mixture.k, image.name)


def classes_coco(labels: NDArray[np.unsignedinteger[Any]], k: int, name: str) -> bytes:
    """Encode labels (H, W) 1…K: one image, K categories, and an annotation for every label that occurs.

    Run lengths go down the columns and begin with the background, as in COCO's uncompressed masks.
    """
    height, width = labels.shape
    down = np.ascontiguousarray(labels.T).ravel()
    annotations = []
    for label in range(1, k + 1):
        inside = down == label
        if not inside.any():
            continue
        edges = np.flatnonzero(np.diff(inside, prepend=False)).tolist()
        runs = np.diff([0, *edges, down.size]).tolist()
        columns, rows = (np.flatnonzero(inside.reshape(width, height).any(axis)) for axis in (1, 0))
        left, top = int(columns[0]), int(rows[0])
        annotations.append(
            {
                "id": label,
                "image_id": 1,
                "category_id": label,
                "iscrowd": 1,  # which is what run lengths stand for
                "area": int(np.count_nonzero(inside)),
                "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
                "segmentation": {"size": [height, width], "counts": runs},
            }
        )
    facts = {
        "images": [{"id": 1, "file_name": shown(basename(name)), "width": width, "height": height}],
        "categories": [{"id": label, "name": f"region {label}"} for label in range(1, k + 1)],
        "annotations": annotations,
    }
    return json.dumps(facts, separators=(",", ":")).encode()
