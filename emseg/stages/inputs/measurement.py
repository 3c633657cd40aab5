"""From an image to the features that a family of densities is fitted to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.execution import steps
from emseg.features.build import build_features
from emseg.features.model import Features
from emseg.features.reduce import reduced
from emseg.image.model import Image
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import family_of
from emseg.records import replace

#: What `features="auto"` is, by colour of the image, where values must not be moved or mixed; and of those, the angles.
_STORED = {"gray": "gray", "rgb": "rgb", "bands": "bands"}
_ANGLES = _STORED | {"rgb": "hue"}


LEAST_SIDE = 12  # pixels of a picture whose flat parts can be told
#: Rows and columns whose crossings are looked at; the share of them that are flat at least, and of these outside of all
#: colours at most. Of the drawings that chose the numbers below, JPEG files with quality 50 have .12 and .15.
LOOKS, LEAST_FLAT, OUTSIDE = 16, 0.05, 0.2
#: Share of the pixels that have the most common value, times K, at least: of values that are stored exactly, and of
#: JPEG files, which have several values for one colour.
COMMON_EXACT, COMMON_JPEG = 0.5, 0.03
#: Largest range around a flat pixel, radius of a ball around a colour, and least distance of two colours, in 255ths of
#: the range of values: of values that are stored exactly, and of JPEG files. See `maps.flat_colours.Scale`.
ALIKE_EXACT, ALIKE_JPEG = (6.0, 6.0, 24.0), (12.0, 20.0, 60.0)
#: Share of the flat pixels, and number of pixels, that a colour has at least.
RARE, FEW = 0.002, 4


def measure_features(
    photo: Image,
    inside: NDArray[np.bool_] | None,
    *,
    spec: str,
    family: str,
    missing: str,
    compress: bool,
    stored_values: bool,
    may_be_texture: bool,
    covariance: str | None = "full",
) -> Features:
    """Measure the features that a specification asks for, in the units that a family wants.

    Parameters
    ----------
    photo : Image
    inside : ndarray of bool, shape (H, W), optional
        Pixels to use.
    spec : str
        See `emseg.features.specification.parse_spec`; ``"auto"`` leaves the choice to emseg.
    family : str
        Name of the component family. Families that are not of location and scale get features in their own units.
    missing : {"drop", "em"}
        Whether pixels that are known in part are used.
    compress : bool
        Whether equal feature vectors are one sample with a count.
    stored_values : bool
        Whether ``"auto"`` must be the stored values, as limits of them need.
    may_be_texture : bool
        Whether ``"auto"`` may be texture, where brightness does not tell parts of the image apart.
    covariance : str or None
        Name of the covariance model of the mixture that is to be fitted. Features that depend on each other are reduced
        to the space that they span, as far as that model allows; None to leave them as they are.

    Raises
    ------
    UsageError, DataError
        As `build_features`; and if the family has no density at some value.
    """
    steps.step("measuring features")
    kind = family_of(family)
    location_scale = kind.location_scale
    in_part = missing == "em" and photo.known is not None  # lab would need all channels of a pixel
    if spec == "auto" and (stored_values or in_part or not location_scale):
        spec = (_ANGLES if kind.support.unit == "radians" else _STORED)[photo.colour]
    evidence: dict[str, float] = {}
    if spec == "auto" and may_be_texture:
        from emseg.features.automatic import chosen

        spec, evidence = chosen(photo, inside)
    features = build_features(photo, spec, inside, compress, location_scale, missing == "em")
    if not location_scale:
        _require_support(family, photo, features)
    if covariance is not None:
        features = reduced(features, dependencies(features, covariance, location_scale, stored_values), location_scale)
    return replace(features, evidence=evidence) if evidence else features


def seems_flat(photo: Image, features: Features, k: int) -> bool:
    """Whether a picture may be a drawing of K colours: a look at a few pixels, which costs next to nothing.

    The colours of those that are flat are then few, and far from each other; see `maps.flat_colours`.
    """
    height, width = photo.shape
    most = COMMON_JPEG if "quantisation" in photo.metadata else COMMON_EXACT
    common = float(features.weight.max())  # 1 where each pixel is a sample
    if 1 < common < most / k * features.n_pixels:  # as in most photographs
        return False
    if min(height, width) < LEAST_SIDE or "volume" in photo.metadata:
        return False
    down, across = (
        LEAST_SIDE // 4 + np.arange(LOOKS) * (length - LEAST_SIDE // 2) // LOOKS for length in (height, width)
    )
    around = np.arange(-1, 2)
    rows, columns = (down[:, None] + around).ravel(), (across[:, None] + around).ravel()
    seen, there = photo.pixels[rows[:, None], columns], complete_pixels(photo)
    there = np.ones(seen.shape[:2], np.bool_) if there is None else there[rows[:, None], columns]
    if not there.any():
        return False
    low, high = float(seen[there].min()), float(seen[there].max())
    if not 0 < high - low < np.inf:
        return False
    seen = np.where(there[..., None], seen, low).astype(np.float32)
    flat, radius, apart = ALIKE_JPEG if "quantisation" in photo.metadata else ALIKE_EXACT
    blocks = ((seen - low) * (255 / (high - low))).reshape(LOOKS, 3, LOOKS, 3, -1)
    alike = (blocks.max((1, 3)) - blocks.min((1, 3)) <= flat).all(-1)
    alike &= there.reshape(LOOKS, 3, LOOKS, 3).all((1, 3))
    values = blocks[:, 1, :, 1][alike]
    if len(values) < LEAST_FLAT * alike.size:
        return False
    colours, outside = balls(values, k, radius)
    return outside < OUTSIDE and least_distance(colours) >= apart


def complete_pixels(photo: Image) -> NDArray[np.bool_] | None:
    """The pixels (H, W) of which all channels are known; None if all are."""
    return photo.valid if photo.known is None else np.asarray(photo.known.all(axis=2))


def balls(values: NDArray[np.float32], k: int, radius: float) -> tuple[NDArray[np.float32], float]:
    """At most k centres of balls that cover values (N, C), each of the most that are left; and the share outside."""
    found, n = [], len(values)
    if n < FEW:
        return values[:0], 1.0
    size = (values**2).sum(1)
    near = size[:, None] + size - 2 * (values @ values.T) <= radius**2 + 1e-3 * size.max()
    left = np.ones(n, np.bool_)
    for _ in range(k):
        held = (near[:, left].sum(1)) * left
        best = int(held.argmax())
        if held[best] < max(FEW - 1, RARE * n):
            break
        centre = values[near[best] & left].mean(0)
        found.append(centre)
        left &= (((values - centre) ** 2).sum(1) > radius**2) & ~near[best]
    return np.array(found, np.float32).reshape(len(found), values.shape[1]), float(left.mean())


def least_distance(colours: NDArray[np.float32]) -> float:
    """The distance of the two that are nearest to each other; infinity for a single one."""
    distance = np.sqrt(((colours[:, None] - colours) ** 2).sum(2))
    np.fill_diagonal(distance, np.inf)
    return float(distance.min())


def dependencies(features: Features, covariance: str, location_scale: bool, stored_values: bool) -> str:
    """Which dependencies a mixture can do without, see `emseg.features.span.found_span`.

    Components that are turned with the axes need all features as they are, or none. So do values of which some are
    unknown: a sum with an unknown term is unknown. Families of single values take those as they are, and limits are of
    all stored values.
    """
    if stored_values:
        return "none"
    if not location_scale:
        return "equal"
    letters = COVARIANCES[covariance].letters
    return "axes" if (letters[2] == "I" and letters[1] != "I") or np.isnan(features.x).any() else "any"


def _require_support(family: str, photo: Image, features: Features) -> None:
    """Raise unless the family has a density at every sample."""
    spec = option("features", features.spec)
    if not (features.unit == 1).all():
        raise UsageError(f"{spec}: weights do nothing with {option('family', family)}; leave them out")
    support = family_of(family).support
    if support.unit == "radians" and features.spec != "hue" and photo.pixels.dtype.kind != "f":
        remedy = f"use {option('features', 'hue')}, or a float image"
        raise UsageError(f"{option('family', family)}: {features.spec} is no angle; {remedy}")
    outside = support.outside(features.x)
    bad = outside.any(0)
    if bad.any():
        row = int(outside.any(1).argmax())
        count, values = int(features.weight[bad].sum()), np.unique(features.x[row, outside[row]])
        value = int(values[0]) if float(values[0]).is_integer() else float(values[0])
        marked = f"if that is no data, use {option('nodata', value)}; else " if values.size == 1 else ""
        raise DataError(
            f"{photo.name}: {features.names[row]} is {support.outside_is} in {count} pixels, where {family} has no "
            f"density; {marked}mask them with {option('mask')}, or use another of {option('features')} or "
            f"{option('family')}"
        )
