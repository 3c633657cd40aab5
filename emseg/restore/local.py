"""Local Gaussians: every reference patch is the centre of a component of its own.

The members of a component are the patches of the pilot, an earlier estimate, that are nearest to its reference; their
mean μ and covariance are its parameters; and the conditional means of the members' clean patches given the noisy ones,
averaged where patches overlap, are the next pilot. It is EM with a component per reference and hard responsibilities.
After Lebrun, Buades & Morel (2013), A nonlocal Bayesian image denoising algorithm, SIAM J. Imaging Sci. 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patches import AREA, SIDE, Real, cut, plane_shape, put, spread
from emseg.restore.search import Search, Tile
from emseg.restore.triangular import inverse_lower
from emseg.restore.work import Crew

STEP = 4  # pixels between reference patches
REACH = 19  # of the search in each direction
GROUP = 48  # members of a component
CHUNK = 128  # components solved at once


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
    search = Search(plane_shape(pilot), STEP, REACH, group)
    walled = search.walled(pilot[0])

    def inputs(tile: Tile) -> tuple[Real, Real, Real]:
        place = search.place(tile)
        return noisy[:, *place], pilot[:, *place], walled[search.seen(tile)]

    total, weight = np.zeros_like(pilot), np.zeros(pilot.shape[1:], np.float32)
    tiles = search.tiles()
    work = partial(_estimated, search, tuple(noise))
    for tile, (sums, counts) in zip(tiles, crew.run(work, tiles, inputs), strict=True):
        place = search.place(tile)
        total[:, *place] += sums
        weight[place] += counts
    total /= weight
    return total


def _estimated(
    search: Search, noise: Sequence[float], tile: Tile, noisy: Real, pilot: Real, near: Real
) -> tuple[Real, Real]:
    """What the references of a tile add."""
    return _tile(noisy, pilot, noise, search.nearest(near, tile))


def _tile(noisy: Real, pilot: Real, noise: Sequence[float], members: NDArray[np.intp]) -> tuple[Real, Real]:
    """Sums of the estimates of all members where they lie, (C, h, w), and how many there are, (h, w)."""
    from scipy.sparse import csr_matrix

    shape = pilot.shape[1:]
    n_patches = (shape[0] - SIDE + 1) * (shape[1] - SIDE + 1)
    n = members.size
    to_place = csr_matrix((np.ones(n, np.float32), members.ravel(), np.arange(n + 1)), (n, n_patches))
    sums = np.empty_like(pilot)
    for c, variance in enumerate(noise):
        a, y = cut(pilot[c]), cut(noisy[c])
        found = np.empty((*members.shape, AREA), np.float32)
        for start in range(0, len(members), CHUNK):
            chosen = members[start : start + CHUNK]
            found[start : start + CHUNK] = posterior_means(a[chosen], y[chosen], variance)
        sums[c] = put(to_place.T @ found.reshape(-1, AREA), shape)
    counts = np.bincount(members.ravel(), minlength=n_patches).astype(np.float32)
    return sums, spread(counts.reshape(-1, shape[1] - SIDE + 1))


def posterior_means(pilot: Real, noisy: Real, noise: float) -> Real:
    """E[z | y] of the members of Gaussians whose parameters are those of the pilots.

    With the centred pilots A (M, 64), S = AᵀA/M and noise σ²: E[z | y] = μ + S (S + σ²I)⁻¹ (y - μ), in the M
    dimensions of the members rather than the 64 of a patch: Aᵀ (AAᵀ + Mσ²I)⁻¹ A (y - μ) = WᵀW (y - μ), where
    W = L⁻¹A and LLᵀ = AAᵀ + Mσ²I.

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
    lower = np.asarray(np.linalg.cholesky(gram), np.float32)
    white = inverse_lower(lower) @ pilot
    estimate: Real = (noisy @ np.swapaxes(white, 1, 2)) @ white
    estimate += mean
    return estimate
