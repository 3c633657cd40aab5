"""Local Gaussians: every reference patch is the centre of a component of its own.

The members of a component are the patches of the pilot, an earlier estimate, that are nearest to its reference; their
mean μ and covariance are its parameters; and the conditional means of the members' clean patches given the noisy ones,
averaged where patches overlap, are the next pilot. It is EM with a component per reference and hard responsibilities.
After Lebrun, Buades & Morel (2013), A nonlocal Bayesian image denoising algorithm, SIAM J. Imaging Sci. 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patches import AREA, SIDE, Real, cut, put, spread
from emseg.restore.work import Crew

STEP = 4  # between reference patches
REACH = 19  # of the search in each direction
GROUP = 48  # members of a component
TILE = 8, 96  # reference patches searched for at once, down and across
CHUNK = 128  # components solved at once
#: First and last row and column of a part of the grid of references.
Tile = tuple[int, int, int, int]


def local_round(noisy: Real, pilot: Real, noise: Sequence[float], crew: Crew, group: int = GROUP) -> Real:
    """One round: search, estimate and average.

    Parameters
    ----------
    noisy, pilot : ndarray of float32, shape (C, H, W)
        H and W are 8 plus a multiple of 4. Patches are compared in the first channel.
    noise : sequence of float
        Variance of each channel's noise.
    crew : Crew
    group : int
        M, the members of a component.

    Returns
    -------
    ndarray of float32, shape (C, H, W)
    """
    total, weight = np.zeros_like(pilot), np.zeros(pilot.shape[1:], np.float32)
    group = min(group, *(_candidates(pilot.shape[1:])))
    far = np.pad(pilot[0], REACH, constant_values=1e3 * (1 + np.ptp(pilot[0])))  # unlike anything in the plane

    def work(tile: Tile) -> tuple[tuple[slice, slice], Real, Real]:
        place = _surroundings(tile, pilot.shape[1:])
        sums, counts = _tile(noisy[:, *place], pilot[:, *place], noise, _members(far, tile, group, place))
        return place, sums, counts

    for place, sums, counts in crew.run(work, tiles(pilot.shape[1:])):
        total[:, *place] += sums
        weight[place] += counts
    total /= weight
    return total


def tiles(shape: tuple[int, ...]) -> list[Tile]:
    """Parts of the grid of reference patches of a plane of this shape."""
    down, across = ((length - SIDE) // STEP + 1 for length in shape)
    return [
        (i, min(i + TILE[0], down), j, min(j + TILE[1], across))
        for i in range(0, down, TILE[0])
        for j in range(0, across, TILE[1])
    ]


def _candidates(shape: tuple[int, ...]) -> tuple[int, ...]:
    """How many patches the reference in a corner has to choose from."""
    down, across = (min(length - SIDE, REACH) + 1 for length in shape)
    return (down * across,)


def _surroundings(tile: Tile, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of all pixels that a tile's components can have."""
    first, last = tile[::2], tile[1::2]
    rows, columns = (
        slice(max(STEP * a - REACH, 0), min(STEP * (b - 1) + REACH + SIDE, length))
        for a, b, length in zip(first, last, shape, strict=True)
    )
    return rows, columns


def _members(far: Real, tile: Tile, group: int, place: tuple[slice, slice]) -> NDArray[np.intp]:
    """The nearest patches to each reference of a tile, as rows of `cut` of its surroundings; (references, group).

    Squared distances of all references to their patches at one offset are sums of squared differences over blocks of
    4 × 4 pixels, four for each patch.
    """
    i0, i1, j0, j1 = tile
    size, down, across = 2 * REACH + 1, i1 - i0, j1 - j0
    rows, columns = STEP * (down + 1), STEP * (across + 1)
    top, left = STEP * i0, STEP * j0
    own = far[top + REACH : top + REACH + rows, left + REACH : left + REACH + columns]
    difference = np.empty_like(own)
    distance = np.empty((size * size, down, across), np.float32)
    for offset, out in enumerate(distance):
        y, x = top + offset // size, left + offset % size
        np.subtract(own, far[y : y + rows, x : x + columns], out=difference)
        np.multiply(difference, difference, out=difference)
        tall = np.add.reduce(difference.reshape(-1, STEP, columns), axis=1)
        tall = tall[:-1] + tall[1:]
        wide = tall[:, ::STEP] + tall[:, 1::STEP]
        wide += tall[:, 2::STEP]
        wide += tall[:, 3::STEP]
        np.add(wide[:, :-1], wide[:, 1:], out=out)
    by_reference = np.ascontiguousarray(distance.reshape(size * size, -1).T)
    best = np.argpartition(by_reference, group - 1, axis=1)[:, :group]
    i, j = np.divmod(np.arange(len(best))[:, None], across)
    y = top + STEP * i + best // size - REACH - place[0].start
    x = left + STEP * j + best % size - REACH - place[1].start
    positions: NDArray[np.intp] = y * (place[1].stop - place[1].start - SIDE + 1) + x
    return positions


def _tile(noisy: Real, pilot: Real, noise: Sequence[float], members: NDArray[np.intp]) -> tuple[Real, Real]:
    """Sums of the estimates of all members where they lie, (C, h, w), and how many there are, (h, w)."""
    from scipy.sparse import csr_matrix

    shape = pilot.shape[1:]
    n_patches = (shape[0] - SIDE + 1) * (shape[1] - SIDE + 1)
    sums = np.empty_like(pilot)
    for c, variance in enumerate(noise):
        a, y = cut(pilot[c]), cut(noisy[c])
        patches = np.zeros((n_patches, AREA), np.float32)
        for start in range(0, len(members), CHUNK):
            chosen = members[start : start + CHUNK]
            found = posterior_means(a[chosen], y[chosen], variance).reshape(-1, AREA)
            n = chosen.size
            to_place = csr_matrix((np.ones(n, np.float32), chosen.ravel(), np.arange(n + 1)), (n, n_patches))
            patches += to_place.T @ found
        sums[c] = put(patches, shape)
    counts = np.bincount(members.ravel(), minlength=n_patches).astype(np.float32)
    return sums, spread(counts.reshape(-1, shape[1] - SIDE + 1))


def posterior_means(pilot: Real, noisy: Real, noise: float) -> Real:
    """E[z | y] of the members of Gaussians whose parameters are those of the pilots.

    With the centred pilots A (M, 64), S = AᵀA/M and noise σ²: E[z | y] = μ + S (S + σ²I)⁻¹ (y - μ), in the M
    dimensions of the members rather than the 64 of a patch: Aᵀ (AAᵀ + Mσ²I)⁻¹ A (y - μ).

    Parameters
    ----------
    pilot, noisy : ndarray of float32, shape (G, M, 64)
        Members of G components. They are overwritten.
    noise : float
        σ².
    """
    mean = pilot.mean(1, keepdims=True)
    pilot -= mean
    noisy -= mean
    m = pilot.shape[1]
    gram = pilot @ np.swapaxes(pilot, 1, 2)
    gram[:, np.arange(m), np.arange(m)] += np.float32(m * noise)
    weights = np.linalg.solve(gram, pilot @ np.swapaxes(noisy, 1, 2))
    estimate: Real = np.swapaxes(weights, 1, 2) @ pilot
    estimate += mean
    return estimate
