"""The image with its classes, or its regions, tinted and outlined.

Every pixel takes the hue of its label. Its lightness is that of the label's pixels, shifted by how much lighter or
darker the pixel is than they are on average. So both the labels and the detail within them can be read. There are few
distinct colours, so the picture is a palette PNG: at 12 MP an eighth of the time of an RGB one, and one byte a pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.numerics.quantiles import quantiles
from emseg.output.pictures.label_pictures import region_ids
from emseg.output.pictures.oklab import oklab, srgb
from emseg.output.pictures.palette import palette
from emseg.output.pictures.png_encoder import HUFFMAN, encode, palette_png
from emseg.output.pictures.slices import as_plane
from emseg.output.segmented import Segmented

Labels = NDArray[np.unsignedinteger[Any]]

_BLOCK = 1 << 16  # pixels at a time: the buffers stay in the cache
_SAMPLE = 1 << 16  # pixels of which quantiles are taken: the standard error of their rank is 0.002
_FEWEST_TONES = 7  # below this, banding is worse than a slow RGB file


def overlay_file(result: Segmented) -> bytes:
    """The image tinted by its classes, or by its connected regions if they were looked for."""
    image, labels = as_plane(result.image, result.labels)
    if result.regions is None:
        return overlay_png(image, labels, palette(result.mixture.k))
    ids = region_ids(result)
    return overlay_png(image, ids, palette(int(ids.max())))


def overlay_png(image: Image, labels: Labels, colours: NDArray[np.uint8]) -> bytes:
    """Tint `image` with the colours (K + 1, 3) of its labels (H, W), draw the boundaries, and return a PNG.

    Label 0 ("no data") shows as a dark grey image. Boundaries are lines of one pixel up to 2 MP, wider in proportion
    beyond, so that a picture scaled to the screen still shows them.
    """
    tones = 255 // len(colours)
    as_rgb = tones < _FEWEST_TONES
    tones = 32 if as_rgb else tones
    luma_at = _luma(image)
    tints, tone_of = _tints(image, labels, luma_at, colours, tones)
    table = np.concatenate([tints, np.full((1, 3), 255, np.uint8)])
    picture = np.empty((*labels.shape, 3) if as_rgb else labels.shape, np.uint8)
    line = max(1, round((labels.size / 2e6) ** 0.5))
    height = max(1, _BLOCK // labels.shape[1])
    for top in range(0, len(labels), height):
        rows = slice(top, min(top + height, len(labels)))
        index = np.take(tone_of, _code(labels[rows], luma_at(rows)), mode="clip")
        np.putmask(index, _boundaries(labels, rows, line), len(table) - 1)
        picture[rows] = table[index] if as_rgb else index
    return encode("RGB", picture, HUFFMAN) if as_rgb else palette_png(picture, table, HUFFMAN)


def _code(labels: Labels, luma: NDArray[np.uint8]) -> Labels:
    """256 · label + luma, for each pixel."""
    code: NDArray[Any] = labels.astype(np.uint16 if labels.itemsize == 1 else np.uint32)
    code *= 256
    code += luma
    return code


def _tints(
    image: Image, labels: Labels, luma_at: Callable[[Any], NDArray[np.uint8]], colours: NDArray[np.uint8], tones: int
) -> tuple[NDArray[np.uint8], Labels]:
    """Colours of all tones of all labels ((K + 1) tones, 3), and the index of each (label, luma) among them (flat).

    The tones of a label are spread over the luma that occurs in its pixels.
    """
    thin = _thinning(image)
    count = np.bincount(_code(labels[thin], luma_at(thin)).ravel(), minlength=256 * len(colours)).reshape(-1, 256)
    low, high = _quantiles(count[1:].sum(axis=0, keepdims=True), 0.01, 0.99)
    darkest, median, lightest = (q[:, None] for q in _quantiles(count, 0.01, 0.5, 0.99))
    step = (np.arange(256) - darkest) * tones // (lightest - darkest + 1)
    tone_of = np.clip(step, 0, tones - 1) + tones * np.arange(len(colours))[:, None]

    luma = darkest + (lightest - darkest + 1) * (np.arange(tones) + 0.5) / tones
    light, level = ((value - low) / (high - low + 1) for value in (luma, median))
    base = oklab(colours)[:, None, :]
    lightness = 0.6 * base[..., 0] + 0.4 * (0.35 + 0.5 * level) + 0.7 * (light - level)
    lightness[0] = 0.12 + 0.35 * light[0]
    hue = np.broadcast_to(base[..., 1:], (*lightness.shape, 2))
    lab = np.concatenate([np.clip(lightness, 0.1, 0.97)[..., None], hue], axis=2)
    flat: NDArray[Any] = tone_of.ravel().astype(np.uint8 if len(lab) * tones < 256 else np.uint32)
    return srgb(lab.reshape(-1, 3)), flat


def _quantiles(count: NDArray[np.intp], *shares: float) -> list[NDArray[np.intp]]:
    """Quantiles of each row of a histogram: the bins below which these shares of it lie."""
    below = count.cumsum(axis=1)
    return [(below >= share * below[:, -1:]).argmax(axis=1) for share in shares]


def _thinning(image: Image) -> tuple[slice, slice]:
    step = max(1, int((image.shape[0] * image.shape[1] / _SAMPLE) ** 0.5))
    return slice(None, None, step), slice(None, None, step)


def _luma(image: Image) -> Callable[[Any], NDArray[np.uint8]]:
    """The function from a part of the grid to its luma, 0 to 255. Other pixels than 8-bit RGB are stretched to that."""
    packed, pixels = image.packed, image.pixels
    if packed is not None:
        return lambda where: _packed_luma(packed[where])
    thin = _thinning(image)
    sample = _grey(pixels[thin])[... if image.valid is None else image.valid[thin]]
    low, high = quantiles(sample.ravel(), 0.01, 0.99) if sample.size else (0.0, 1.0)
    span = (high - low) or 1.0
    return lambda where: (np.clip((_grey(pixels[where]) - low) / span, 0, 1) * 255).astype(np.uint8)


def _grey(pixels: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Rec. 601 luma of three channels, the mean of any other number; missing values count as 0."""
    bands = pixels.shape[-1]
    weight = np.array([0.299, 0.587, 0.114] if bands == 3 else [1 / bands] * bands, np.float32)
    wide = pixels.astype(np.result_type(pixels, np.float32), copy=False)
    with np.errstate(invalid="ignore"):  # infinities of both signs in a pixel
        return np.asarray(np.nan_to_num(wide @ weight, copy=False, posinf=0, neginf=0))


def _packed_luma(packed: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """(77 R + 150 G + 29 B) / 256 of packed words, two channels in one multiplication; the sum is in the top byte."""
    word = packed & 0x00FF00FF
    word *= 29 + (77 << 16)
    green = packed & 0x0000FF00
    green *= 150 << 8
    word += green
    word >>= 24
    return word.astype(np.uint8)


def _boundaries(labels: Labels, rows: slice, line: int) -> NDArray[np.bool_]:
    """Where a label differs from the one to the right or below, as lines `line` pixels wide; shape (rows, W).

    A change counts if no other follows within `line` pixels. Otherwise, the specks of a noisy map would hide the
    picture.
    """
    halo = 2 * line
    first = max(rows.start - halo, 0)
    near = labels[first : rows.stop + halo]
    edge = np.zeros(near.shape, np.bool_)
    edge[:-1] = _steps(near, line)
    edge[:, :-1] |= _steps(near.T, line).T
    if line > 1:
        edge = _thicken(_thicken(edge, line).T, line).T
    return edge[rows.start - first : rows.stop - first]


def _steps(labels: Labels, clear: int) -> NDArray[np.bool_]:
    """Changes along the first axis that have `clear` equal pairs before and behind them."""
    same = np.equal(labels[1:], labels[:-1])
    step = np.logical_not(same)
    for shift in range(1, clear + 1):
        step[shift:] &= same[:-shift]
        step[:-shift] &= same[shift:]
    return step


def _thicken(edge: NDArray[np.bool_], line: int) -> NDArray[np.bool_]:
    """Widen along the first axis to `line` pixels, around the change."""
    thick = edge.copy()
    for shift in range(1, line):
        back = (shift + 1) // 2
        if shift % 2:
            thick[back:] |= edge[:-back]
        else:
            thick[:-back] |= edge[back:]
    return thick
