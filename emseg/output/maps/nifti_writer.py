"""Label maps as NIfTI volumes, in the place of the volume they were made from."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.output.segmented import Segmented


def labels_file(result: Segmented) -> bytes:
    """The label map in the place of its volume."""
    return labels_nifti(result.labels, result.image.metadata)


def labels_nifti(labels: NDArray[np.unsignedinteger[Any]], metadata: Mapping[str, Any]) -> bytes:
    """Labels (Z, Y, X), or of slices below one another, as a volume (X, Y, Z) with its source's affine, gzipped."""
    import nibabel

    source = metadata["nifti"]
    volume = labels.reshape(metadata["volume"]).transpose(2, 1, 0)
    image = nibabel.Nifti1Image(volume, source["affine"])
    image.header.set_xyzt_units(*source["header"].get_xyzt_units())
    image.set_qform(source["affine"], int(source["header"]["qform_code"]))
    image.set_sform(source["affine"], int(source["header"]["sform_code"]))
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
