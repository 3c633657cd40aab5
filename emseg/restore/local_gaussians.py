"""Local Gaussians: every reference patch has a component of its own.

The pilot is an earlier estimate of the image. The members of a component are the patches of the pilot nearest to its
reference, and their mean μ and covariance are its parameters. The members' noisy patches give conditional means of
their clean patches. These are averaged where patches overlap, and make the next pilot. This is EM with hard
responsibilities. After Lebrun, Buades & Morel (2013), A nonlocal Bayesian image denoising algorithm, SIAM J. Imaging
Sci. 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from emseg.execution.runner import Runner
from emseg.numerics.triangular import inverse_lower
from emseg.records import record
from emseg.restore.patch.patches import AREA, SIDE, Real, cut_at, pixel_runs, plane_shape, put_at, run_indices, spread
from emseg.restore.patch.similar import Search, Tile

CHUNK = 64  # components solved at once, so that their arrays stay in the cache
LEAST = np.float32(4e-7)  # least noise relative to the variance of the pilot: three roundings of single precision


@record(frozen=True)
class Round:
    """The size of a round.

    Attributes
    ----------
    step : int
        Pixels between reference patches.
    group : int
        M, the members of a component.
    reach : int
        Pixels that the search goes in each direction.
    cosines : int
        See `emseg.restore.patch.similar.Search`.
    """

    step: int = 4
    group: int = 48
    reach: int = 19
    cosines: int = 0


FULL = Round()


def local_round(
    noisy: Real,
    estimate: Real,
    noise: Sequence[float],
    runner: Runner,
    powers: Sequence[int] = (1,),
    how: Round = FULL,
    share: float = 0.0,
) -> Real:
    """One round: search, estimate, average.

    Parameters
    ----------
    noisy, estimate : ndarray of float32, shape (C, H, W)
        H and W are 8 plus a multiple of the step. Patches are compared in the first channel.
    noise : sequence of float
        Variance of each channel's noise.
    runner : Runner
    powers : sequence of int
        How often the members are shrunk, see `posterior_means`. Each power gives one estimate.
    how : Round
    share : float
        Share of the removed noise that is put back into the pilot, because the last round removed too much.

    Returns
    -------
    ndarray of float32, shape (P, C, H, W)
        Pixels that no member covers keep the earlier estimate.
    """
    pilot = estimate + np.float32(share) * (noisy - estimate)
    search = Search(plane_shape(pilot), how.step, how.reach, how.group, how.cosines)
    bordered = search.bordered(pilot[0])

    def inputs(tile: Tile) -> tuple[Real, Real, Real]:
        place = search.place(tile)
        return noisy[:, *place], pilot[:, *place], bordered[search.seen(tile)]

    total, weight = np.zeros((len(powers), *pilot.shape), np.float32), np.zeros(pilot.shape[1:], np.float32)
    tiles = search.tiles()
    work = partial(_estimated, search, tuple(noise), tuple(powers))
    for tile, (sums, counts) in zip(tiles, runner.run(work, tiles, inputs), strict=True):
        place = search.place(tile)
        total[:, :, *place] += sums
        weight[place] += counts
    uncovered = weight == 0
    if uncovered.any():
        total[..., uncovered], weight[uncovered] = estimate[:, uncovered], 1
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
    """Search for the members of a tile's references, and estimate them; see `_tile`."""
    return _tile(noisy, pilot, noise, powers, search.nearest(near, tile))


def _tile(
    noisy: Real, pilot: Real, noise: Sequence[float], powers: Sequence[int], members: NDArray[np.intp]
) -> tuple[Real, Real]:
    """Sums of the estimates of all members (P, C, h, w), and the number of members at each pixel (h, w)."""
    shape = plane_shape(pilot)
    down, across = (length - SIDE + 1 for length in shape)
    where, parts = run_indices(members, across), -(-len(members) // CHUNK)
    sums = np.empty((len(powers), *pilot.shape), np.float32)
    for c, variance in enumerate(noise):
        a, y = pixel_runs(pilot[c]), pixel_runs(noisy[c])
        found = np.empty((len(powers), *members.shape, AREA), np.float32)
        for chosen, means in zip(np.array_split(where, parts), np.array_split(found, parts, axis=1), strict=True):
            means[:] = posterior_means(cut_at(a, chosen), cut_at(y, chosen), variance, powers)
        for one, patches in zip(sums, found, strict=True):
            one[c] = put_at(patches, where, shape)
    counts = np.bincount(members.ravel(), minlength=down * across).astype(np.float32)
    return sums, spread(counts.reshape(down, across))


def posterior_means(pilot: Real, noisy: Real, noise: float, powers: Sequence[int] = (1,)) -> Real:
    """E[z | y] of the members of Gaussians, with the parameters of their pilots.

    With the centred pilots A (M, 64), S = AᵀA/M and noise σ²: E[z | y] = μ + K (y - μ), K = S (S + σ²I)⁻¹. The function
    works in the M dimensions of the members rather than the 64 of a patch: K = Aᵀ (AAᵀ + Mσ²I)⁻¹ A = WᵀW, where
    W = L⁻¹A and LLᵀ = AAᵀ + Mσ²I.

    The small variances of a noisy pilot are mostly noise, and K keeps too much of them. K² has the gains (λ/(λ + σ²))²
    instead, which come close to the best gains that depend on λ alone.

    Parameters
    ----------
    pilot, noisy : ndarray of float32, shape (G, M, 64)
        Members of G components. The function overwrites them.
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
    # Less noise than single precision resolves could leave the matrix with a negative eigenvalue.
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
