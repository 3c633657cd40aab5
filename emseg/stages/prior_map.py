"""Prior maps: how probable each class is at each pixel before its values are seen, as an atlas gives it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, UsageError, shown
from emseg.image.label_maps import stored_array
from emseg.image.model import Image

LEAST = 1e-4  # probability that an atlas never denies a class


def read_prior(path: str, photo: Image, k: int | str) -> NDArray[np.float32]:
    """Log-probabilities (K, H, W) from a TIFF of K pages or a NumPy file; pages are scaled to sum to 1 at each pixel.

    Raises
    ------
    UsageError
        If the number of pages or their size does not match.
    ImageError
        If the file cannot be read, or holds what is no probability.
    """
    name = shown(path)
    found = stored_array(path, name) if path.lower().endswith((".npy", ".npz")) else _pages(path, name)
    if isinstance(k, str) or found.shape != (k, *photo.shape):
        (h, w), got = photo.shape, " × ".join(map(str, found.shape))
        raise UsageError(f"--prior-map {name}: {got} values; give a page of {w} × {h} pixels for each of -k {k}")
    pages = found.astype(np.float32)
    if not (np.isfinite(pages).all() and pages.min() >= 0):
        raise ImageError(f"{name}: a prior holds values below 0, or none; give probabilities, or weights of 0 and more")
    total = pages.sum(0)
    with np.errstate(invalid="ignore"):
        shares = np.where(total > 0, pages / np.maximum(total, np.finfo(np.float32).tiny), np.float32(1 / len(pages)))
    return np.asarray(np.log(np.maximum(shares, LEAST)), np.float32)


def _pages(path: str, name: str) -> NDArray[np.generic]:
    """The pages of a TIFF, (K, H, W)."""
    import tifffile

    try:
        found = np.asarray(tifffile.imread(path))
    except (OSError, ValueError, LookupError, tifffile.TiffFileError) as error:
        raise ImageError(
            f"{name}: cannot be read as a prior; give a TIFF with a page for each class, or .npy"
        ) from error
    return found[None] if found.ndim == 2 else found
