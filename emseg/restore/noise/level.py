"""How strong the noise of an image is, from its patches of weak texture.

Liu, Tanaka & Okutomi (2013), Single-image noise level estimation for blind denoising, IEEE Trans. Image Process. 22:
in patches without texture the covariance is σ²I, in others no eigenvalue is smaller. The smallest eigenvalue of all
patches gives a first σ², the distribution of the gradients of pure noise a bound that textured patches exceed, and the
smallest eigenvalue of the others the next σ². Where hardly a patch is without texture, texture is part of that, and
`emseg.restore.noise.texture_level` tells it apart.

The noise is that of the file: rounding adds 1/12 of a level to σ², and takes part like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.restore.noise.texture_level import texture_level
from emseg.restore.patch.patches import Real

SIDE = 7
ROUNDS = 5
#: What the energy of gradients of a patch of noise of σ = 1 is below 99 times of 100; with fewer let in, less texture
#: is. It is a quadratic form of trace 35, whose .997 quantile this would be if it had a gamma distribution of shape 24.
WEAKEST = 35 * 39.64373450347775 / 24
MOST = 400_000  # patches looked at
USED = 1 << 16  # patches that a covariance is that of
CLIPPED = 0.005  # share of pixels at an end of the range from which on only patches far from it are used
AWAY = 2.0  # noise levels from the end
WEAK = 0.02, 0.2  # shares of patches without texture, up to which there are too few, and from which on enough


def noise_level(plane: Real, valid: NDArray[np.bool_] | None = None, ends: tuple[float, float] | None = None) -> float:
    """Standard deviation of white noise in a plane (H, W); 0 where there are too few patches to tell.

    Parameters
    ----------
    plane : ndarray of float32, shape (H, W)
    valid : ndarray of bool, shape (H, W), optional
        Patches with other pixels are left out.
    ends : (float, float), optional
        Values at which the plane is cut off. Where that has happened to many pixels, patches near that end are left
        out, since they show less noise.
    """
    if min(plane.shape) < SIDE:
        return 0.0
    seen = _Patches.of(plane, valid)
    low, high = -np.inf, np.inf
    if ends is not None:
        inside = plane if valid is None else plane[valid]
        low = ends[0] if (inside <= ends[0]).mean() > CLIPPED else low
        high = ends[1] if (inside >= ends[1]).mean() > CLIPPED else high
    away = weak = (seen.mean > low) & (seen.mean < high)
    variance = _smallest(seen.chosen(away))
    for _ in range(ROUNDS):
        margin = AWAY * np.sqrt(variance)
        away = (seen.mean > low + margin) & (seen.mean < high - margin)
        weak = (seen.texture <= WEAKEST * variance) & away
        found = _smallest(seen.chosen(weak))
        if found <= 0 or abs(found - variance) < 1e-6 * variance:
            break
        variance = found
    sigma = float(np.sqrt(variance))
    share = weak.sum() / max(away.sum(), 1)
    if sigma == 0 or share >= WEAK[1]:
        return sigma
    few = float(np.log(WEAK[1] / max(share, WEAK[0])) / np.log(WEAK[1] / WEAK[0]))
    textured = texture_level(seen.chosen(away), sigma)
    return float(sigma * (textured / sigma) ** few)


@dataclass(frozen=True, eq=False)
class _Patches:
    """Patches of a plane.

    Attributes
    ----------
    windows : ndarray of float32, shape (H', W', 7, 7)
        A view of the plane.
    at : (ndarray, ndarray)
        Row and column in `windows` of each of the N that are looked at.
    texture : ndarray, shape (N,)
        The energy of their gradients.
    mean : ndarray, shape (N,)
    """

    windows: Real
    at: tuple[NDArray[np.intp], NDArray[np.intp]]
    texture: NDArray[np.float64]
    mean: NDArray[np.float64]

    @staticmethod
    def of(plane: Real, valid: NDArray[np.bool_] | None) -> _Patches:
        """Those on a grid that have valid pixels only."""
        windows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))
        step = max(1, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / MOST))))
        if valid is not None:
            plane = np.where(valid, plane, np.float32(0))
        across, down = ((plane[:, 2:] - plane[:, :-2]) / 2) ** 2, ((plane[2:] - plane[:-2]) / 2) ** 2
        texture = _sums(across, SIDE, SIDE - 2, step) + _sums(down, SIDE - 2, SIDE, step)
        mean = _sums(plane, SIDE, SIDE, step) / SIDE**2
        whole = np.ones(texture.shape, bool) if valid is None else _sums(~valid, SIDE, SIDE, step) == 0
        row, column = np.nonzero(whole)
        return _Patches(windows, (step * row, step * column), texture[whole], mean[whole])

    def chosen(self, which: NDArray[np.bool_]) -> Real:
        """Some of them, (n, 49), spread evenly where there are very many."""
        index = np.flatnonzero(which)
        if index.size > USED:
            index = index[np.linspace(0, index.size - 1, USED).astype(np.intp)]
        return self.windows[self.at[0][index], self.at[1][index]].reshape(-1, SIDE * SIDE)


def _sums(plane: NDArray[np.generic], height: int, width: int, step: int) -> NDArray[np.float64]:
    """Sums over windows of a plane, every `step` pixels."""
    total = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1))
    np.cumsum(plane, 0, np.float64, total[1:, 1:])
    np.cumsum(total[1:, 1:], 1, out=total[1:, 1:])
    top, bottom = total[:-height:step], total[height::step]
    found: NDArray[np.float64] = bottom[:, width::step] - bottom[:, :-width:step]
    found -= top[:, width::step] - top[:, :-width:step]
    return found


def _smallest(x: Real) -> float:
    """Smallest eigenvalue of the covariance of some patches; 0 where they are too few."""
    if len(x) <= 2 * SIDE * SIDE:
        return 0.0
    centred = (x - x.mean(0)).astype(np.float32)
    smallest = float(np.linalg.eigvalsh((centred.T @ centred).astype(np.float64))[0]) / (len(x) - 1)
    # Of N draws in D dimensions the smallest eigenvalue is too small by this factor (Marchenko & Pastur 1967).
    return max(smallest, 0.0) / (1 - SIDE / float(np.sqrt(len(x)))) ** 2
