"""The noise level of an image, from its patches of weak texture.

Liu, Tanaka & Okutomi (2013), Single-image noise level estimation for blind denoising, IEEE Trans. Image Process. 22:
patches without texture have the covariance σ²I, and no eigenvalue of other patches is smaller. The smallest eigenvalue
of all patches gives a first σ². The gradients of pure noise have a known distribution, which gives a bound that
textured patches exceed. The smallest eigenvalue of the patches below the bound gives the next σ². If nearly all patches
have texture, this level includes texture; `emseg.restore.noise.texture_level` then separates the two.

The level is that of the file. Rounding adds 1/12 of a squared grey level to σ² and is not taken off.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.records import record
from emseg.restore.noise.texture_level import texture_level
from emseg.restore.patch.patches import Real

End = float | NDArray[np.float64]

SIDE = 7  # pixels a side of a patch (Liu, Tanaka & Okutomi 2013)
ROUNDS = 5  # iterations at most; they end when σ² stands still
#: The .99 quantile of the gradient energy of a patch of noise with σ = 1. The energy is a quadratic form of trace 35.
#: The number is the .997 quantile of a gamma distribution of shape 24 with that mean, which has the right .99 quantile.
WEAKEST = 35 * 39.64373450347775 / 24
MOST = 400_000  # patches of which the texture is measured
USED = 1 << 16  # patches from which a covariance is estimated
CLIPPED = 0.005  # share of pixels at an end of the range: above it, patches near that end are left out
AWAY = 2.0  # noise levels that the mean of a patch must be away from such an end
#: Shares of patches without texture. Up to the first, `texture_level` decides; from the second on, this method; and a
#: geometric mean of the two in between.
WEAK = 0.02, 0.2


def noise_level(plane: Real, valid: NDArray[np.bool_] | None = None, ends: tuple[End, End] | None = None) -> float:
    """Standard deviation of the white noise in a plane (H, W); 0 if there are too few patches.

    Parameters
    ----------
    plane : ndarray of float32, shape (H, W)
    valid : ndarray of bool, shape (H, W), optional
        Patches with invalid pixels are left out.
    ends : (float or ndarray, float or ndarray), optional
        Values at which the plane is cut off, all of it or by row (H, 1). If many pixels are at an end, patches near it
        are left out, because they show less noise.
    """
    if min(plane.shape) < SIDE:
        return 0.0
    seen = _Patches.of(plane, valid)
    low, high = np.array(-np.inf), np.array(np.inf)
    if ends is not None:
        inside = slice(None) if valid is None else valid
        floor, ceiling = (np.broadcast_to(np.asarray(end, plane.dtype), (len(plane), 1)) for end in ends)
        low = floor[seen.at[0], 0] if (plane <= floor)[inside].mean() > CLIPPED else low
        high = ceiling[seen.at[0], 0] if (plane >= ceiling)[inside].mean() > CLIPPED else high
    away = weak = (seen.mean > low) & (seen.mean < high)
    variance = _smallest(seen.chosen(away))
    for _ in range(ROUNDS):
        distance = AWAY * np.sqrt(variance)
        away = (seen.mean > low + distance) & (seen.mean < high - distance)
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


@record(frozen=True, eq=False)
class _Patches:
    """Patches of a plane.

    Attributes
    ----------
    windows : ndarray of float32, shape (H', W', 7, 7)
        A view of the plane.
    at : (ndarray, ndarray)
        Row and column in `windows` of each of the N patches.
    texture : ndarray, shape (N,)
        Gradient energy of each patch.
    mean : ndarray, shape (N,)
    """

    windows: Real
    at: tuple[NDArray[np.intp], NDArray[np.intp]]
    texture: NDArray[np.float64]
    mean: NDArray[np.float64]

    @staticmethod
    def of(plane: Real, valid: NDArray[np.bool_] | None) -> _Patches:
        """The patches on a grid without invalid pixels; the grid is coarser in large planes."""
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
        """The pixels of the patches `which`, (n, 49); of very many, `USED` at even distances."""
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
    """Smallest eigenvalue of the covariance of patches (n, 49); 0 if there are too few."""
    if len(x) <= 2 * SIDE * SIDE:
        return 0.0
    centred = (x - x.mean(0)).astype(np.float32)
    smallest = float(np.linalg.eigvalsh((centred.T @ centred).astype(np.float64))[0]) / (len(x) - 1)
    # The smallest eigenvalue of N draws in D dimensions is too small by this factor (Marchenko & Pastur 1967).
    return max(smallest, 0.0) / (1 - SIDE / float(np.sqrt(len(x)))) ** 2
