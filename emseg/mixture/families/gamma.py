"""The gamma family, for speckle (SAR, ultrasound): T(x) = (1, x, log x), dimensions independent.

log f(x) = Σ_d a log(a/m) - log Γ(a) + (a - 1) log x - (a/m) x,   E[x] = m,   E[log x] = log m + ψ(a) - log a

with mean m and shape a: the number of looks of a SAR image, 1/a its relative variance. The penalty -ψ a acts as more
scatter of log x. In the M-step m is the mean, and a the root of log a - ψ(a) = log m - mean(log x) (Minka 2002,
Estimating a gamma distribution): Newton steps in 1/a, quadratically convergent from anywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.components import Components, require
from emseg.mixture.conditional.predictive import Predictive
from emseg.mixture.conjugate_prior import PseudoSamples
from emseg.mixture.families.independent_dimensions import ProductFamily, unseen
from emseg.mixture.family import Real
from emseg.mixture.stats import Stats
from emseg.mixture.support import POSITIVE
from emseg.numerics.digamma_root import log_minus_digamma_root
from emseg.records import record

Array = NDArray[np.float64]
LEAST = 1e-14  # scatter of log x below which it is rounding
SMALLEST = 1e-100  # mean of an empty component: density and slope stay numbers, and their product nothing


@record(frozen=True, eq=False)
class Gamma(Components):
    """K sets of D independent gamma distributions.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
        m, positive.
    shapes : ndarray, shape (..., K, D)
        a, positive.
    """

    means: Array
    shapes: Array

    def check(self) -> None:
        """Raise ValueError unless there are positive means and shapes, as many of each."""
        require(self.means.shape == self.shapes.shape, "shapes do not agree")
        require((self.means > 0) & (self.shapes > 0), "means and shapes must be above 0")

    @property
    def covariances(self) -> Array:
        """Diagonal, (..., K, D, D): m²/a."""
        return np.asarray((self.means**2 / self.shapes)[..., None] * np.eye(self.means.shape[-1]))


@record(frozen=True)
class GammaFamily(ProductFamily):
    """Products of gamma distributions."""

    name = "gamma"
    kind = Gamma
    support = POSITIVE

    def n_monomials(self, d: int) -> int:
        """The constant, x and log x."""
        return 1 + 2 * d

    def monomials(self, x: Real, out: Real) -> None:
        """x and log x."""
        out[1 : 1 + len(x)] = x
        np.log(x, out=out[1 + len(x) :])

    def grain(self, covariance: Array) -> Array:
        """-½ Λ in the places of log x, for Λ of log x: E[x (1 + u)] = x, E[log x (1 + u)] = log x - ½ Var u."""
        d = len(covariance)
        return np.concatenate([np.zeros(1 + d), -0.5 * np.diag(covariance)])

    def own_grain(self, covariance: Array, means: Array) -> Array:
        """Of logarithms, at the mean."""
        return np.diag(np.diag(covariance) / means**2)

    def natural(self, components: Gamma) -> Array:
        """η = (Σ a log(a/m) - log Γ(a), -a/m, a - 1)."""
        from scipy.special import gammaln

        m, a = components.means, components.shapes
        constant = (a * np.log(a / m) - gammaln(a)).sum(-1, keepdims=True)
        return np.concatenate([constant, -a / m, a - 1], axis=-1)

    def mean_statistic(self, components: Gamma) -> Array:
        """E[x] = m and E[log x] = log m + ψ(a) - log a."""
        from scipy.special import psi

        m, a = components.means, components.shapes
        return np.concatenate([np.ones((*m.shape[:-1], 1)), m, np.log(m / a) + psi(a)], axis=-1)

    def places(self, seen: NDArray[np.intp], d: int) -> NDArray[np.intp]:
        """The constant, their values and logarithms."""
        return np.concatenate([[0], 1 + seen, 1 + d + seen])

    def penalty(self, psi: float, d: int) -> Array:
        """-ψ on every sum of logarithms."""
        return np.concatenate([[0.0], np.zeros(d), np.full(d, -psi)])

    def matched(self, t: Array) -> Gamma:
        """m = Σ x / n, and a from the scatter of log x."""
        n, d = t[..., :1], t.shape[-1] // 2
        means = np.maximum(t[..., 1 : 1 + d] / n, SMALLEST)
        return Gamma(means, _shapes(np.log(means) - t[..., 1 + d :] / n, means))

    def conditional(
        self, part: str, stats: Stats, components: Gamma, psi: Array | float, prior: PseudoSamples | None = None
    ) -> Gamma:
        """The mean does not depend on the shape; the shape, given another mean than the samples', does."""
        d, m = components.means.shape[-1], components.means
        t = self._matchable(stats, psi, d, prior)
        n = t[..., :1]
        if part == "means":
            return Gamma(np.maximum(t[..., 1 : 1 + d] / n, SMALLEST), components.shapes)
        return Gamma(m, _shapes(np.log(m) + t[..., 1 : 1 + d] / n / m - 1 - t[..., 1 + d :] / n, m))

    def n_parameters(self, k: int, d: int) -> int:
        """A mean and a shape a dimension."""
        return 2 * k * d

    def pack(self, components: Gamma) -> Array:
        """log m and log a."""
        theta: Array = np.log(np.concatenate([components.means.ravel(), components.shapes.ravel()]))
        return theta

    def unpack(self, theta: Array, k: int, d: int) -> Gamma:
        """m, a = e^θ."""
        means, shapes = np.exp(theta).reshape(2, k, d)
        return Gamma(means, shapes)

    def predictive(self, components: Gamma, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
        """The gamma distributions of the unseen dimensions: the seen ones say nothing of them."""
        from scipy.special import gammainc, gammaincinv

        m, a = (unseen(part, seen, x.shape[1]) for part in (components.means, components.shapes))
        return Predictive(
            weight,
            m,
            m**2 / a,
            lambda x: gammainc(a, np.maximum(x, 0) * a / m),
            lambda p: gammaincinv(a, p) * m / a,
        )

    def start_coordinates(self, x: Real) -> Real:
        """Logarithms, whose variance does not depend on the mean."""
        return np.log(x)


def _shapes(scatter: Array, means: Array) -> Array:
    """The roots a of log a - ψ(a) = scatter, which must be more than rounding."""
    if not (scatter > LEAST * (1 + np.abs(np.log(means)))).all():
        raise np.linalg.LinAlgError("a gamma component has no scatter")
    return log_minus_digamma_root(scatter)
