"""`build_features`: from an image and a specification to standardised samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.features.feature import Feature, Pixels
from emseg.features.model import Features, Floats
from emseg.features.pixel_index import CodeIndex, Index, PixelIndex, Samples, usable
from emseg.features.registry import feature_of
from emseg.features.specification import format_spec, parse_spec
from emseg.image.model import Image
from emseg.records import NamedRecord, replace

EXACT_INTEGERS = 1 << 53  # integers up to which floats of 64 bits hold all


class _Group(NamedRecord):
    """Values that share one scale: their names, the values (d, N), the samples they belong to, and their grain."""

    names: tuple[str, ...]
    values: Floats
    samples: Samples | None  # None: a value for each valid pixel
    grain: Floats  # (d, d)


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
        Whether features may be unknown, NaN, at a pixel of which others are known. A feature of one channel is unknown
        where the channel is. A feature of several channels (lab, hsv, hue, gray, texture) is unknown where any of them
        is. The hue of grey is unknown. Pixels of which only the position is known are left out.

    Raises
    ------
    UsageError
        If the specification is wrong or does not fit the image's channels.
    DataError
        If no pixel is left, the mask has another shape, or the values do not suit the colour space.
    """
    weights = parse_spec(spec, image.colour)
    features = {name: feature_of(name) for name in weights}
    planar = [name for name, feature in features.items() if not feature.fits_volumes]
    if planar and "volume" in image.metadata:
        raise UsageError(f"{option('features')}: {planar[0]} does not fit a volume; leave it out")
    may_move = standard and all(feature.moves or feature.is_position for feature in features.values())
    image, offset = _within_floats(image) if may_move else (image, 0.0)
    pixels = Pixels(image, usable(image, mask), missing)
    groups = [(group, weights[name]) for name, feature in features.items() for group in _measured(feature, pixels)]
    if compress and all(feature.repeats for feature in features.values()):
        index, count = pixels.samples.index, pixels.samples.weight
    else:
        index = PixelIndex(pixels.valid)
        count = np.ones(image.shape[0] * image.shape[1] if pixels.valid is None else np.count_nonzero(pixels.valid))
    names = tuple(name for group, _ in groups for name in group.names)
    x, shift, scale = np.empty((len(names), count.size)), np.empty(len(names)), np.empty(len(names))
    start, slices = 0, []
    for group, weight in groups:
        rows = slice(start, start := start + len(group.names))
        slices.append(rows)
        shift[rows], scale[rows] = _standardise(group, weight) if standard else (0.0, 1.0)
        shift[rows] += offset if group.samples is pixels.samples else 0.0
        _place(group, index, x[rows])
    unit = np.array([weight for group, weight in groups for _ in group.names])
    if missing:
        positions = {name for feature in features.values() if feature.is_position for name in feature.names}
        content = [row for row, name in enumerate(names) if name not in positions] or list(range(len(names)))
        x, count, index = _without_unknown(image, names, x, count, index, content)
    grain = np.zeros((len(names), len(names)))
    for rows, (group, _) in zip(slices, groups, strict=True):
        grain[rows, rows] = group.grain / np.outer(scale[rows], scale[rows])
    return Features(
        x,
        count,
        index,
        names,
        shift,
        scale,
        unit,
        image.shape,
        format_spec(weights),
        grain=grain,
        lattice=pixels.stored_grain[1],
        groups=tuple(slices),
    )


def _within_floats(image: Image) -> tuple[Image, float]:
    """The image less an offset, and the offset, where integers of 64 bits are larger than floats hold them exactly.

    Values are measured from the offset then.
    """
    pixels = image.pixels
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize < 8:
        return image, 0.0
    low, high = int(pixels.min()), int(pixels.max())
    if max(high, -low) <= EXACT_INTEGERS:
        return image, 0.0
    moved = pixels.astype(np.uint64, copy=False) - np.uint64(low % (1 << 64))  # modulo 2⁶⁴, as integers of NumPy are
    return replace(image, pixels=moved, packed=None), float(low)


def _without_unknown(
    image: Image, names: tuple[str, ...], x: Floats, count: Floats, index: Index, content: list[int]
) -> tuple[Floats, Floats, Index]:
    """Samples that are known in some of the rows `content`; DataError if a row is unknown everywhere."""
    unknown = np.isnan(x)
    if unknown.all(1).any():
        name = names[int(unknown.all(1).argmax())]
        raise DataError(f"{image.name}: {name} is unknown in every pixel; leave it out of {option('features')}")
    kept = ~np.asarray(unknown[content].all(0))
    if kept.all():
        return x, count, index
    plane = np.zeros(image.shape[0] * image.shape[1], np.uint8)
    index.spread(kept.astype(np.uint8), plane)
    if isinstance(index, CodeIndex):
        index = replace(index, distinct=index.distinct[kept], valid=plane > 0)
    else:
        index = PixelIndex(plane > 0)
    return np.ascontiguousarray(x[:, kept]), count[kept], index


def _measured(feature: Feature, pixels: Pixels) -> list[_Group]:
    """The values of a feature, in groups that share one scale."""
    values, names = feature.measure(pixels), feature.value_names(pixels.image.pixels.shape[2])
    samples, grain = pixels.samples if feature.repeats else None, feature.grain(pixels, values)
    if not feature.own_scales:
        return [_Group(names, values, samples, grain)]
    each = enumerate(zip(names, values, strict=True))
    return [_Group((name,), row[None], samples, grain[i : i + 1, i : i + 1]) for i, (name, row) in each]


def _standardise(group: _Group, weight: float) -> tuple[Floats, float]:
    """Bring the group's values to mean 0 and mean variance weight² in place; return shift and scale of the way back."""
    _, values, samples, _ = group
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
    """`_standardise` for values of which some are unknown, NaN."""
    _, values, samples, _ = group
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
    """Copy a group's values (d, n) to the rows of x for its features, (d, N)."""
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
