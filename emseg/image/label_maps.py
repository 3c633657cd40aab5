"""Reading label maps and stacks of planes: the stored numbers, not the colours they are shown in."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.image.file_bytes import read_bytes, read_image_bytes
from emseg.image.formats.registry import HEAD, Format, format_of
from emseg.image.read import decode_image

Path = str | os.PathLike[str]
ARRAYS = (".npy", ".npz")
KEYS = ("labels", "label", "segs")  # arrays of an archive that are taken before the first one
REMEDY = "give a palette or grey PNG, or a TIFF of integers"


def stored_values(path: Path) -> NDArray[Any]:
    """What a file stores, (H, W, C): of a palette image the indices, else what `read_image` reads.

    Raises
    ------
    ImageError
        If the file cannot be read.
    """
    return _stored(path)[1]


def read_labels(path: Path, shape: tuple[int, int] | None = None) -> NDArray[Any]:
    """Read a label map (H, W): palette indices, or the values of a one-channel integer image.

    Raises
    ------
    ImageError
        If the file cannot be read, has another size than `shape`, or holds colours or fractions.
    """
    name = shown(path)
    found, stored = _stored(path)
    if not found.holds_labels or stored.shape[2] > 1 or stored.dtype.kind not in "ui":
        raise ImageError(f"{name}: not a label map; {REMEDY}")
    labels = stored[:, :, 0]
    if shape is not None and labels.shape != shape:
        sizes = f"labels of {labels.shape[1]} × {labels.shape[0]} pixels for an image of {shape[1]} × {shape[0]}"
        raise ImageError(f"{name}: {sizes}; give a label map of the image's size")
    return labels


def _stored(path: Path) -> tuple[Format, NDArray[Any]]:
    """The format of a file, and its stored values (H, W, C)."""
    name = shown(path)
    data, samples = read_image_bytes(path)
    pixels = decode_image(data, name, samples=samples).pixels  # refuses whatever is damaged or too large
    found = format_of(data[:HEAD], name)
    indices = found.palette_indices(data)
    return found, pixels if indices is None else indices[:, :, None]


def read_label_maps(path: Path) -> NDArray[Any]:
    """Read label maps: of a NumPy file an array (H, W), or (A, H, W) of A annotators; else one map, as `read_labels`.

    Raises
    ------
    ImageError
        If the file cannot be read, or an image is no label map.
    """
    return stored_array(os.fspath(path), shown(path)) if _is_array(path) else read_labels(path)


def read_planes(path: Path) -> NDArray[Any]:
    """Read planes (K, H, W): the pages of a TIFF, or the array of a NumPy file.

    Raises
    ------
    ImageError
        If the file cannot be read.
    """
    name = shown(path)
    if _is_array(path):
        return stored_array(os.fspath(path), name)
    import tifffile

    data = read_bytes(path)
    try:
        planes = np.asarray(tifffile.imread(io.BytesIO(data)))
    except (OSError, ValueError, LookupError, tifffile.TiffFileError) as error:
        raise ImageError(f"{name}: cannot be read as planes; give a TIFF with a page for each, or .npy") from error
    return planes[None] if planes.ndim == 2 else planes


def stored_array(path: str, name: str) -> NDArray[Any]:
    """The array of a NumPy file; of an archive the first of `KEYS` that it has, or else its first array."""
    from zipfile import BadZipFile  # loads much; most runs read no archive

    try:
        with open(path, "rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return stored
            return np.asarray(stored[next((key for key in KEYS if key in stored.files), stored.files[0])])
    except (OSError, ValueError, EOFError, LookupError, BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "damaged, or no array of numbers"
        raise ImageError(f"{name}: cannot be read ({reason}); give a NumPy file or an image of labels") from error


def _is_array(path: Path) -> bool:
    return os.fspath(path).lower().endswith(ARRAYS)
