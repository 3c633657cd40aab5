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
LEAST = np.float32(4e-7)  # noise relative to the variance of the pilots


def local_round(
    noisy: Real,
    pilot: Real,
    noise: Sequence[float],
    crew: Crew,
    powers: Sequence[int] = (1,),
    group: int = GROUP,
    reach: int = REACH,
) -> Real:
    """One round: search, estimate and average.

    Parameters
    ----------
    noisy, pilot : ndarray of float32, shape (C, H, W)
        H and W are 8 plus a multiple of 4. Patches are compared in the first channel.
    noise : sequence of float
        Variance of each channel's noise.
    crew : Crew
    powers : sequence of int
        How often the members are shrunk, see `posterior_means`; P estimates.
    group : int
        M, the members of a component.
    reach : int
        Of the search in each direction.

    Returns
    -------
    ndarray of float32, shape (P, C, H, W)
    """
    search = Search(plane_shape(pilot), STEP, reach, group)
    walled = search.walled(pilot[0])

    def inputs(tile: Tile) -> tuple[Real, Real, Real]:
        place = search.place(tile)
        return noisy[:, *place], pilot[:, *place], walled[search.seen(tile)]

    total, weight = np.zeros((len(powers), *pilot.shape), np.float32), np.zeros(pilot.shape[1:], np.float32)
    tiles = search.tiles()
    work = partial(_estimated, search, tuple(noise), tuple(powers))
    for tile, (sums, counts) in zip(tiles, crew.run(work, tiles, inputs), strict=True):
        place = search.place(tile)
        total[:, :, *place] += sums
        weight[place] += counts
    total /= weight
    return total


def _estimated(
    search: Search,
    noise: Sequence[float],
    powers: Sequence[int],
    tile: Tile,
    noisy: Real,
    pilot: Real,
    near: Real,
) -> tuple[Real, Real]:
    """What the references of a tile add."""
    return _tile(noisy, pilot, noise, powers, search.nearest(near, tile))


def _tile(
    noisy: Real, pilot: Real, noise: Sequence[float], powers: Sequence[int], members: NDArray[np.intp]
) -> tuple[Real, Real]:
    """Sums of the estimates of all members where they lie, (P, C, h, w), and how many there are, (h, w)."""
    from scipy.sparse import csr_matrix

    shape = pilot.shape[1:]
    n_patches = (shape[0] - SIDE + 1) * (shape[1] - SIDE + 1)
    n = members.size
    to_place = csr_matrix((np.ones(n, np.float32), members.ravel(), np.arange(n + 1)), (n, n_patches))
    sums = np.empty((len(powers), *pilot.shape), np.float32)
    for c, variance in enumerate(noise):
        a, y = cut(pilot[c]), cut(noisy[c])
        found = np.empty((len(powers), *members.shape, AREA), np.float32)
        for start in range(0, len(members), CHUNK):
            chosen = members[start : start + CHUNK]
            found[:, start : start + CHUNK] = posterior_means(a[chosen], y[chosen], variance, powers)
        for one, patches in zip(sums, found, strict=True):
            one[c] = put(to_place.T @ patches.reshape(-1, AREA), shape)
    counts = np.bincount(members.ravel(), minlength=n_patches).astype(np.float32)
    return sums, spread(counts.reshape(-1, shape[1] - SIDE + 1))


def posterior_means(pilot: Real, noisy: Real, noise: float, powers: Sequence[int] = (1,)) -> Real:
    """E[z | y] of the members of Gaussians whose parameters are those of the pilots.

    With the centred pilots A (M, 64), S = AᵀA/M and noise σ²: E[z | y] = μ + K (y - μ), K = S (S + σ²I)⁻¹, in the M
    dimensions of the members rather than the 64 of a patch: K = Aᵀ (AAᵀ + Mσ²I)⁻¹ A = WᵀW, where W = L⁻¹A and
    LLᵀ = AAᵀ + Mσ²I.

    Where the pilot still has noise in it, its small variances are mostly noise, and K keeps too much of them. K² has
    gains (λ/(λ + σ²))² instead, which come very near to the best that depend on λ alone.

    Parameters
    ----------
    pilot, noisy : ndarray of float32, shape (G, M, 64)
        Members of G components. They are overwritten.
    noise : float
        σ².
    powers : sequence of int
        Exponents of K.

    Returns
    -------
    ndarray of float32, shape (P, G, M, 64)
    """
    mean = pilot.mean(1, keepdims=True)
    pilot -= mean
    noisy -= mean
    m = pilot.shape[1]
    gram = pilot @ np.swapaxes(pilot, 1, 2)
    # Below what single precision sees beside the pilots, noise could leave the matrix with a negative eigenvalue.
    least = LEAST * np.einsum("gmm->g", gram)[:, None]
    gram[:, np.arange(m), np.arange(m)] += np.maximum(np.float32(m * noise), least)
    lower = np.asarray(np.linalg.cholesky(gram), np.float32)
    white = inverse_lower(lower) @ pilot
    turned = np.swapaxes(white, 1, 2)
    seen, again = noisy @ turned, white @ turned if max(powers) > 1 else None
    estimates = np.empty((len(powers), *noisy.shape), np.float32)
    for power in range(1, max(powers) + 1):
        if again is not None and power > 1:
            seen = seen @ again
        if power in powers:
            np.matmul(seen, white, out=estimates[powers.index(power)])
    estimates += mean
    return estimates
