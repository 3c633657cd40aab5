"""PNG files in memory: back to pixels, and scaled down for notebooks."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.numerics.quantiles import quantiles
from emseg.output.pictures.slices import montage

LONGEST = 1024  # pixels of the longer side of a picture in a notebook


def decoded(png: bytes) -> NDArray[np.uint8]:
    """The colours of a picture, shape (H, W, 3)."""
    with PIL.Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        return np.asarray(picture.convert("RGB"))


def thumbnail(png: bytes) -> bytes:
    """The picture, no larger than `LONGEST`."""
    with PIL.Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        if max(picture.size) <= LONGEST:
            return png
        small = picture.convert("RGB")
        small.thumbnail((LONGEST, LONGEST), PIL.Image.Resampling.BOX)
        out = io.BytesIO()
        small.save(out, "PNG")
        return out.getvalue()


def preview(image: Image) -> bytes:
    """A PNG of an image of any type, no larger than `LONGEST`: of many bands the first, stretched to 8 bits."""
    pixels, volume = image.pixels, image.metadata.get("volume")
    pixels = pixels if volume is None else montage(pixels, volume)
    pixels = pixels if pixels.shape[2] == 3 else pixels[:, :, :1]
    step = max(1, -(-max(pixels.shape[:2]) // LONGEST))
    pixels = pixels[::step, ::step]
    if pixels.dtype != np.uint8:
        wide = np.nan_to_num(pixels.astype(np.float64), posinf=0, neginf=0)
        low, high = quantiles(wide.ravel(), 0.001, 0.999)
        pixels = (np.clip((wide / 2 - low / 2) / ((high / 2 - low / 2) or 1.0), 0, 1) * 255).round().astype(np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).save(out, "PNG")
    return out.getvalue()
