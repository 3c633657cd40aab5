"""TIFF files for other programs: label maps as integers, and planes of float32."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.formats.geotiff_tags import MASK, NODATA, TYPES
from emseg.output.maps.calibration import calibration
from emseg.output.maps.map_parts import map_parts
from emseg.output.pictures.png_encoder import is_plausible
from emseg.output.segmented import Segmented

LARGEST = (1 << 32) - (1 << 25)  # bytes of pixels, from which tifffile takes offsets of 64 bits


def labels_file(result: Segmented) -> bytes:
    """The map of the regions as integers, or that of the classes; in as few of 8, 16 and 32 bits as hold them."""
    parts = map_parts(result)
    return labels_tiff(parts.numbers.astype(np.min_scalar_type(len(parts.classes))), result.image.metadata)


def posterior_file(result: Segmented) -> bytes:
    """The probability of each class at each pixel, a page each."""
    return planes_tiff(result.posterior(), result.image.metadata)


def entropy_file(result: Segmented) -> bytes:
    """The entropy of the posterior in nats."""
    return planes_tiff(result.entropy(), result.image.metadata)


def fractions_file(result: Segmented) -> bytes:
    """The share of each class in each pixel, a page each."""
    return planes_tiff(result.fractions(), result.image.metadata)


def gain_file(result: Segmented) -> bytes:
    """The estimated illumination, 1 on average.

    Raises
    ------
    ValueError
        If it was not looked for.
    """
    if result.gain is None:
        raise ValueError("no illumination was looked for")
    return planes_tiff(result.gain, result.image.metadata)


def labels_tiff(labels: NDArray[np.unsignedinteger[Any]], metadata: Mapping[str, Any]) -> bytes:
    """Labels (H, W) in their own unsigned type; 0 is declared to be "no data" where there is none, or might be."""
    return _tiff(*_pages(labels, metadata), metadata, "0" if "nodata" in metadata or not labels.all() else None)


def planes_tiff(planes: NDArray[Any], metadata: Mapping[str, Any]) -> bytes:
    """One plane (H, W), or a page for each of (K, H, W), as float32."""
    return _tiff(*_pages(planes.astype(np.float32, copy=False), metadata), metadata)


def image_tiff(
    pixels: NDArray[Any],
    colour: str,
    alpha: NDArray[Any] | None,
    metadata: Mapping[str, Any],
    icc: bytes | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> bytes:
    """An image (H, W, C) of any type, with its alpha (H, W) and its colour profile if it has them.

    What is not inside of a mask (H, W) is said to hold no data, by a page of its own as GDAL writes and reads it.

    Slices of a volume are pages. Channels are samples of a page, or pages of their own for ImageJ.
    """
    nodata = metadata.get("nodata")
    samples = pixels if alpha is None else np.dstack([pixels, alpha.astype(pixels.dtype, copy=False)])
    samples = samples.reshape(*metadata.get("volume", samples.shape[:2]), -1)
    space = "ZYX"[-samples.ndim + 1 :]
    if samples.shape[-1] == 1:
        return _tiff(samples[..., 0], space, metadata, nodata, inside=inside, iccprofile=icc)
    if (metadata.get("software") or "imagej" * (samples.ndim > 3)) == "imagej" and colour != "rgb" and alpha is None:
        return _tiff(np.moveaxis(samples, -1, -3), f"{space[:-2]}CYX", metadata, nodata, iccprofile=icc)
    more = samples.shape[-1] - (3 if colour == "rgb" else 1)
    kinds = ["unspecified"] * more
    if alpha is not None:
        kinds[-1] = "unassalpha"
    layout = {"planarconfig": "contig", "extrasamples": kinds or None, "iccprofile": icc}
    photometric = "rgb" if colour == "rgb" else "minisblack"
    return _tiff(samples, f"{space}S", metadata, nodata, photometric, inside, **layout)


def _pages(planes: NDArray[Any], metadata: Mapping[str, Any]) -> tuple[NDArray[Any], str]:
    """Planes (H, W) or (K, H, W), of a volume (Z · Y, X), (Z, Y, X) or K of them, and what their axes are."""
    volume = metadata.get("volume")
    if volume is None:
        return planes, "CYX"[-planes.ndim :]
    if planes.shape[-3:] != volume:
        planes = planes.reshape(*planes.shape[:-2], *volume)
    several = "C" if metadata.get("software") == "ome" else "T"  # channels of ImageJ run faster than its slices
    return planes, f"{several}ZYX"[-planes.ndim :]


def _tiff(
    pixels: NDArray[Any],
    axes: str,
    metadata: Mapping[str, Any],
    nodata: str | None = None,
    photometric: str = "minisblack",
    inside: NDArray[np.bool_] | None = None,
    **layout: Any,
) -> bytes:
    """Encode pixels, a page for each plane, with the resolution and the place of the input."""
    import tifffile

    place: dict[str, Any] = {"extratags": _geo_tags(metadata.get("geotiff", {}))}
    if nodata is not None:
        place["extratags"].append((NODATA, "s", 0, nodata.encode("ascii", "replace"), True))
    if is_plausible(metadata.get("resolution")):
        place |= {"resolution": metadata["resolution"], "resolutionunit": "INCH"}
    place |= calibration(metadata, pixels, axes)
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=pixels.nbytes > LARGEST) as writer:
        writer.write(pixels, photometric=photometric, compression="zlib", metadata=None, **layout, **place)
        if inside is not None:
            writer.write(inside, photometric="mask", subfiletype=MASK, compression="zlib", metadata=None)
    return file.getvalue()


def _geo_tags(values: Mapping[int, Any]) -> list[tuple[int, str, int, Any, bool]]:
    """GeoTIFF tags as tifffile wants them; what is not of its tag's type is left out."""
    tags: list[tuple[int, str, int, Any, bool]] = []
    for code, value in values.items():
        kind = TYPES[code]
        if kind == "s":
            if isinstance(value, str):  # other tags point into it by character
                tags.append((code, kind, 0, value.encode("ascii", "replace"), True))
            continue
        numbers = tuple(value) if isinstance(value, tuple | list) else (value,)
        with suppress(struct.error):
            struct.pack(f"{len(numbers)}{kind}", *numbers)
            tags.append((code, kind, len(numbers), numbers, True))
    return tags
