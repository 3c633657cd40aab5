"""Label maps as NIfTI volumes, in the place of the volume they were made from."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def labels_nifti(labels: NDArray[np.unsignedinteger[Any]], metadata: Mapping[str, Any]) -> bytes:
    """Labels of slices below one another, (Z · Y, X), as a volume (X, Y, Z) with the affine of its source, gzipped."""
    import nibabel

    source = metadata["nifti"]
    volume = labels.reshape(metadata["volume"]).transpose(2, 1, 0)
    image = nibabel.Nifti1Image(volume, source["affine"])
    image.header.set_xyzt_units(*source["header"].get_xyzt_units())
    image.set_qform(source["affine"], int(source["header"]["qform_code"]))
    image.set_sform(source["affine"], int(source["header"]["sform_code"]))
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def montage(stack: NDArray[Any], volume: tuple[int, int, int]) -> NDArray[Any]:
    """Lay slices that are below one another, (Z · Y, X, …), out in a grid that is about as wide as it is high."""
    z, y, x = volume
    columns = min(z, math.ceil((z * y / x) ** 0.5))
    rows = -(-z // columns)
    out = np.zeros((rows * columns, y, x, *stack.shape[2:]), stack.dtype)
    out[:z] = stack.reshape(volume + stack.shape[2:])
    grid = out.reshape(rows, columns, y, x, *stack.shape[2:]).swapaxes(1, 2)
    return grid.reshape(rows * y, columns * x, *stack.shape[2:])
