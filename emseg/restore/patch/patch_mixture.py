"""Mixtures of Gaussians on patches, and conditional means of clean patches given noisy ones.

A clean patch without its mean is z = V_k a with probability π_k, where a ~ N(0, diag λ_k). The noisy patch is x = z +
n, n ~ N(0, σ²I). Coordinates are cosines without the constant, so D = 63. After Zoran & Weiss (2011), From learning
models of natural image patches to whole image restoration, ICCV.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.execution.runner import Runner
from emseg.records import record
from emseg.restore.patch.patches import AREA, SIDE, Real, bands, cosines, plane_shape, put_at, run_indices, spread

Array = NDArray[np.float64]
D = AREA - 1
BLOCK = 512  # patches scored at once, so that their projections on all axes stay in the cache
#: Axes with a variance below this multiple of σ² are not compared. Measured against 0.3: 0.02 dB worse, in two thirds
#: of the time.
LEAST = 1.0
LOG_2PI = float(np.log(2 * np.pi))


@record(frozen=True, eq=False)
class PatchMixture:
    """A mixture of K normal distributions of mean zero in D dimensions, seen in noise.

    Attributes
    ----------
    weights : ndarray, shape (K,)
    axes : ndarray, shape (K, D, D)
        V_k, eigenvectors in columns.
    variances : ndarray, shape (K, D)
        λ_k of the clean patches, in the order of the columns.
    noise : float
        σ².
    least : float
        Comparisons take λ below `least` · σ² as zero, which is quicker.
    """

    weights: Array
    axes: NDArray[np.floating[Any]]
    variances: Array
    noise: float = 0.0
    least: float = 1e-3

    @property
    def k(self) -> int:
        """Number of components."""
        return int(self.weights.size)

    @cached_property
    def _forms(self) -> tuple[Real, NDArray[np.intp], Real, Real]:
        """Terms of log π_k f_k(x) = c_k - ½ |x|²/s_k + ½ Σ_r (u_kr · x)²: u, the first row of each k, c and s.

        s_k is the noise variance, or the smallest variance of component k. The term |x|²/s_k covers all directions
        with that variance.
        """
        floor = np.maximum(self.noise, 1e-6)
        total = np.maximum(self.variances + self.noise, floor)
        flat = self.variances <= self.least * self.noise
        rest = np.where(flat, total, 0).sum(1) / np.maximum(flat.sum(1), 1)
        base = np.where(flat.any(1), rest, total.min(1))
        shown = ~flat
        shown[np.arange(self.k), total.argmax(1)] = True  # reduceat needs at least one row for each component
        excess = np.maximum(1 / base[:, None] - 1 / total, 0)
        rows = np.swapaxes(self.axes, 1, 2)[shown] * np.sqrt(excess[shown])[:, None]
        begin = np.concatenate([[0], np.cumsum(shown.sum(1))[:-1]])
        constant = np.log(self.weights) - 0.5 * (D * LOG_2PI + np.log(np.where(shown, total, base[:, None])).sum(1))
        return rows.astype(np.float32), begin, constant.astype(np.float32), base.astype(np.float32)

    def log_joint(self, x: Real) -> Real:
        """log π_k f_k(x) of noisy patches x (D, N); shape (K, N)."""
        rows, begin, constant, base = self._forms
        out = np.empty((self.k, x.shape[1]), np.float32)
        for start in range(0, x.shape[1], BLOCK):
            part = x[:, start : start + BLOCK]
            found = rows @ part
            np.multiply(found, found, out=found)
            joint = out[:, start : start + BLOCK]
            joint[:] = np.add.reduceat(found, begin, axis=0)
            joint -= (part * part).sum(0) / base[:, None]
            joint *= 0.5
            joint += constant[:, None]
        return out

    def clean(self, x: Real) -> tuple[Real, Real]:
        """E[z | x] under the most probable component of each noisy patch x (D, N), and the trace of its covariance.

        Returns
        -------
        z : ndarray of float32, shape (D, N)
        trace : ndarray of float32, shape (N,)
            tr Cov[z | x].
        """
        label = self.log_joint(x).argmax(0)
        gain = (self.variances / (self.variances + self.noise)).astype(np.float32)
        order = np.argsort(label, kind="stable")
        ends = np.cumsum(np.bincount(label, minlength=self.k))
        z = np.empty_like(x)
        for k, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            if begin < end:
                mine, kept = order[begin:end], gain[k] > 0.01
                axes = self.axes[k][:, kept].astype(np.float32)
                z[:, mine] = axes @ ((axes.T @ x[:, mine]) * gain[k, kept, None])
        return z, (self.noise * gain.sum(1)).astype(np.float32)[label]


def coordinates(patches: Real) -> Real:
    """Cosine coefficients (64, N) of patches (N, 64); the constant comes first."""
    found: Real = np.matmul(cosines().T, patches.T, dtype=np.float32)
    return found


def conditional_means(
    plane: Real, mixture: PatchMixture, sigma: float, step: int, runner: Runner, least: float = LEAST
) -> Real:
    """Conditional means of patches every `step` pixels, averaged with their precisions as weights.

    The function averages the results for the plane and for its transpose, on complementary grids. The mixture is not
    symmetric itself; the average makes the result of a transposed plane the transposed result.

    Parameters
    ----------
    plane : ndarray of float32, shape (H, W)
        H and W are at least 8.
    mixture : PatchMixture
    sigma : float
    step : int
    runner : Runner
    least : float
        See `PatchMixture`.
    """
    seen = replace(mixture, noise=sigma**2, least=least)
    with runner.stage(0, 0.5):
        one = _sums_of_means(plane, seen, step, runner)
    with runner.stage(0.5, 1):
        other = _sums_of_means(np.ascontiguousarray(plane.T), seen, step, runner)
    found: Real = (one[0] + other[0].T) / (one[1] + other[1].T)
    return found


def _sums_of_means(plane: Real, mixture: PatchMixture, step: int, runner: Runner) -> Real:
    """Weighted sums of estimates, and sums of weights; (2, H, W). The rows of the grid begin half a step late."""
    down, across = (
        _grid(length - SIDE + 1, step, first) for length, first in zip(plane.shape, (step // 2, 0), strict=True)
    )
    parts = bands(plane.shape)

    def inputs(rows: slice) -> tuple[Real, NDArray[np.intp]]:
        return plane[rows], down[(down >= rows.start) & (down <= rows.stop - SIDE)] - rows.start

    total = np.zeros((2, *plane.shape), np.float32)
    for rows, sums in zip(parts, runner.run(partial(_band, mixture, across), parts, inputs), strict=True):
        total[:, rows] += sums
    return total


def _band(mixture: PatchMixture, across: NDArray[np.intp], rows: slice, part: Real, down: NDArray[np.intp]) -> Real:
    """Contributions of a band: of its patches at the rows `down` and the columns `across`."""
    windows = np.lib.stride_tricks.sliding_window_view(part, (SIDE, SIDE))
    sums = np.zeros((2, *part.shape), np.float32)
    if down.size == 0:
        return sums
    noise, at = np.float32(mixture.noise), np.ix_(down, across)
    x = coordinates(windows[at].reshape(-1, AREA))
    x[1:], trace = mixture.clean(np.ascontiguousarray(x[1:]))
    weight = noise / (trace + noise)
    placed = np.zeros(windows.shape[:2], np.float32)
    placed[at] = weight.reshape(down.size, across.size)
    where = run_indices(down[:, None] * windows.shape[1] + across, windows.shape[1])
    sums[0], sums[1] = put_at((cosines() @ (x * weight)).T, where, plane_shape(part)), spread(placed)
    return sums


def _grid(length: int, step: int, first: int) -> NDArray[np.intp]:
    """Positions every `step`, with both ends."""
    return np.unique(np.r_[0, np.arange(first, length, step), length - 1])
