"""The Poisson family, for photon counts: T(x) = (1, x, Σ log x!), dimensions independent.

log f(x) = Σ_d x_d log λ_d - λ_d - log x_d!,   E[x] = λ

There is no penalty: the likelihood is bounded, and a component of zeros has a rate of nearly 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.components import Components, require
from emseg.mixture.conditional.predictive import Predictive
from emseg.mixture.conjugate_prior import PseudoSamples
from emseg.mixture.families.independent_dimensions import ProductFamily, unseen
from emseg.mixture.family import Real
from emseg.mixture.stats import Stats
from emseg.mixture.support import COUNTS
from emseg.records import record

Array = NDArray[np.float64]
LEAST = 1e-300  # a rate whose logarithm is still a number


@record(frozen=True, eq=False)
class Poisson(Components):
    """K sets of D independent Poisson distributions.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
        Rates λ, positive.
    """

    means: Array

    def check(self) -> None:
        """Raise ValueError unless the rates are positive."""
        require(self.means > 0, "means must be above 0")

    @property
    def covariances(self) -> Array:
        """Diagonal, (..., K, D, D): a Poisson's variance is its rate."""
        return np.asarray(self.means[..., None] * np.eye(self.means.shape[-1]))


@record(frozen=True)
class PoissonFamily(ProductFamily):
    """Products of Poisson distributions."""

    name = "poisson"
    kind = Poisson
    support = COUNTS

    def n_monomials(self, d: int) -> int:
        """D rates, the constant, and what all components have in common."""
        return d + 2

    def monomials(self, x: Real, out: Real) -> None:
        """x and Σ log x!."""
        from scipy.special import gammaln

        out[1:-1] = x
        out[-1] = gammaln(x + 1).sum(0)

    def natural(self, components: Poisson) -> Array:
        """η = (-Σ λ, log λ, -1)."""
        rates = components.means
        constant = -rates.sum(-1, keepdims=True)
        return np.concatenate([constant, np.log(rates), np.full_like(constant, -1.0)], axis=-1)

    def mean_statistic(self, components: Poisson) -> Array:
        """E[x] = λ."""
        rates = components.means
        one = np.ones((*rates.shape[:-1], 1))
        return np.concatenate([one, rates, 0 * one], axis=-1)

    def places(self, seen: NDArray[np.intp], d: int) -> NDArray[np.intp]:
        """The constant, their counts, and Σ log x! of what was seen."""
        return np.concatenate([[0], 1 + seen, [1 + d]])

    def penalty(self, psi: float, d: int) -> Array:
        """No penalty is needed."""
        return np.zeros(d + 2)

    def matched(self, t: Array) -> Poisson:
        """λ = Σ x / n."""
        return Poisson(np.maximum(t[..., 1:-1] / t[..., :1], LEAST))

    def conditional(
        self, part: str, stats: Stats, components: Any, psi: Array | float, prior: PseudoSamples | None = None
    ) -> Poisson:
        """The rates, which are the only part."""
        return Poisson(self.m_projection(stats, psi, components.means.shape[-1], None, prior).means)

    def n_parameters(self, k: int, d: int) -> int:
        """A rate a dimension."""
        return k * d

    def pack(self, components: Poisson) -> Array:
        """log λ."""
        return np.asarray(np.log(components.means).ravel())

    def unpack(self, theta: Array, k: int, d: int) -> Poisson:
        """λ = e^θ."""
        return Poisson(np.maximum(np.exp(theta.reshape(k, d)), LEAST))

    def predictive(self, components: Poisson, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
        """The Poisson distributions of the unseen dimensions: the seen ones say nothing of them."""
        from scipy.special import pdtr, pdtrik

        rate = unseen(components.means, seen, x.shape[1])

        def inverse(p: float) -> Array:
            guess = np.maximum(np.ceil(pdtrik(p, rate)), 0)
            guess = np.where(np.isfinite(guess), guess, 0)  # where even no event is more likely than p
            return np.where(pdtr(np.maximum(guess - 1, 0), rate) >= p, np.maximum(guess - 1, 0), guess)

        return Predictive(weight, rate, rate, lambda x: np.where(x < 0, 0, pdtr(np.maximum(x, 0), rate)), inverse, True)

    def start_coordinates(self, x: Real) -> Real:
        """Square roots, whose variance does not depend on the rate (Anscombe 1948)."""
        return np.sqrt(x)
