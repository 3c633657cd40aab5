"""M-steps of covariance models by what Σ_k = λ_k C_k, |C_k| = 1, share: all, nothing, volume, shape or axes.

Each function minimises Σ_k n_k log|Σ_k| + tr Σ_k⁻¹ B_k over such matrices, for scatter B (..., K, D, D) and counts
n (..., K), or raises LinAlgError where they would be singular. Diagonal scatter gives diagonal matrices. After Celeux &
Govaert (1995), Gaussian parsimonious clustering models, Pattern Recognition 28; the axes after Flury & Gautschi (1986),
SIAM J. Sci. Stat. Comput. 7.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Solve = Callable[[Array, Array], Array]
SMALLEST = float(np.sqrt(np.finfo(np.float64).tiny))  # below it, inverses and products overflow
# Newton steps at most: of 200 random sets of scatter matrices, each was at its minimum to rounding after eight.
STEPS = 50
# Sweeps over all pairs of axes at most. Matrices that share no axes at all may need more, and are left above their
# minimum; however few the sweeps, the objective is no higher than at the start.
SWEEPS = 100
STILL = 1e-10  # radians: a sweep that turns no axes farther is the last; the objective is then right to 1e-20
ROUNDING = 1e-15  # of the objective, per sample
GOLDEN = (5**0.5 - 1) / 2  # whose multiples, modulo 1, are spread evenly: no two weights of a combination are alike


def pooled(b: Array, n: Array) -> Array:
    """One matrix for all."""
    return np.broadcast_to(b.sum(-3, keepdims=True) / n.sum(-1)[..., None, None, None], b.shape)


def free(b: Array, n: Array) -> Array:
    """Every matrix on its own."""
    result: Array = b / n[..., None, None]
    return result


def equal_volume(b: Array, n: Array) -> Array:
    """Σ_k = λ C_k: C_k = B_k / |B_k|^(1/D), λ = Σ_k |B_k|^(1/D) / Σ_k n_k."""
    size = _sound(np.exp(np.linalg.slogdet(b)[1] / b.shape[-1]))
    volume = size.sum(-1, keepdims=True) / n.sum(-1, keepdims=True)
    result: Array = b * (volume / size)[..., None, None]
    return result


def proportional(b: Array, n: Array) -> Array:
    """Σ_k = λ_k C.

    Given s_k = -log λ_k the best C is ∝ Σ_k e^{s_k} B_k, which leaves Σn log|Σ_k e^{s_k} B_k| - D Σ_k n_k s_k: convex,
    so Newton's method finds the minimum. A step that is no better than updating λ and C in turn is replaced by that.
    """
    d, total = b.shape[-1], n.sum(-1, keepdims=True)

    def profile(s: Array) -> Array:
        value: Array = total[..., 0] * np.linalg.slogdet(_mixed(s, b))[1] - d * (n * s).sum(-1)
        return value

    s: Array = np.log(n / _sound(_diagonal(b).sum(-1)))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # a step that leads there is not taken
        s = _newton(s, profile, b, n)
    common = _mixed(s, b)
    volumes: Array = np.einsum("...ij,...kji->...k", np.linalg.inv(common), b) / (d * n)
    return volumes[..., None, None] * common[..., None, :, :]


def _newton(s: Array, profile: Callable[[Array], Array], b: Array, n: Array) -> Array:
    """The minimum of a profile, by Newton's method from s."""
    k, d = b.shape[-3], b.shape[-1]
    total = n.sum(-1, keepdims=True)
    value = profile(s)
    for _ in range(STEPS):
        parts = np.linalg.inv(_mixed(s, b))[..., None, :, :] @ (np.exp(s)[..., None, None] * b)
        trace = _sound(_diagonal(parts).sum(-1))
        share = d * n / total
        # The objective does not change with a common shift of s; the added 1 settles it.
        curve = trace[..., None] * np.eye(k) - np.einsum("...kij,...lji->...kl", parts, parts) + 1.0
        newton = s - np.linalg.solve(curve, (trace - share)[..., None])[..., 0]
        plain = s - np.log(trace / share)
        s = np.where((profile(newton) < profile(plain))[..., None], newton, plain)
        last, value = value, profile(s)
        if not (last - value > ROUNDING * total[..., 0]).any():
            break
    return s


def _mixed(s: Array, b: Array) -> Array:
    """Σ_k e^{s_k} B_k."""
    result: Array = np.einsum("...k,...kij->...ij", np.exp(s), b)
    return result


def common_axes(b: Array, n: Array, solve: Solve, axes: Array) -> tuple[Array, Array]:
    """Σ_k = Q Λ_k Qᵀ: conditional steps for the axes Q and the variances Λ_k in turn, from given axes to convergence.

    With Λ fixed, the best rotation in the plane of two axes i and j has a closed form: q_i minimises the quadratic form
    of Σ_k (1/Λ_ki - 1/Λ_kj) B_k there. So the objective never rises, and never exceeds its value at the given axes.

    Returns
    -------
    variances : ndarray, shape (..., K, D)
    axes : ndarray, shape (..., D, D)
        Columns.
    """
    across = axes[..., None, :, :]
    b, axes = np.swapaxes(across, -1, -2) @ b @ across, axes.copy()
    for _ in range(SWEEPS):
        inverse = 1 / _sound(_diagonal(_solved(b, n, solve)))
        if max((_turn(b, axes, inverse, i, j) for i, j in combinations(range(b.shape[-1]), 2)), default=0) < STILL:
            break
    return _diagonal(_solved(b, n, solve)), axes


def _sound(extent: Array) -> Array:
    """The same numbers, which must be positive."""
    if not (extent > SMALLEST).all():
        raise np.linalg.LinAlgError("a component has no extent")
    return extent


def _solved(b: Array, n: Array, solve: Solve) -> Array:
    return solve(np.maximum(b, 0) * np.eye(b.shape[-1]), n)


def _diagonal(b: Array) -> Array:
    result: Array = np.einsum("...ii->...i", b)
    return result


def _turn(b: Array, axes: Array, inverse: Array, i: int, j: int) -> float:
    """Turn axes i and j, in place, and the scatter seen along them; the largest angle."""
    gain = inverse[..., i] - inverse[..., j]
    ii, ij, jj = ((gain * b[..., p, q]).sum(-1) for p, q in ((i, i), (i, j), (j, j)))
    rounding = ROUNDING * (inverse[..., i] * b[..., i, i] + inverse[..., j] * b[..., j, j]).sum(-1)
    angle = np.where(np.hypot(jj - ii, 2 * ij) - (jj - ii) > rounding, 0.5 * np.arctan2(-2 * ij, jj - ii), 0.0)[
        ..., None
    ]
    _rotate(axes, angle, i, j)
    _rotate(b, angle[..., None], i, j)
    _rotate(np.swapaxes(b, -1, -2), angle[..., None], i, j)
    return float(np.abs(np.sin(angle)).max())


def _rotate(matrix: Array, angle: Array, i: int, j: int) -> None:
    """Turn columns i and j, in place."""
    c, s, x, y = np.cos(angle), np.sin(angle), matrix[..., i], matrix[..., j]
    matrix[..., i], matrix[..., j] = c * x + s * y, c * y - s * x


def axes_of(covariances: Array) -> Array:
    """The axes that K matrices (..., K, D, D) share: those of a combination in which no two of them draw level."""
    weight = 1 + np.arange(1, covariances.shape[-3] + 1) * GOLDEN % 1
    scaled = covariances / _diagonal(covariances).sum(-1)[..., None, None]
    rough: Array = np.linalg.eigh(np.einsum("k,...kij->...ij", weight, scaled))[1]
    return common_axes(scaled, np.ones(covariances.shape[:-2]), free, rough)[1]
