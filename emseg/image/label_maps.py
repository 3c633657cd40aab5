"""Reading label maps: the stored integers, not the colours they are shown in."""

from __future__ import annotations

import os
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.image.read import read_image

KEYS = ("labels", "label", "segs")  # arrays of an archive that are taken before the first one
REMEDY = "give a palette or grey PNG, or a TIFF of integers"


def stored_values(path: str | os.PathLike[str]) -> NDArray[Any]:
    """What a file stores, (H, W, C): of a palette PNG or GIF the indices, else what `read_image` reads.

    Raises
    ------
    ImageError
        If the file cannot be read.
    """
    image = read_image(path)  # refuses whatever is damaged or too large
    with open(path, "rb") as file:
        data = file.read()
    kind = next((kind for start, kind in ((b"\x89PNG", "PNG"), (b"GIF8", "GIF")) if data.startswith(start)), None)
    if kind:
        with PIL.Image.open(BytesIO(data), formats=[kind]) as stored:
            if stored.mode == "P":
                return np.asarray(stored)[:, :, None]
    return image.pixels


def read_labels(path: str | os.PathLike[str], shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """Read a label map (H, W): palette indices, or the values of a one-channel integer image.

    Raises
    ------
    ImageError
        If the file cannot be read, has another size than `shape`, or holds colours or fractions.
    """
    image = read_image(path)  # refuses whatever is damaged or too large
    with open(path, "rb") as file:
        data = file.read()
    labels = image.pixels[:, :, 0]
    if data.startswith(b"\x89PNG"):
        with PIL.Image.open(BytesIO(data), formats=["PNG"]) as stored:
            if stored.mode == "P":
                labels = np.asarray(stored)
            elif image.pixels.shape[2] > 1:
                raise ImageError(f"{shown(path)}: not a label map; {REMEDY}")
    elif not data.startswith((b"II", b"MM")) or image.pixels.shape[2] > 1 or labels.dtype.kind not in "ui":
        raise ImageError(f"{shown(path)}: not a label map; {REMEDY}")
    if shape is not None and labels.shape != shape:
        sizes = f"labels of {labels.shape[1]} × {labels.shape[0]} pixels for an image of {shape[1]} × {shape[0]}"
        raise ImageError(f"{shown(path)}: {sizes}; give a label map of the image's size")
    return labels


def stored_array(path: str, name: str) -> NDArray[Any]:
    """The array of a NumPy file; of an archive, that of `KEYS` which it has, or the first."""
    try:
        with open(path, "rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return stored
            return np.asarray(stored[next((key for key in KEYS if key in stored.files), stored.files[0])])
    except (OSError, ValueError, EOFError, LookupError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "damaged, or no array of numbers"
        raise ImageError(f"{name}: cannot be read ({reason}); give a NumPy file or an image of labels") from error
