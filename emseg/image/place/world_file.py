"""World files: six lines of text beside a picture that say where it is on the ground, but not in which system."""

from __future__ import annotations

from typing import Any

import numpy as np

from emseg.image.place.ground import ground
from emseg.image.place.ground_tags import ground_tags

LARGEST = 1000  # bytes


def tags_of_world_file(path: str) -> dict[int, Any]:
    """GeoTIFF tags for what a world file says; none if it makes no sense.

    Its numbers are the steps along x, then how y changes along x and x along y, the step along y, and the place of the
    first pixel's centre.
    """
    try:
        with open(path, "rb") as file:
            a, d, b, e, c, f = (float(word.replace(b",", b".")) for word in file.read(LARGEST).split()[:6])
    except (OSError, ValueError):
        return {}
    matrix = np.array([[a, b, c], [d, e, f]])
    matrix[:, 2] -= matrix[:, :2] @ (0.5, 0.5)
    tags = ground_tags(matrix) if np.isfinite(matrix).all() else {}
    return tags if ground(tags) is not None else {}
