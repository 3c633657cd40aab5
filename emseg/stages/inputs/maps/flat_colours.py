"""Drawings: pictures of flat colours, whose pixels at edges mix them.

Antialiasing, and the halved resolution of colours in JPEG files, leave pixels between two colours. A class that is
broad enough for all of them is likelier than two of the colours that are close to each other. So the mixture is fitted
to the other pixels, the pure ones, and labels all.

A pixel is flat if it differs little from the eight around it. It is mixed if it lies between two that face each other.
A picture is a drawing if balls around K colours or fewer cover its flat pixels, far from each other, and if no pixel
is far from a pure one. Colours without flat pixels, as those of thin strokes, are found among pixels that are neither
flat nor mixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.errors import option
from emseg.features.model import Features
from emseg.features.registry import feature_of
from emseg.features.specification import parse_spec
from emseg.image.model import Image
from emseg.numerics.quantiles import quantiles
from emseg.stages.inputs.maps.pixel_weights import counting
from emseg.stages.inputs.measurement import ALIKE_EXACT, ALIKE_JPEG, FEW, balls, complete_pixels, least_distance

Colours = NDArray[np.float32]
Plane = NDArray[np.bool_]
SEEN = 1500  # pixels of which the colours are found
STRIP = 1 << 18  # pixels that are looked at together
REACH = 2  # pixels on either side of one that may be mixed; chroma of JPEG files is half as fine as brightness
STRAIGHT = 0.8  # cosine of the angle between both sides of a mixed pixel, at least
RANGED, TAIL = 100_000, 0.002  # values of which the range is found, and the share left out at either end
FAR_OFF = 1e4  # 255ths of the range, that a value counts as being away from it at most
EDGES = 0.001  # share of the pixels that are not pure, from which on it matters


class Scale(NamedTuple):
    """How alike the pixels of one colour are, in 255ths of the range of values; and what makes a drawing.

    Twenty-eight drawings (blocks, discs, text, a chart, maps, with 2 to 12 colours, as PNG and JPEG) and 35 photographs
    (the samples, 13 images of nuclei, 16 of colours in the light) chose these. Stored exactly, drawings have colours 72
    and more apart, photographs 16 at most where balls cover as much. As JPEG, 85 at most where as few are far.

    Attributes
    ----------
    flat : float
        Largest range of the values around a flat pixel.
    radius : float
        Of a ball around a colour.
    thin : float
        Of a ball around a colour without flat pixels; 0 if there is to be none, as JPEG files blur thin strokes.
    apart : float
        Least distance of two colours.
    uncovered, far : float
        Shares of the flat pixels outside of all balls, and of all pixels far from pure ones, at most.
    all_found : bool
        Whether there must be a colour for each class: another one would be the noise of JPEG in one of them.
    """

    flat: float
    radius: float
    apart: float
    thin: float
    uncovered: float
    far: float
    all_found: bool = False


EXACT = Scale(*ALIKE_EXACT, 2, 0.02, 0.05)
JPEG = Scale(*ALIKE_JPEG, 0, 0.01, 0.01, True)
NEAR = 3  # pixels from a pure one, as far is meant
#: Pixels within which a mixed one has two colours that it may mix: a block of JPEG; and the share that may have not, as
#: noise is no edge. The drawings have .000 to .061, four noisy bands .44.
BESIDE, UNEXPLAINED = 8, 0.08


def without_edges(photo: Image, inside: Plane | None, features: Features, k: int) -> tuple[Features, tuple[str, ...]]:
    """Features that count pure pixels alone, and a line that says so; of other pictures than drawings, as they are."""
    every = features.x.shape[1] <= k  # value is a class, as is asked for
    if every or not all(feature_of(name).repeats for name in parse_spec(features.spec)):
        return features, ()
    pure = pure_pixels(photo, inside, k)
    if pure is None:
        return features, ()
    if photo.known is not None:  # pixels that are known in part are used, if at all, by what is known
        pure = pure | ~photo.known.all(axis=2)
    counted = counting(features, pure)
    share = 1 - counted.n_pixels / features.n_pixels
    line = f"{share:.1%} of the pixels are at edges of flat colours, and are left out of the fit"
    return counted, (f"{line}; {option('stray', 'fit')} counts them",)


def scale_of(photo: Image) -> Scale:
    """How alike the pixels of one colour are, by how the file stores them."""
    return JPEG if "quantisation" in photo.metadata else EXACT


def pure_pixels(photo: Image, inside: Plane | None, k: int) -> Plane | None:
    """The pixels (H, W) of a drawing that do not mix colours; None if it is no drawing, or none does.

    Parameters
    ----------
    photo : Image
    inside : ndarray of bool, shape (H, W), optional
        Pixels to use.
    k : int
        Number of classes.
    """
    scale, valid = scale_of(photo), _usable(photo, inside)
    low, unit = _range(photo.pixels, valid)
    if not 0 < unit < np.inf:
        return None
    flat, mixed = np.zeros(photo.shape, np.bool_), np.zeros(photo.shape, np.bool_)
    for rows, strip, there in _strips(photo.pixels, valid, low, unit):
        flat[rows] = _flat(strip, there, scale.flat)
    colours, uncovered = balls(_some(photo.pixels, flat, low, unit), k, scale.radius)
    if not len(colours) or uncovered > scale.uncovered:
        return None
    for rows, strip, there in _strips(photo.pixels, valid, low, unit):  # now only: photographs end above
        mixed[rows] = _mixed(strip, there, max(4.0, scale.flat / 2))
    sharp = ~(flat | mixed) if valid is None else ~(flat | mixed) & valid
    sharp &= ~_near(photo.pixels, colours, 2 * scale.radius, low, unit)
    thin = colours[:0]
    if scale.thin and len(colours) < k and np.count_nonzero(sharp) >= FEW:
        thin, _ = balls(_some(photo.pixels, sharp, low, unit), k - len(colours), scale.thin)
    if scale.all_found and len(colours) + len(thin) < k:
        return None
    if least_distance(np.concatenate([colours, thin])) < scale.apart:
        return None
    pure = ~mixed & _near(photo.pixels, colours, scale.radius, low, unit)
    if len(thin):
        pure = pure & flat | sharp & _near(photo.pixels, thin, scale.thin, low, unit)
    if valid is not None:
        pure &= valid
    if np.count_nonzero(pure if valid is None else pure | ~valid) > (1 - EDGES) * pure.size:
        return None
    wide = pure | sharp & _near(photo.pixels, thin, scale.radius, low, unit) if len(thin) else pure
    owner = _nearest(photo.pixels, np.concatenate([colours, thin]), low, unit)
    left_out = ~pure if valid is None else valid & ~pure
    count = pure.size if valid is None else int(np.count_nonzero(valid))
    explained = _without(left_out, wide, owner, NEAR, 1) <= scale.far * count
    return pure if explained and _without(left_out, wide, owner, BESIDE, 2) <= UNEXPLAINED * count else None


def _without(left_out: Plane, pure: Plane, owner: NDArray[np.uint8], reach: int, several: int) -> int:
    """How many of the pixels that are left out have fewer than one or two colours near them, in pure pixels."""
    from scipy.ndimage import maximum_filter, minimum_filter

    highest = maximum_filter(np.where(pure, owner, 0), 2 * reach + 1)
    if several == 1:
        return int(np.count_nonzero(left_out & (highest == 0)))
    lowest = minimum_filter(np.where(pure, owner, 255), 2 * reach + 1)
    return int(np.count_nonzero(left_out & (highest <= lowest)))


def _nearest(pixels: NDArray[Any], colours: Colours, low: float, unit: float) -> NDArray[np.uint8]:
    """Which colour is nearest to each pixel, (H, W), from 1."""
    owner = np.empty(pixels.shape[:2], np.uint8)
    step = max(1, STRIP // pixels.shape[1])
    half = (colours**2).sum(1) / 2
    for start in range(0, len(pixels), step):
        part = _scaled(pixels[start : start + step], low, unit)
        owner[start : start + step] = (part @ colours.T - half).argmax(2) + 1
    return owner


def _range(pixels: NDArray[Any], valid: Plane | None) -> tuple[float, float]:
    """The least value, and a 255th of the range of values, of some pixels; a few hot ones have no say in it."""
    known = pixels if valid is None else pixels[valid]
    if not known.size:
        return 0.0, 0.0
    low, high = quantiles(known.ravel()[:: -(-known.size // RANGED)].astype(np.float64), TAIL, 1 - TAIL)
    return low, (high - low) / 255


def _scaled(pixels: NDArray[Any], low: float, unit: float) -> Colours:
    """Values in 255ths of the range; numbers that stand for no data are brought near enough to compute with."""
    if pixels.dtype.kind == "f":
        pixels = np.nan_to_num(pixels.astype(np.float64), nan=low)
        pixels = np.clip(pixels, low - FAR_OFF * unit, low + FAR_OFF * unit)
    return ((pixels - low) / unit).astype(np.float32)


def _usable(photo: Image, inside: Plane | None) -> Plane | None:
    whole = complete_pixels(photo)
    return inside if whole is None else whole if inside is None else whole & inside


def _strips(
    pixels: NDArray[Any], valid: Plane | None, low: float, unit: float
) -> Iterator[tuple[slice, Colours, Plane | None]]:
    """Rows of the image, and their values with REACH more rows and columns around; pixels without data are False."""
    height, width = pixels.shape[:2]
    step, sides = max(1, STRIP // width), (REACH, REACH)
    for start in range(0, height, step):
        stop = min(start + step, height)
        rows = np.clip(np.arange(start - REACH, stop + REACH), 0, height - 1)
        strip = _scaled(pixels[rows], low, unit)
        there = None if valid is None else np.pad(valid[rows], ((0, 0), sides), mode="edge")
        yield slice(start, stop), np.pad(strip, ((0, 0), sides, (0, 0)), mode="edge"), there


def _moved(array: NDArray[Any], down: int, across: int) -> NDArray[Any]:
    """What is so many rows and columns away, without the rows and columns around."""
    height, width = array.shape[:2]
    return array[REACH + down : height - REACH + down, REACH + across : width - REACH + across]


def _flat(strip: Colours, there: Plane | None, most: float) -> Plane:
    """Which pixels differ from none around them by more than that, and have data on all sides."""
    places = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    low = high = _moved(strip, 0, 0)
    for down, across in places:
        low, high = np.minimum(low, _moved(strip, down, across)), np.maximum(high, _moved(strip, down, across))
    flat: Plane = (high - low).max(2) <= most
    for down, across in places if there is not None else ():
        flat &= _moved(there, down, across)  # type: ignore[arg-type]
    return flat


def _mixed(strip: Colours, there: Plane | None, least: float) -> Plane:
    """Which pixels lie between two that face each other, and differ from both by more than that."""
    own = _moved(strip, 0, 0)
    mixed = np.zeros(own.shape[:2], np.bool_)
    for reach in range(1, REACH + 1):
        for down, across in ((0, reach), (reach, 0), (reach, reach), (reach, -reach)):
            one, other = _moved(strip, down, across) - own, _moved(strip, -down, -across) - own
            pairs = (one, one), (other, other), (one, other)
            first, second, both = (np.einsum("hwc,hwc->hw", *pair) for pair in pairs)
            between = (np.minimum(first, second) > least**2) & (both < 0) & (both**2 > STRAIGHT**2 * first * second)
            if there is not None:
                between &= _moved(there, down, across) & _moved(there, -down, -across)
            mixed |= between
    return mixed


def _some(pixels: NDArray[Any], where: Plane, low: float, unit: float) -> Colours:
    """Values (N, C) of at most SEEN of the pixels."""
    places = np.flatnonzero(where)
    places = places[:: max(1, -(-places.size // SEEN))]
    return _scaled(pixels.reshape(-1, pixels.shape[2])[places], low, unit)


def _near(pixels: NDArray[Any], colours: Colours, radius: float, low: float, unit: float) -> Plane:
    """Which pixels lie in a ball around one of the colours."""
    near = np.zeros(pixels.shape[:2], np.bool_)
    step = max(1, STRIP // pixels.shape[1])
    for start in range(0, len(pixels), step):
        part = _scaled(pixels[start : start + step], low, unit)
        for colour in colours:
            near[start : start + step] |= np.einsum("hwc,hwc->hw", part - colour, part - colour) <= radius**2
    return near
