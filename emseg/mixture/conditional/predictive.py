"""What a mixture says of values that were not observed: the conditional density of each, its moments and quantiles.

Given what was seen of a sample, x_o, an unseen value has the density

p(x_j | x_o) = Σ_k r_k f_k(x_j | x_o),   r_k ∝ π_k f_k(x_o)

Each family says what f_k(x_j | x_o) is, see `Family.predictive`. Quantiles are roots of the mixture's distribution
function. They lie between the smallest and the largest of the components' quantiles.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.conditional.regression import regression
from emseg.numerics.roots import increasing_roots
from emseg.records import record

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@record(frozen=True, eq=False)
class Predictive:
    """Conditional densities of M unseen values in each of N samples of which the same was seen.

    Attributes
    ----------
    weight : ndarray, shape (K, N)
        Responsibilities r_k.
    mean, variance : ndarray, shape (K, M, N)
        Of the components.
    cdf : callable
        x (M, N) → the components' distribution functions there, (K, M, N).
    inverse : callable
        p → the components' quantiles, (K, M, N).
    whole : bool
        Whether values are whole numbers.
    """

    weight: Array
    mean: Array
    variance: Array
    cdf: Callable[[Array], Array]
    inverse: Callable[[float], Array]
    whole: bool = False

    def moments(self) -> tuple[Array, Array]:
        """Conditional means and standard deviations, each (M, N)."""
        r = self.weight[:, None]
        mean = (r * self.mean).sum(0)
        return mean, np.sqrt((r * (self.variance + (self.mean - mean) ** 2)).sum(0))

    def distribution(self, x: Array) -> Array:
        """F(x), (M, N)."""
        return np.asarray((self.weight[:, None] * self.cdf(x)).sum(0))

    def quantile(self, p: float) -> Array:
        """The smallest x with F(x) ≥ p, (M, N)."""
        each = self.inverse(p)
        low, high = each.min(0), each.max(0)
        if self.whole:
            return self._whole_quantile(p, low - 1, high)
        return increasing_roots(lambda x: self.distribution(x) - p, low, high)

    def _whole_quantile(self, p: float, low: Array, high: Array) -> Array:
        """By bisection, F(low) < p ≤ F(high); rounding must not cost a step."""
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            enough = self.distribution(middle) >= p * (1 - 1e-14)
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high


def normal_conditional(means: Array, covariances: Array, weight: Array, x: Array, seen: Indices) -> Predictive:
    """N(x̂_j, C_jj) for normal distributions of means (K, D) and covariances (K, D, D)."""
    from scipy.special import ndtr, ndtri

    a, c, left = regression(means, covariances, seen)
    mean = np.delete(a @ x + c[..., None], seen, axis=1)
    variance = _unseen_variance(left, seen, mean)
    sigma = np.sqrt(variance)
    return Predictive(weight, mean, variance, lambda x: ndtr((x - mean) / sigma), lambda p: mean + sigma * ndtri(p))


def student_conditional(means: Array, scales: Array, dof: Array, weight: Array, x: Array, seen: Indices) -> Predictive:
    """t distributions with ν + D_o degrees of freedom, and C_jj scaled by (ν + δ_o) / (ν + D_o).

    Ding (2016), On the conditional distribution of the multivariate t distribution, The American Statistician 70.
    """
    from scipy.special import stdtr, stdtrit

    a, c, left = regression(means, scales, seen)
    mean = np.delete(a @ x + c[..., None], seen, axis=1)
    offset = x - means[:, seen, None]
    solved = np.linalg.solve(scales[:, seen[:, None], seen], offset) if seen.size else offset
    nu = dof[:, None] + np.zeros(x.shape[1])
    scale = (nu + (offset * solved).sum(1)) / (nu + seen.size)
    nu = (nu + seen.size)[:, None]
    square = _unseen_variance(left, seen, mean) * scale[:, None]
    sigma = np.sqrt(square)
    variance = np.where(nu > 2, square * nu / np.where(nu > 2, nu - 2, 1), np.inf)
    return Predictive(
        weight,
        mean,
        variance,
        lambda x: stdtr(nu, (x - mean) / sigma),
        lambda p: mean + sigma * stdtrit(nu, p),
    )


def _unseen_variance(left: Array, seen: Indices, mean: Array) -> Array:
    """C_jj of the unseen dimensions, (K, M, N); rounding must not make it zero."""
    variance = np.delete(np.einsum("...ii->...i", left), seen, axis=1)
    return np.asarray(np.maximum(variance, np.finfo(np.float64).tiny)[..., None] + np.zeros(mean.shape[-1]))
