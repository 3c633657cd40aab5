"""The image with its regions tinted and outlined.

Every pixel keeps the image's lightness and takes its region's hue, so detail stays readable under the colours. There
are then few distinct colours: one block of tones a region. Written as a palette PNG this costs a 12 MP picture an
eighth of the time an RGB one takes, and a byte a pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.output.oklab import oklab, srgb
from emseg.output.png import HUFFMAN, encode, palette_png

_BLOCK = 1 << 16  # pixels at a time: the buffers stay in the cache
_SAMPLE = 1 << 16
_FEWEST_TONES = 7  # below this, banding is worse than a slow RGB file


def overlay_png(image: Image, labels: NDArray[np.unsignedinteger[Any]], colours: NDArray[np.uint8]) -> bytes:
    """Tint `image` with the colours (K + 1, 3) of its labels (H, W), draw the boundaries, and return a PNG.

    Label 0 ("no data") shows as a dark grey image. Boundaries are lines of one pixel up to 2 MP, wider in proportion
    beyond, so that a picture scaled to the screen still shows them.
    """
    tones = 255 // len(colours)
    if tones < _FEWEST_TONES:
        tones, mode = 32, "RGB"
        picture = np.empty((*labels.shape, 3), np.uint8)
    else:
        mode = "P"
        picture = np.empty(labels.shape, np.uint8)
    table = np.concatenate([_tints(colours, tones).reshape(-1, 3), np.full((1, 3), 255, np.uint8)])
    index_type = np.uint8 if mode == "P" else np.uint32
    width = max(1, round((labels.size / 2e6) ** 0.5))
    tone_of = _tone_curve(image, tones)
    height = max(1, _BLOCK // labels.shape[1])
    for top in range(0, len(labels), height):
        rows = slice(top, min(top + height, len(labels)))
        index: NDArray[Any] = labels[rows].astype(index_type)
        index *= index_type(tones)
        index += tone_of(rows)
        index[_boundaries(labels, rows, width)] = len(table) - 1
        picture[rows] = index if mode == "P" else table[index]
    return palette_png(picture, table, HUFFMAN) if mode == "P" else encode(mode, picture, HUFFMAN)


def _tints(colours: NDArray[np.uint8], tones: int) -> NDArray[np.uint8]:
    """Table (K + 1, tones, 3): each colour from its darkest to its lightest tone."""
    base = oklab(colours)[:, None, :]
    tone = np.linspace(0, 1, tones)[None, :, None]
    lightness = 0.3 + 0.5 * tone + 0.4 * (base[..., :1] - 0.65)  # dark regions are lifted until their hue can be seen
    lightness[0] = 0.12 + 0.4 * tone[0]
    return srgb(np.concatenate([lightness, np.broadcast_to(base[..., 1:], (len(colours), tones, 2))], axis=2))


def _tone_curve(image: Image, tones: int) -> Callable[[slice], NDArray[np.uint8]]:
    """Return the function from rows to tones (rows, W): grey values stretched between their 1st and 99th percentile."""
    height, width = image.shape
    step = max(1, int((height * width / _SAMPLE) ** 0.5))
    pixels, packed, valid = image.pixels[::step, ::step], image.packed, image.valid
    sample = _grey(pixels)[slice(None) if valid is None else valid[::step, ::step]]
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, (1, 99)) if sample.size else (0.0, 1.0)
    scale = (tones - 1e-6) / max(high - low, 1e-30)
    curve = np.clip((np.arange(256) - low) * scale, 0, tones - 1).astype(np.uint8)
    if packed is not None:
        return lambda rows: np.take(curve, _luma(packed[rows]), mode="clip")

    def stretched(rows: slice) -> NDArray[np.uint8]:
        grey = np.nan_to_num(_grey(image.pixels[rows]), copy=False)
        return np.clip((grey - low) * scale, 0, tones - 1).astype(np.uint8)

    return stretched


def _grey(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Rec. 601 luma of three channels, the mean of any other number, as float32."""
    bands = pixels.shape[2]
    weight = np.array([0.299, 0.587, 0.114] if bands == 3 else [1 / bands] * bands, np.float32)
    return np.asarray(pixels.astype(np.float32) @ weight)


def _luma(packed: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """(77 R + 150 G + 29 B) / 256 of packed words, two channels in one multiplication, summed in the top byte."""
    word = packed & 0x00FF00FF
    word *= 29 + (77 << 16)
    green = packed & 0x0000FF00
    green *= 150 << 8
    word += green
    word >>= 24
    return word.astype(np.uint8)


def _boundaries(labels: NDArray[np.unsignedinteger[Any]], rows: slice, width: int) -> NDArray[np.bool_]:
    """Where a label differs from the one to the right or below, as lines of `width` pixels; shape (rows, W)."""
    before, after = width // 2, (width - 1) // 2
    first, last = max(rows.start - after, 0), min(rows.stop + before, len(labels))
    near = labels[first : last + 1]
    edge = np.zeros((last - first, labels.shape[1]), np.bool_)
    edge[: len(near) - 1] = near[: last - first][: len(near) - 1] != near[1:]
    edge[:, :-1] |= near[: len(edge), :-1] != near[: len(edge), 1:]
    for axis in (0, 1) if width > 1 else ():
        edge = _thicken(edge, before, after, axis)
    return edge[rows.start - first : rows.stop - first]


def _thicken(edge: NDArray[np.bool_], before: int, after: int, axis: int) -> NDArray[np.bool_]:
    thin = np.moveaxis(edge, axis, 0)
    thick = thin.copy()
    for shift in range(1, before + 1):
        thick[:-shift] |= thin[shift:]
    for shift in range(1, after + 1):
        thick[shift:] |= thin[:-shift]
    return np.moveaxis(thick, 0, axis)
