"""A rectangle around an object: everything outside is ground."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.image.model import Image

Labels = NDArray[np.unsignedinteger[Any]]
GROUND = 1


def boxed(marks: Labels | None, box: str, photo: Image, notices: list[str]) -> Labels:
    """Marks with the ground, class 1, outside of a rectangle; marks that are there already stay.

    Parameters
    ----------
    marks : ndarray of unsigned int, shape (H, W), or None
        0…K.
    box : str
        Left, top, width and height in pixels, as ``"20,10,300,200"``.
    photo : Image
    notices : list of str
        Receives what the user should know.

    Raises
    ------
    UsageError
        If the image is a volume, or nothing lies outside of the rectangle, or nothing within.
    """
    given = option("box", box)
    if "volume" in photo.metadata:
        raise UsageError(f"{given}: a rectangle says nothing of a volume; use {option('scribbles')}")
    height, width = photo.shape[:2]
    left, top, wide, high = map(int, box.split(","))
    if left >= width or top >= height:
        raise UsageError(f"{given}: lies outside of {photo.name}, which is {width} × {height}")
    right, bottom = min(left + wide, width), min(top + high, height)
    if (right - left, bottom - top) == (width, height):
        raise UsageError(f"{given}: leaves no ground outside of it; give a smaller one, or {option('scribbles')}")
    if (right - left, bottom - top) != (wide, high):
        notices.append(f"{given}: reaches beyond {width} × {height}, and was taken to end there")
    outside = np.ones((height, width), np.bool_)
    outside[top:bottom, left:right] = False
    found = np.zeros((height, width), np.uint8) if marks is None else marks.copy()
    if (found[outside] > GROUND).any():
        notices.append(f"{given}: marks of objects lie outside of it, and stay; {option('scribbles')} decides")
    found[outside & (found == 0)] = GROUND
    return found
