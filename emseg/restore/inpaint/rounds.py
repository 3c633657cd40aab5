"""Missing pixels: local Gaussians, whose E-step knows only a part of every patch.

The first guess is what the mixture of photographs makes of all patches together (`joint`), or, in deep holes, a
coarser image. Then, round by round, each reference patch with a hole has a component of its own, with mean and
covariance of the nearest patches of the current guess. Its missing pixels get their conditional mean given the known
ones, which are seen with a noise that falls from round to round: at first only what many patches agree on is taken
over, details in the end. After the E-step with rows of the identity removed of Yu, Sapiro & Mallat (2012), IEEE Trans.
Image Process. 21.
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
from emseg.restore.inpaint.first_guess import depth, doubled, filled, halved
from emseg.restore.inpaint.whole_image import agreed
from emseg.restore.patch.patches import AREA, SIDE, Real, cut_at, fitted, lines, plane_shape, put_at, runs
from emseg.restore.patch.prior_covariance import Expected
from emseg.restore.patch.similar import Search, Tile

#: Noise level of a round, in units of which white has 255, and the pixels between its reference patches.
ROUNDS = ((28, 4), (20, 4), (14, 4), (9, 4), (6, 4), (4, 2), (2.5, 2), (1.5, 2), (1, 1))
REFINING = 14  # noise level to begin with where a coarser image has been solved
#: Where more pixels than `MANY` are missing: a third to half a decibel worse on photographs, 1.2 on regular texture, in
#: a sixth of the time.
QUICK, MANY = ((12, 4), (6, 4), (3, 4), (1.5, 4)), 600_000
DEEP = 5.0  # pixels to the nearest known one, from which on a coarser image is solved first
SMALLEST = 32  # pixels a side of the coarsest image
REACH, GROUP, CHUNK = 19, 64, 256
STRIDE = 4  # known pixels, by which patches may differ that are solved together
TILE = 32, 96  # pixels, see `Search.tiles`; in small parts, as holes may be few
#: Where more than this share of all pixels is missing, groups are smaller, and in the mean of their members the current
#: guess of a missing pixel has less weight than the 1 of a known one.
DENSE, FEW, TRUST = 0.6, 32, 0.2
LEAST_SHARE = 0.05  # added to the share of known pixels, the weight of a patch in the average


def inpaint(planes: Real, missing: NDArray[np.bool_], runner: Runner) -> tuple[Real, Real]:
    """Fill missing pixels of planes.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
        In units of which white has 255. Patches are compared in the first channel.
    missing : ndarray of bool, shape (H, W)
        What the planes hold there makes no difference.
    runner : Runner

    Returns
    -------
    values : ndarray of float32, shape (C, H, W)
        As they were where nothing is missing.
    deviation : ndarray of float32, shape (C, H, W)
        Conditional standard deviation; 0 where nothing is missing.
    """
    many, dense = bool(missing.sum() > MANY), bool(missing.mean() > DENSE)
    rounds: Sequence[tuple[float, int]] = QUICK if many else ROUNDS
    group, shape = FEW if many or dense else GROUP, plane_shape(planes)
    lost = fitted(missing, 4)
    if depth(missing) > DEEP and min(shape) > 2 * SMALLEST:
        begin, rounds = 0.2, [(sigma, step) for sigma, step in rounds if sigma <= REFINING]
        with runner.stage(0, begin):
            coarse, _ = inpaint(*halved(planes, missing), runner)
        values = fitted(np.where(missing, doubled(coarse, shape), planes), 4)
    else:
        begin = 0.1
        with runner.stage(0, begin):
            values = agreed(fitted(filled(planes, missing), 4), lost, runner)
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
    """The next guess, and the variance of each missing pixel."""
    search = Search(plane_shape(values), step, REACH, group)
    walled = search.walled(values[0])
    windows = np.lib.stride_tricks.sliding_window_view(missing, (SIDE, SIDE))[::step, ::step]
    holes: NDArray[np.bool_] = np.any(windows, axis=(2, 3))
    tiles = [found for tile in search.tiles(TILE) for found in _bounds(holes, tile)]

    def inputs(tile: Tile) -> tuple[Any, ...]:
        place = search.place(tile)
        wanted = holes[tile[0] : tile[1], tile[2] : tile[3]]
        return values[:, *place], missing[place], walled[search.seen(tile)], wanted

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
    """What those references of a tile add that have holes."""
    place = search.place(tile)
    members = search.nearest(near, tile, wanted)
    i, j = np.nonzero(wanted)
    y = search.step * (i + tile[0]) - place[0].start
    x = search.step * (j + tile[2]) - place[1].start
    own = y * (place[1].stop - place[1].start - SIDE + 1) + x
    return _tile(values, missing, members, own, sigma, last, dense)


def _bounds(holes: NDArray[np.bool_], tile: Tile) -> Iterator[Tile]:
    """The part of a tile that has all its references with holes, if there are any."""
    rows, columns = (np.flatnonzero(holes[tile[0] : tile[1], tile[2] : tile[3]].any(axis)) for axis in (1, 0))
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
    """Weighted sums of estimates and variances, and of weights, where the patches lie; (2C + 1, h, w)."""
    shape = plane_shape(values)
    where, at = lines(members, shape[1] - SIDE + 1), lines(own, shape[1] - SIDE + 1)
    holes = runs(missing.astype(np.float32))
    lost = cut_at(holes, at) > 0
    count = AREA - lost.sum(1)
    order = np.argsort(lost, axis=1, kind="stable")  # known pixels first
    share = np.repeat((count[:, None] / AREA + LEAST_SHARE).astype(np.float32), AREA, axis=1)
    out = np.empty((2 * len(values) + 1, *shape), np.float32)
    for c, plane in enumerate(values):
        pieces = runs(plane)
        reference = cut_at(pieces, at)
        expected = Expected(reference, sigma, 1 / np.sqrt(len(values)))
        found = np.empty((2, len(own), AREA), np.float32)
        for part, n in _alike(count):
            weights = np.float32(1) - np.float32(1 - TRUST) * cut_at(holes, where[part]) if dense else None
            pixels, seen = order[part, :n], (np.arange(n) < count[part, None]).astype(np.float32)
            found[:, part] = conditional(
                cut_at(pieces, where[part]), reference[part], pixels, seen, sigma, expected[part], last, weights
            )
        found *= share
        for i in range(2):
            out[c + i * len(values)] = put_at(found[i], at, shape) if last or i == 0 else 0  # variances come last
    out[-1] = put_at(share, at, shape)
    return out


def _alike(count: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Patches with about as many known pixels, and the most that one of them has."""
    order = np.argsort(count, kind="stable")
    ends = [0, *(1 + np.flatnonzero(np.diff(-(-count[order] // STRIDE)))), len(order)]
    for begin, end in pairwise(ends):
        for start in range(begin, end, CHUNK):
            part = order[start : min(start + CHUNK, end)]
            yield part, max(1, int(count[part[-1]]))
