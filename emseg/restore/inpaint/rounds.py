"""Inpainting by rounds of local Gaussians: EM with missing pixels.

The first guess comes from the mixture of photographs (`whole_image`), or in deep holes from a coarser image. In each
round, every reference patch with missing pixels has a component of its own. Its mean and covariance are those of the
nearest patches of the current guess. The missing pixels get their conditional mean given the known ones. The known ones
count as noisy, with a noise level that falls from round to round. So the first rounds take over only what many patches
agree on, and the last rounds bring the details. After Yu, Sapiro & Mallat (2012), IEEE Trans. Image Process. 21, whose
E-step keeps the rows of the known pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.execution.runner import Runner
from emseg.restore.inpaint.conditional_moments import conditional
from emseg.restore.inpaint.first_guess import depth, doubled, halved, interpolated
from emseg.restore.inpaint.whole_image import most_probable_pixels
from emseg.restore.patch.patches import (
    AREA,
    SIDE,
    Real,
    cut_at,
    padded_to_grid,
    pixel_runs,
    plane_shape,
    put_at,
    run_indices,
)
from emseg.restore.patch.prior_covariance import PriorCovariances
from emseg.restore.patch.similar import Search, Tile

#: Noise level of each round (white is at 255), and the pixels between its reference patches. Chosen on photographs of
#: scikit-image.
ROUNDS = ((28, 4), (20, 4), (14, 4), (9, 4), (6, 4), (4, 2), (2.5, 2), (1.5, 2), (1, 1))
REFINING = 14  # first noise level after a coarser image
#: The rounds for more than `MANY` missing pixels. They take a sixth of the time. Crops of photographs come out 0 to
#: 0.6 dB worse, regular texture 1.2 dB, and perfect stripes 1.6 to 8 dB.
QUICK, MANY = ((12, 4), (6, 4), (3, 4), (1.5, 4)), 600_000
#: Pixels. Holes that are deeper start from a coarser image. That brings the error of a hole 20 pixels wide in a slanted
#: wave from 25 grey levels to 0.1, and that of an edge down by a tenth; grass and sky hardly differ. The error of a
#: covered face grows by 6 % (20 pixels wide) to 27 % (32), but nothing around it tells what it is like.
DEEP = 5.0
SMALLEST = 32  # pixels a side of the coarsest image
REACH, GROUP, CHUNK = 19, 64, 256  # pixels of the search, members of a component, components solved at once
STRIDE = 4  # patches whose numbers of known pixels differ by less are solved together, which is a matter of speed alone
TILE = 32, 96  # height and width of a tile in pixels, see `Search.tiles`; small, as holes may be few
#: Above this share of missing pixels, components have `FEW` members. With 80 % missing and 64 members, three crops of
#: camera change by -0.6, -0.1 and +0.2 dB, and stripes by -2.3 dB.
DENSE, FEW = 0.6, 32
#: There, the weight of the guess of a missing pixel in the mean of the members; a known pixel has 1. Chosen by hand:
#: with 70 % missing, 0.05 to 0.4 change the error on four photographs by 3 % at most. 1 is 6 % worse on one (camera)
#: and 3 % better on another (astronaut).
TRUST = 0.2
#: Is added to the share of known pixels to give the weight of a patch in the average, so that no weight is 0.
#: From 0.01 to 0.2, crops of photographs change by less than 0.04 dB.
LEAST_SHARE = 0.05


def inpaint(planes: Real, missing: NDArray[np.bool_], runner: Runner) -> tuple[Real, Real]:
    """Fill in the missing pixels of planes.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
        White is at 255. Patches are compared in the first channel.
    missing : ndarray of bool, shape (H, W)
        Values of the planes at these pixels make no difference.
    runner : Runner

    Returns
    -------
    values : ndarray of float32, shape (C, H, W)
        The known pixels are unchanged.
    deviation : ndarray of float32, shape (C, H, W)
        Conditional standard deviation; 0 at the known pixels.
    """
    many, dense = bool(missing.sum() > MANY), bool(missing.mean() > DENSE)
    rounds: Sequence[tuple[float, int]] = QUICK if many else ROUNDS
    group, shape = FEW if many or dense else GROUP, plane_shape(planes)
    lost = padded_to_grid(missing, 4)
    if depth(missing) > DEEP and min(shape) > 2 * SMALLEST:
        begin, rounds = 0.2, [(sigma, step) for sigma, step in rounds if sigma <= REFINING]
        with runner.stage(0, begin):
            coarse, _ = inpaint(*halved(planes, missing), runner)
        values = padded_to_grid(np.where(missing, doubled(coarse, shape), planes), 4)
    else:
        begin = 0.1
        with runner.stage(0, begin):
            values = most_probable_pixels(padded_to_grid(interpolated(planes, missing), 4), lost, runner)
    work = np.cumsum([0, *(16 / step**2 for _, step in rounds)])
    shares = begin + (1 - begin) * work / work[-1]
    variance = np.zeros_like(values)
    for i, (sigma, step) in enumerate(rounds):
        with runner.stage(shares[i], shares[i + 1]):
            values, variance = _round(values, lost, sigma, step, group, dense, i == len(rounds) - 1, runner)
    height, width = shape
    return values[:, :height, :width], np.sqrt(variance[:, :height, :width])


def _round(
    values: Real,
    missing: NDArray[np.bool_],
    sigma: float,
    step: int,
    group: int,
    dense: bool,
    last: bool,
    runner: Runner,
) -> tuple[Real, Real]:
    """One round: the next guess (C, H, W), and the variance of each missing pixel."""
    search = Search(plane_shape(values), step, REACH, group)
    bordered = search.bordered(values[0])
    windows = np.lib.stride_tricks.sliding_window_view(missing, (SIDE, SIDE))[::step, ::step]
    incomplete: NDArray[np.bool_] = np.any(windows, axis=(2, 3))
    tiles = [found for tile in search.tiles(TILE) for found in _bounds(incomplete, tile)]

    def inputs(tile: Tile) -> tuple[Any, ...]:
        place = search.place(tile)
        wanted = incomplete[tile[0] : tile[1], tile[2] : tile[3]]
        return values[:, *place], missing[place], bordered[search.seen(tile)], wanted

    total = np.zeros((2 * len(values) + 1, *missing.shape), np.float32)
    work = partial(_estimated, search, sigma, last, dense)
    for tile, sums in zip(tiles, runner.run(work, tiles, inputs), strict=True):
        total[:, *search.place(tile)] += sums
    weight = np.where(missing, total[-1], 1)
    weight[weight == 0] = 1
    means, variances = total[: len(values)] / weight, total[len(values) : -1] / weight
    return np.where(missing, means, values), np.where(missing, variances, 0)


def _estimated(
    search: Search,
    sigma: float,
    last: bool,
    dense: bool,
    tile: Tile,
    values: Real,
    missing: NDArray[np.bool_],
    near: Real,
    wanted: NDArray[np.bool_],
) -> Real:
    """Sums over the tile's reference patches that contain missing pixels; see `_tile`."""
    place = search.place(tile)
    members = search.nearest(near, tile, wanted)
    i, j = np.nonzero(wanted)
    y = search.step * (i + tile[0]) - place[0].start
    x = search.step * (j + tile[2]) - place[1].start
    own = y * (place[1].stop - place[1].start - SIDE + 1) + x
    return _tile(values, missing, members, own, sigma, last, dense)


def _bounds(incomplete: NDArray[np.bool_], tile: Tile) -> Iterator[Tile]:
    """The smallest part of a tile that holds all its references with missing pixels; nothing if there are none."""
    rows, columns = (np.flatnonzero(incomplete[tile[0] : tile[1], tile[2] : tile[3]].any(axis)) for axis in (1, 0))
    if rows.size:
        yield (
            tile[0] + int(rows[0]),
            tile[0] + int(rows[-1]) + 1,
            tile[2] + int(columns[0]),
            tile[2] + int(columns[-1]) + 1,
        )


def _tile(
    values: Real,
    missing: NDArray[np.bool_],
    members: NDArray[np.intp],
    own: NDArray[np.intp],
    sigma: float,
    last: bool,
    dense: bool,
) -> Real:
    """Weighted sums of estimates and variances, and sums of weights, over the tile; (2C + 1, h, w)."""
    shape = plane_shape(values)
    where, at = run_indices(members, shape[1] - SIDE + 1), run_indices(own, shape[1] - SIDE + 1)
    missing_runs = pixel_runs(missing.astype(np.float32))
    lost = cut_at(missing_runs, at) > 0
    count = AREA - lost.sum(1)
    order = np.argsort(lost, axis=1, kind="stable")  # known pixels first
    share = np.repeat((count[:, None] / AREA + LEAST_SHARE).astype(np.float32), AREA, axis=1)
    out = np.empty((2 * len(values) + 1, *shape), np.float32)
    for c, plane in enumerate(values):
        pieces = pixel_runs(plane)
        reference = cut_at(pieces, at)
        prior_covariances = PriorCovariances(reference, sigma, 1 / np.sqrt(len(values)))
        found = np.empty((2, len(own), AREA), np.float32)
        for part, n in _by_known_count(count):
            weights = np.float32(1) - np.float32(1 - TRUST) * cut_at(missing_runs, where[part]) if dense else None
            pixels, seen = order[part, :n], (np.arange(n) < count[part, None]).astype(np.float32)
            own_members, known = cut_at(pieces, where[part]), reference[part]
            found[:, part] = conditional(
                own_members, known, pixels, seen, sigma, prior_covariances[part], last, weights
            )
        found *= share
        for i in range(2):
            out[c + i * len(values)] = put_at(found[i], at, shape) if last or i == 0 else 0  # variances come last
    out[-1] = put_at(share, at, shape)
    return out


def _by_known_count(count: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Groups of patches with similar numbers of known pixels, and the largest number in each group."""
    order = np.argsort(count, kind="stable")
    ends = [0, *(1 + np.flatnonzero(np.diff(-(-count[order] // STRIDE)))), len(order)]
    for begin, end in pairwise(ends):
        for start in range(begin, end, CHUNK):
            part = order[start : min(start + CHUNK, end)]
            yield part, max(1, int(count[part[-1]]))
