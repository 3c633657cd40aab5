"""How much of each pixel an object covers, and the object's own colour there.

A pixel on a border is a mix: I = α F + (1 - α) B. Pixels nearby that are certainly the object's, or the ground's, tell
F and B. Where F and B differ by more than they vary, the place of I between them tells α; elsewhere the posterior does.
That is the mean of α for Gaussian colours and a Gaussian prior around the posterior. The prior tightens with the
distance from the border, so that α becomes the posterior within a few pixels, which hair reaches into.

The object's colours are corrected for what α leaves unexplained (Forte 2021, "Approximate fast foreground colour
estimation").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.box_mean import box_mean

Real = NDArray[np.float32]
REACH = 0.006  # of the diagonal: how far from the border pixels may be mixed; three pixels of a 481 × 321 photograph
NARROWEST, WIDEST = 2, 24  # pixels
NOISE = 0.03  # standard deviation of a colour that no neighbourhood shows, of the range of values
DOUBT = 0.5  # standard deviation of α around the posterior, at the border
FAINT = 1e-3  # weight of pixels that may be mixed, among those that tell a colour
TILE = 512  # pixels along an axis that are worked on at once


class Matte(NamedTuple):
    """A cut-out object.

    Attributes
    ----------
    alpha : ndarray of float32, shape (H, W)
        0…1.
    colours : ndarray of float32, shape (H, W, C)
        The object's own, 0…1; 0 where α is.
    """

    alpha: Real
    colours: Real


def matte(pixels: NDArray[Any], posterior: Real, scale: float) -> Matte:
    """The object of an image.

    Parameters
    ----------
    pixels : ndarray, shape (H, W, C)
        From 0 to `scale`.
    posterior : ndarray of float32, shape (H, W)
        Probability of the object.
    scale : float
    """
    shape = posterior.shape
    reach = int(np.clip(round(REACH * float(np.hypot(*shape))), NARROWEST, WIDEST))
    alpha = np.clip(posterior, 0, 1).astype(np.float32)
    colours = np.empty(pixels.shape, np.float32)
    for inner, outer, within in _tiles(shape, 4 * reach + 2):
        part = np.asarray(pixels[outer], np.float32) / np.float32(scale)
        chance = np.clip(posterior[outer], 0, 1).astype(np.float32)
        if float(chance.max()) > 0 and float(chance.min()) < 1:
            found, own = _mixed(part, chance, reach)
        else:
            found, own = chance, part
        alpha[inner], colours[inner] = found[within], own[within]
    colours[alpha == 0] = 0
    return Matte(alpha, colours)


def _tiles(shape: tuple[int, ...], halo: int) -> Iterator[tuple[Any, Any, Any]]:
    """Tiles, the same with a halo, and where they lie in that."""
    for top in range(0, shape[0], TILE):
        for left in range(0, shape[1], TILE):
            ends = min(top + TILE, shape[0]), min(left + TILE, shape[1])
            first = max(top - halo, 0), max(left - halo, 0)
            inner = slice(top, ends[0]), slice(left, ends[1])
            outer = slice(first[0], ends[0] + halo), slice(first[1], ends[1] + halo)
            yield inner, outer, tuple(slice(s.start - f, s.stop - f) for s, f in zip(inner, first, strict=True))


def _mixed(pixels: Real, posterior: Real, reach: int) -> tuple[Real, Real]:
    """α and the object's colours of a tile."""
    mask = (posterior > 0.5).astype(np.float32)
    share = box_mean(mask, 2 * reach + 1)
    inward = np.abs(2 * share - 1)  # 0 on a straight border, 1 from `reach` pixels on
    mixed = inward < 1 - 1e-4
    side = 4 * reach + 1
    ends = []
    for own, certain in ((mask, share > 1 - 1e-4), (1 - mask, share < 1e-4)):
        weight = own * np.where(certain, np.float32(1), np.float32(FAINT))
        total = np.maximum(box_mean(weight, side), np.float32(1e-9))
        mean = np.stack([box_mean(weight * plane, side) / total for plane in np.moveaxis(pixels, 2, 0)], axis=2)
        square = box_mean(weight * (pixels**2).sum(2), side) / total
        ends.append((mean, np.maximum(square - (mean**2).sum(2), 0)))
    (front, front_spread), (back, back_spread) = ends
    across = front - back
    length = (across**2).sum(2)
    along = ((pixels - back) * across).sum(2)
    spread = (posterior * front_spread + (1 - posterior) * back_spread) + np.float32(NOISE**2)
    held = spread * (1 + (inward / np.maximum(1 - inward, np.float32(1e-4))) ** 2) / np.float32(DOUBT**2)
    alpha = np.where(mixed, np.clip((along + held * posterior) / (length + held), 0, 1), posterior)
    rest = pixels - alpha[..., None] * front - (1 - alpha[..., None]) * back
    colours = np.where((mixed & (alpha < 1))[..., None], np.clip(front + alpha[..., None] * rest, 0, 1), pixels)
    return alpha.astype(np.float32), colours.astype(np.float32)
