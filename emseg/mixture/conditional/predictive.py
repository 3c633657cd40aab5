"""What a mixture says of values that were not observed: the conditional density of each, its moments and quantiles.

Given what was seen of a sample, x_o, an unseen value has the density

p(x_j | x_o) = Σ_k r_k f_k(x_j | x_o),   r_k ∝ π_k f_k(x_o)

For Gaussians f_k(x_j | x_o) is N(x̂_j, C_jj), for t distributions one with ν + D_o degrees of freedom and C_jj scaled by
(ν + δ_o) / (ν + D_o) (Ding 2016), and for families of independent dimensions the marginal density. Quantiles are roots
of the mixture's distribution function, which lie between the smallest and the largest of the components' quantiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError
from emseg.mixture.conditional.regression import regression
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
STEPS = 200  # of a search for a root; about ten are enough


@dataclass(frozen=True, eq=False)
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
        return root(lambda x: self.distribution(x) - p, low, high)

    def _whole_quantile(self, p: float, low: Array, high: Array) -> Array:
        """By bisection, F(low) < p ≤ F(high); rounding must not cost a step."""
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            enough = self.distribution(middle) >= p * (1 - 1e-14)
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high


def predictive(mixture: Mixture, x: Array, seen: NDArray[np.intp]) -> Predictive:
    """The conditional densities of the dimensions that were not seen, given those that were.

    Parameters
    ----------
    mixture : Mixture
    x : ndarray, shape (D_o, N)
    seen : ndarray of int, shape (D_o,)
        None of them is allowed: then this is the marginal density.

    Raises
    ------
    UsageError
        If the family knows no quantiles: angles have no smallest value.
    """
    n = x.shape[1]
    joint = np.repeat(np.log(mixture.weights)[:, None], n, axis=1)
    if seen.size:
        joint = mixture.marginal(seen).log_joint(x)
    r = np.exp(joint - joint.max(0))
    weight: Array = r / r.sum(0)
    make = {"gaussian": _gaussian, "student": _student, "gamma": _gamma, "poisson": _poisson}.get(mixture.family.name)
    if make is None or mixture.family.noisy:
        kind = "noise" if mixture.family.noisy else mixture.family.name
        raise UsageError(f"impute: {kind} has no quantiles; use family gaussian, student, gamma or poisson")
    return make(mixture.components, weight, x, seen)


def _gaussian(parts: Any, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
    from scipy.special import ndtr, ndtri

    a, c, left = regression(parts.means, parts.covariances, seen)
    mean = np.delete(a @ x + c[..., None], seen, axis=1)
    variance = _spread(left, seen, mean)
    sigma = np.sqrt(variance)
    return Predictive(weight, mean, variance, lambda x: ndtr((x - mean) / sigma), lambda p: mean + sigma * ndtri(p))


def _student(parts: Any, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
    from scipy.special import stdtr, stdtrit

    a, c, left = regression(parts.means, parts.scales, seen)
    mean = np.delete(a @ x + c[..., None], seen, axis=1)
    offset = x - parts.means[:, seen, None]
    solved = np.linalg.solve(parts.scales[:, seen[:, None], seen], offset) if seen.size else offset
    nu = parts.dof[:, None] + np.zeros(x.shape[1])
    scale = (nu + (offset * solved).sum(1)) / (nu + seen.size)
    nu = (nu + seen.size)[:, None]
    square = _spread(left, seen, mean) * scale[:, None]
    sigma = np.sqrt(square)
    variance = np.where(nu > 2, square * nu / np.where(nu > 2, nu - 2, 1), np.inf)
    return Predictive(
        weight,
        mean,
        variance,
        lambda x: stdtr(nu, (x - mean) / sigma),
        lambda p: mean + sigma * stdtrit(nu, p),
    )


def _gamma(parts: Any, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
    from scipy.special import gammainc, gammaincinv

    m, a = (np.delete(part, seen, axis=1)[..., None] + np.zeros(x.shape[1]) for part in (parts.means, parts.shapes))
    return Predictive(
        weight,
        m,
        m**2 / a,
        lambda x: gammainc(a, np.maximum(x, 0) * a / m),
        lambda p: gammaincinv(a, p) * m / a,
    )


def _poisson(parts: Any, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
    from scipy.special import pdtr, pdtrik

    rate = np.delete(parts.means, seen, axis=1)[..., None] + np.zeros(x.shape[1])

    def inverse(p: float) -> Array:
        guess = np.maximum(np.ceil(pdtrik(p, rate)), 0)
        guess = np.where(np.isfinite(guess), guess, 0)  # where even no event is more likely than p
        return np.where(pdtr(np.maximum(guess - 1, 0), rate) >= p, np.maximum(guess - 1, 0), guess)

    return Predictive(weight, rate, rate, lambda x: np.where(x < 0, 0, pdtr(np.maximum(x, 0), rate)), inverse, True)


def _spread(left: Array, seen: NDArray[np.intp], mean: Array) -> Array:
    """C_jj of the unseen dimensions, (K, M, N); rounding must not make it zero."""
    variance = np.delete(np.einsum("...ii->...i", left), seen, axis=1)
    return np.asarray(np.maximum(variance, np.finfo(np.float64).tiny)[..., None] + np.zeros(mean.shape[-1]))


def root(f: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Roots of increasing functions, elementwise, by Chandrupatla's method (1997): f(low) ≤ 0 ≤ f(high)."""
    a, b = np.array(low), np.array(high)
    fa, fb = f(a), f(b)
    t = np.full(a.shape, 0.5)
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            x = a + t * (b - a)
            fx = f(x)
            same = np.sign(fx) == np.sign(fa)
            c, fc = np.where(same, a, b), np.where(same, fa, fb)
            b, fb = np.where(same, b, a), np.where(same, fb, fa)
            a, fa = x, fx
            least = 2 * np.finfo(np.float64).eps * np.maximum(np.abs(a), np.abs(b)) / np.abs(b - a)
            least = np.where(np.isfinite(least), np.minimum(least, 0.5), 0.5)
            if ((least >= 0.5) | (fa == 0)).all():
                break
            # Inverse quadratic interpolation where three points bend gently, bisection elsewhere.
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            step = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            t = np.where((phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi), step, 0.5)
            t = np.clip(np.where(np.isfinite(t), t, 0.5), least, 1 - least)
            t = np.where(fa == 0, 0.0, t)
    return np.where(np.abs(fa) < np.abs(fb), a, b)
