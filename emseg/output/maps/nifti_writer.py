"""Results as NIfTI volumes, in the place of the volume they were made from."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.output.segmented import Segmented

#: Fields of a header that say where the volume is, how large voxels are, and the units.
PLACE = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z", "xyzt_units"),
)
SIDES = 4  # numbers of `pixdim` that tell the handedness and the sides of voxels
LONGEST = 32767  # voxels along an axis that a header of the first version can tell
RED_GREEN_BLUE = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


def labels_file(result: Segmented) -> bytes:
    """The label map in the place of its volume."""
    return nifti(result.labels, result.image.metadata)


def regions_file(result: Segmented) -> bytes:
    """The map of the regions in the place of its volume.

    Raises
    ------
    ValueError
        If they were not looked for.
    """
    if result.regions is None:
        raise ValueError("no regions were looked for")
    least = np.min_scalar_type(result.regions.count)
    # Many programs read no unsigned integers of 32 bits.
    return nifti(result.regions.ids.astype(np.int32 if least.itemsize > 2 else least), result.image.metadata)


def posterior_file(result: Segmented) -> bytes:
    """The probability of each class at each voxel, along the fourth axis."""
    return nifti(result.posterior(), result.image.metadata)


def entropy_file(result: Segmented) -> bytes:
    """The entropy of the posterior in nats."""
    return nifti(result.entropy(), result.image.metadata)


def fractions_file(result: Segmented) -> bytes:
    """The share of each class in each voxel, along the fourth axis."""
    return nifti(result.fractions(), result.image.metadata)


def gain_file(result: Segmented) -> bytes:
    """The estimated illumination, 1 on average.

    Raises
    ------
    ValueError
        If it was not looked for.
    """
    if result.gain is None:
        raise ValueError("no illumination was looked for")
    return nifti(result.gain, result.image.metadata)


def restored_nifti(image: Image) -> bytes:
    """A restored volume in the type of its pixels, with the whole header of its source."""
    pixels = np.moveaxis(image.pixels, 2, 0)
    if image.colour == "rgb" and pixels.dtype == np.uint8:
        colours = np.ascontiguousarray(image.pixels).view(RED_GREEN_BLUE)
        return nifti(colours[:, :, 0], image.metadata, whole_header=True)
    return nifti(pixels if len(pixels) > 1 else pixels[0], image.metadata, whole_header=True)


def nifti(values: NDArray[Any], metadata: Mapping[str, Any], whole_header: bool = False) -> bytes:
    """A volume, or K of them along the fourth axis, gzipped.

    Parameters
    ----------
    values : ndarray, shape (Z, Y, X), (Z · Y, X), (K, Z, Y, X) or (K, Z · Y, X)
    metadata : mapping
        That of the image, with the shape and the header of its volume.
    whole_header : bool
        Whether all is kept that the source's header says, as time steps and descriptions, or the place alone.
    """
    import nibabel

    source, (z, y, x) = metadata["nifti"], metadata["volume"]
    count = values.size // (z * y * x)
    volume = values.reshape(count, z, y, x).transpose(3, 2, 1, 0)
    stored = source["header"]
    if whole_header:
        lengths = [int(length) for length in stored["dim"][4 : int(stored["dim"][0]) + 1]]
        volume = volume.reshape(x, y, z, *lengths) if np.prod(lengths) == count else volume
    if volume.shape[-1] == 1 and volume.ndim == 4:
        volume = volume[..., 0]
    second = isinstance(stored, nibabel.Nifti2Header) or max(volume.shape) > LONGEST
    kind: Any = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    header = kind.header_class.from_header(stored) if whole_header else kind.header_class()
    for field in PLACE:
        header[field] = stored[field]
    if whole_header:
        header.set_slope_inter(1, 0)
    header.set_data_dtype(volume.dtype)
    header["pixdim"][:SIDES] = stored["pixdim"][:SIDES]
    image = kind(volume, source["affine"], header, dtype=volume.dtype)
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
