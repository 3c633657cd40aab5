"""Which classes are objects, and which are the ground that they lie on.

Classes are parted into dark and bright ones where that explains most of the differences between them (Otsu 1979). The
objects are the part that is more convex: cells, grains and particles bulge into the ground. Their outlines tell that
where they lie apart. Where they touch and cover most of the image, it shows when both parts are cut at their necks: the
pieces of the objects fill their convex hulls, those of the ground do not. The ground also surrounds the objects: it has
more of the border of the image than of its pixels. If all this leaves it open, the objects are the smaller part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord
from emseg.regions.measures.convex_hulls import hull_pixels
from emseg.regions.measures.runs import runs_of
from emseg.regions.split import split

Groups = tuple[tuple[int, ...], ...]
#: Standard deviation in pixels of the Gaussian that outlines are smoothed by before their curvature is looked at.
SMOOTH = 1.5
#: Half the range around ½ of the smoothed map in which an outline counts as straight. It is .01 for discs with a radius
#: of 30 pixels.
STRAIGHT = 0.01
#: What the solidity of pieces counts, relative to the convex share of the outline; and the least sum that tells objects
#: from ground. On 13 images of nuclei (BBBC038v1) with 2 and 3 classes, both together are right for 24 of 26, and
#: for all outlines that people drew; either alone is right for 22. Discs that touch, and cells between walls, need
#: solidity; few small discs on a large ground need outlines.
SOLIDITY_COUNTS, CLEAR = 5.0, 0.05
#: What it counts that the smaller part has less of the border than of all pixels, relative to the convex share. A cell
#: with a bright rim (`cell.png` with 2 classes) needs .9. The 13 images of nuclei with 2 and 3 classes, as they are and
#: as negatives, where objects are dark, are all right for 0 to 3.4.
SURROUNDED = 1.5
LEAST_BORDER = 0.1  # of the border that has data, below which it says nothing
NECK, SPECK = 0.85, 5  # how both parts are cut, and the pixels that a piece has at least
SAMPLE = 1 << 20  # pixels of the middle of large images that are looked at


class Foreground(NamedRecord):
    """Which classes are objects.

    Attributes
    ----------
    groups : tuple of tuple of int
        Classes from 1; an object consists of classes of one group.
    brightness : str
        ``"bright"`` or ``"dark"``, if that is how the classes were found.
    why : str
        What tells that these are the objects: a clause.
    """

    groups: Groups
    brightness: str = ""
    why: str = ""


def foreground(labels: NDArray[np.unsignedinteger], means: NDArray[np.float64], wanted: str | Groups) -> Foreground:
    """The classes that are objects.

    Parameters
    ----------
    labels : ndarray, shape (H, W) or (Z, H, W)
        0 where there is no data. Labels above K are noise, which is no object.
    means : ndarray, shape (K, D)
        Of the classes, in units in which features have comparable spread.
    wanted : str or tuple of tuple of int
        The classes; or ``"all"``, each by itself; ``"dark"`` or ``"bright"`` ones; ``"auto"``, as this module says.
    """
    k = len(means)
    if wanted == "all":
        return Foreground(tuple((label,) for label in range(1, k + 1)))
    if not isinstance(wanted, str):
        return Foreground(wanted)
    counts = np.bincount(labels.ravel(), minlength=k + 1)[1 : k + 1]
    dark, there = _dark_classes(counts, means), counts > 0
    parts = {
        "dark": tuple((np.flatnonzero(dark & there) + 1).tolist()),
        "bright": tuple((np.flatnonzero(~dark & there) + 1).tolist()),
    }
    if wanted != "auto":
        return Foreground((parts[wanted],), wanted)
    bright, valid = np.isin(labels, parts["bright"]), labels > 0
    convex = _more_convex(_middle(bright), _middle(valid))
    more = convex + SURROUNDED * _more_surrounded(bright, valid)
    smaller = "bright" if 2 * bright.sum() < valid.sum() else "dark"
    found = smaller if abs(more) <= CLEAR else "bright" if more > 0 else "dark"
    if abs(convex) > CLEAR and more * convex > 0:
        why = "their shapes are the more convex ones"
    else:
        why = "they cover less" if abs(convex) <= CLEAR and found == smaller else "the others surround them"
    return Foreground((parts[found],), found, why)


def _middle(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """At most SAMPLE pixels in the middle of an image."""
    share = min(1.0, (SAMPLE / max(plane.size, 1)) ** (1 / plane.ndim))
    kept = [max(1, int(length * share)) for length in plane.shape]
    return plane[
        tuple(
            slice((length - few) // 2, (length - few) // 2 + few) for length, few in zip(plane.shape, kept, strict=True)
        )
    ]


def _more_convex(inside: NDArray[np.bool_], valid: NDArray[np.bool_]) -> float:
    """By how much what is inside is more convex than what is outside."""
    outside = valid & ~inside
    if not inside.any() or not outside.any():
        return 0.0
    convex, concave = convex_shares(inside, valid)
    return convex - concave + SOLIDITY_COUNTS * (_solidity(inside) - _solidity(outside))


def _more_surrounded(inside: NDArray[np.bool_], valid: NDArray[np.bool_]) -> float:
    """By how much what is inside is more surrounded than what is outside, -1 to 1: the smaller of both tells.

    That is the share of the border that it lacks: it would have as much of that as of all pixels if it lay anywhere.
    """
    edge = np.ones(valid.shape, np.bool_)
    edge[tuple(slice(1, -1) if length > 2 else slice(None) for length in valid.shape)] = False
    known = edge & valid
    share, on_edge = float(inside[valid].mean()), float(inside[known].mean()) if known.any() else 0.0
    if known.sum() < LEAST_BORDER * edge.sum() or share in (0.0, 1.0):
        return 0.0
    if share > 0.5:
        share, on_edge, sign = 1 - share, 1 - on_edge, -1.0
    else:
        sign = 1.0
    return sign * max(1 - on_edge / share, -1.0)


def _solidity(inside: NDArray[np.bool_]) -> float:
    """The share of their convex hulls that pieces fill, on average over pixels."""
    ids = split(inside, NECK, SPECK)
    runs = runs_of(ids, int(ids.max()))
    return float((runs.areas**2 / hull_pixels(runs)).sum() / runs.areas.sum())


def _dark_classes(counts: NDArray[np.int_], means: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which classes are the dark ones, (K,): the split along the main axis of their means with least variance within.

    The axis points to where the first feature grows; a single class is bright.
    """
    share = counts / max(counts.sum(), 1)
    centred = means - share @ means
    axis = np.linalg.eigh((centred * share[:, None]).T @ centred)[1][:, -1]
    along = centred @ (axis if axis[0] >= 0 else -axis)
    order = np.argsort(along, kind="stable")
    below, total = np.cumsum(share[order]), np.cumsum((share * along)[order])
    between = np.divide(
        total**2, below * (1 - below), out=np.zeros_like(total), where=(below > 0) & (below < 1 - 1e-12)
    )
    dark = np.zeros(len(means), np.bool_)
    if len(means) > 1:
        dark[order[: int(between[:-1].argmax()) + 1]] = True
    return dark


def convex_shares(inside: NDArray[np.bool_], valid: NDArray[np.bool_]) -> tuple[float, float]:
    """The shares of an outline where it is convex and where it is concave, seen from inside.

    Where an outline is convex, less than half of its surroundings lies inside.

    Parameters
    ----------
    inside : ndarray of bool, shape (H, W) or (Z, H, W)
    valid : ndarray of bool
        What lies neither inside nor outside is False.
    """
    from scipy.ndimage import gaussian_filter

    near = gaussian_filter(inside.astype(np.float32), SMOOTH, truncate=3)
    if not valid.all():
        near /= np.maximum(gaussian_filter(valid.astype(np.float32), SMOOTH, truncate=3), 1e-6)
    convex = concave = length = 0
    for axis in range(inside.ndim):
        one, other = (slice(None),) * axis + (slice(None, -1),), (slice(None),) * axis + (slice(1, None),)
        border = (inside[one] != inside[other]) & valid[one] & valid[other]
        share = (near[one][border] + near[other][border]) / 2
        convex += int((share < 0.5 - STRAIGHT).sum())
        concave += int((share > 0.5 + STRAIGHT).sum())
        length += share.size
    return convex / max(length, 1), concave / max(length, 1)
