"""`build_features`: from an image and a specification to standardised samples."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError
from emseg.features.colour import POINTWISE, gray, has_unit_scale
from emseg.features.model import Features, Floats
from emseg.features.pixel_index import CodeIndex, Index, Mask, PixelIndex, Samples, distinct_samples, usable
from emseg.features.specification import format_spec, parse_spec
from emseg.image.model import Image


class _Group(NamedTuple):
    """Features that share one scale: names, values (d, N) of samples, and which pixels these are."""

    names: tuple[str, ...]
    values: Floats
    samples: Samples | None  # None: one per valid pixel


def build_features(
    image: Image,
    spec: str = "auto",
    mask: NDArray[np.bool_] | None = None,
    compress: bool = True,
    standard: bool = True,
    missing: bool = False,
) -> Features:
    """Measure the features `spec` names at every valid pixel, and standardise them.

    Each group (lab, xy, …) is centred and divided by one common number, the root mean of its variances, so that
    distances within a group keep their proportions; its weight then multiplies it. Texture measures have no common
    unit, so each is a group of its own.

    Parameters
    ----------
    image : Image
    spec : str
        See `parse_spec`.
    mask : ndarray of bool, shape (H, W), optional
        False where pixels are to be left out, besides those the image itself calls invalid.
    compress : bool
        Keep one sample per distinct value where features depend on the pixel's value alone. The fit is the same.
    standard : bool
        False to leave the features in their own units: shift 0, scale 1. Weights have no meaning then.
    missing : bool
        Whether features may be unknown, NaN, at a pixel of which others are known: those of a channel that is, those
        that mix channels (lab, hsv, hue, gray, texture) where any of them is, and the hue of what is grey. Pixels of
        which nothing but the position is known are left out.

    Raises
    ------
    UsageError
        If the specification is wrong or does not fit the image's channels.
    DataError
        If no pixel is left, the mask has another shape, or the values do not suit the colour space.
    """
    weights = parse_spec(spec, image.colour)
    flat = [name for name in weights if name not in POINTWISE]
    if flat and "volume" in image.metadata:
        raise UsageError(f"--features: {flat[0]} does not fit a volume; leave it out")
    valid = usable(image, mask)
    samples = distinct_samples(image, valid) if any(name in POINTWISE for name in weights) else None
    groups = [
        (group, weight) for name, weight in weights.items() for group in _measure(name, image, valid, samples, missing)
    ]
    if compress and samples and all(name in POINTWISE for name in weights):
        index, count = samples.index, samples.weight
    else:
        index = PixelIndex(valid)
        count = np.ones(image.shape[0] * image.shape[1] if valid is None else np.count_nonzero(valid))
    names = tuple(name for group, _ in groups for name in group.names)
    x, shift, scale = np.empty((len(names), count.size)), np.empty(len(names)), np.empty(len(names))
    start = 0
    for group, weight in groups:
        rows = slice(start, start := start + len(group.names))
        shift[rows], scale[rows] = _standardise(group, weight) if standard else (0.0, 1.0)
        _place(group, index, x[rows])
    unit = np.array([weight for group, weight in groups for _ in group.names])
    if missing:
        measured = [row for row, name in enumerate(names) if name not in ("x", "y")] or list(range(len(names)))
        x, count, index = _without_unknown(image, names, x, count, index, measured)
    return Features(x, count, index, names, shift, scale, unit, image.shape, format_spec(weights))


def _without_unknown(
    image: Image, names: tuple[str, ...], x: Floats, count: Floats, index: Index, measured: list[int]
) -> tuple[Floats, Floats, Index]:
    """Samples of which something is known; raise DataError if there is a feature of which nothing is."""
    unknown = np.isnan(x)
    if unknown.all(1).any():
        name = names[int(unknown.all(1).argmax())]
        raise DataError(f"{image.name}: {name} is unknown in every pixel; leave it out of --features")
    kept = ~np.asarray(unknown[measured].all(0))
    if kept.all():
        return x, count, index
    plane = np.zeros(image.shape[0] * image.shape[1], np.uint8)
    index.spread(kept.astype(np.uint8), plane)
    if isinstance(index, CodeIndex):
        index = replace(index, distinct=index.distinct[kept], valid=plane > 0)
    else:
        index = PixelIndex(plane > 0)
    return np.ascontiguousarray(x[:, kept]), count[kept], index


def _measure(name: str, image: Image, valid: Mask | None, samples: Samples | None, missing: bool) -> list[_Group]:
    """The group or groups that one name of the specification stands for."""
    if samples and name in POINTWISE:
        stored, known = samples.values, samples.known
        if known is not None:  # any known value will do where there is none
            stored = np.where(known, stored, stored[known].min())
        if name in ("lab", "hsv", "hue", "chroma") and not has_unit_scale(stored):
            raise DataError(
                f"{image.name}: {name} needs 8- or 16-bit colours or floats in 0...1, found {stored.dtype} "
                f"from {stored.min():g} to {stored.max():g}; use --features rgb"
            )
        if stored.dtype.kind == "f" and stored.any() and not 1e-140 < float(np.abs(stored).max()) < 1e140:
            raise DataError(f"{image.name}: squares of its values leave the range of numbers; scale the values first")
        transform, names = POINTWISE[name]
        values = transform(stored)
        if known is not None:
            values[~known if name in ("rgb", "bands") else np.broadcast_to(~known.all(0), values.shape)] = np.nan
        if missing and name == "hue":
            values[:, stored.max(0) == stored.min(0)] = np.nan
        return [_Group(names or tuple(f"band {c + 1}" for c in range(len(stored))), values, samples)]
    if name == "texture":
        from emseg.features.texture import MEASURES

        planes = _texture(image, valid)
        return [_Group((measure,), plane[None], None) for measure, plane in zip(MEASURES, planes, strict=True)]
    planes = np.indices(image.shape, np.float64)[::-1].reshape(2, -1)
    return [_Group(("x", "y"), np.array(planes) if valid is None else planes[:, valid], None)]


def _texture(image: Image, valid: Mask | None) -> Floats:
    """Texture of the luma, or of the mean of the bands, shape (3, N)."""
    from emseg.features.texture import texture

    stored = np.moveaxis(image.pixels, -1, 0)
    luminance = stored.mean(axis=0, dtype=np.float64) if image.colour == "bands" else gray(stored)[0]
    whole = None if valid is None else valid.reshape(image.shape)
    if image.known is not None:
        seen = np.asarray(image.known.all(axis=2))
        whole = seen if whole is None else np.logical_and(whole, seen)
        if not np.any(whole):
            raise DataError(f"{image.name}: texture needs all channels, and no pixel has them; leave it out")
        luminance = np.where(whole, luminance, 0)
    planes = texture(luminance, whole).reshape(3, -1)
    if image.known is not None and whole is not None:
        planes[:, ~whole.ravel()] = np.nan
    return planes if valid is None else planes[:, valid]


def _standardise(group: _Group, weight: float) -> tuple[Floats, float]:
    """Bring the group's values to mean 0 and mean variance weight² in place; return shift and scale of the way back."""
    _, values, samples = group
    if np.isnan(values).any():
        return _standardise_known(group, weight)
    share = samples.weight / samples.weight.sum() if samples else np.full(values.shape[1], 1 / values.shape[1])
    shift = values @ share
    values -= shift[:, None]
    variance = np.mean([np.einsum("n,n,n", row, row, share) for row in values])
    spread = math.sqrt(variance)
    scale = (spread if spread > 1e-12 * np.abs(shift).max() else 1.0) / weight  # rounding is no variation
    values /= scale
    return shift, scale


def _standardise_known(group: _Group, weight: float) -> tuple[Floats, float]:
    """The same for what is known."""
    _, values, samples = group
    known = ~np.isnan(values)
    share = known * (samples.weight if samples else 1.0)
    share /= np.maximum(share.sum(1, keepdims=True), 1)
    shift = np.where(known, values * share, 0).sum(1)
    values -= shift[:, None]
    spread = math.sqrt(np.where(known, values * values * share, 0).sum(1).mean())
    scale = (spread if spread > 1e-12 * np.abs(shift).max() else 1.0) / weight
    values /= scale
    return shift, scale


def _place(group: _Group, index: Index, out: Floats) -> None:
    """Copy a group's values (d, n) to the samples they are wanted for, (d, N)."""
    if group.samples is None or group.samples.index is index or isinstance(group.samples.index, PixelIndex):
        out[:] = group.values
        return
    codes = group.samples.index
    for row, wanted in zip(group.values, out, strict=True):
        if codes.valid is None:
            codes.spread(row, wanted)
        else:
            plane = np.empty(codes.codes.size)
            codes.spread(row, plane)
            wanted[:] = plane[codes.valid]
