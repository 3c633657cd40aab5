"""Families of independent dimensions: log f(x) = Σ_d η_d · T(x_d), and priors that count as samples."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.mixture.conjugate_prior import PriorStrength, PseudoSamples
from emseg.mixture.family import Family, Real
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]


class ProductFamily(Family):
    """An exponential family whose penalty and prior are pseudo-samples, which are added to the statistics."""

    @abstractmethod
    def penalty(self, psi: float, d: int) -> Array:
        """Statistics (P,) that the penalty adds to those of each component."""

    @abstractmethod
    def matched(self, t: Array) -> Any:
        """The components with E[T] = t / t_0, for t (..., K, P)."""

    @abstractmethod
    def mean_statistic(self, components: Any) -> Array:
        """E[T(x)], shape (..., K, P); entries of T that no parameter multiplies may be 0."""

    @abstractmethod
    def places(self, seen: NDArray[np.intp], d: int) -> NDArray[np.intp]:
        """The places in T(x) of the entries that T of the seen dimensions has."""

    def marginal(self, components: Any, seen: NDArray[np.intp]) -> Any:
        """The parameters of the seen dimensions."""
        return type(components)(*(getattr(components, name)[..., seen] for name in components.parts()))

    def lift(self, stats: Stats, components: Any, seen: NDArray[np.intp]) -> Stats:
        """The seen statistics, and n E[T] in the places of the other dimensions."""
        t = stats.n[..., None] * self.mean_statistic(components)
        t[..., self.places(seen, components.means.shape[-1])] = stats.t
        return Stats(stats.n, t)

    def predicted(self, components: Any, x: Real, seen: NDArray[np.intp]) -> Array:
        """The means of the unseen dimensions: the seen ones say nothing of them."""
        means = np.delete(components.means, seen, axis=-1)
        return np.repeat(means[..., None], x.shape[1], axis=-1)

    def scores(self, components: Any, psi: Array | float, prior: PseudoSamples | None = None) -> tuple[Array, Array]:
        """η, and the log-density of penalty and prior, shape (...)."""
        eta = self.natural(components)
        return eta, np.asarray((eta * self._pseudo(psi, components.means.shape[-1], prior)).sum((-1, -2)))

    def m_projection(
        self, stats: Stats, psi: Array | float, d: int, previous: Any = None, prior: PseudoSamples | None = None
    ) -> Any:
        """The components whose E[T] matches the statistics and pseudo-samples."""
        return self.matched(self._matchable(stats, psi, d, prior))

    def default_prior(self, total: Stats, k: int, d: int, strength: PriorStrength) -> PseudoSamples:
        """Pseudo-samples that are like the mean sample, as many as the shrinkage says."""
        if (strength.dof, strength.scale) != (PriorStrength.dof, PriorStrength.scale):
            raise UsageError(
                f"{option('algorithm', 'map')}: dof and scale are for Gaussians; {self.name} has shrinkage and alpha"
            )
        return PseudoSamples(t=total.t[0] * (strength.shrinkage / float(total.n[0])), alpha=strength.alpha)

    def _matchable(self, stats: Stats, psi: Array | float, d: int, prior: PseudoSamples | None) -> Array:
        n = np.maximum(stats.n, stats.t[..., 0])  # more samples than that, by what a grain adds
        t = np.concatenate([n[..., None], stats.t[..., 1:]], axis=-1)
        return np.asarray(t + self._pseudo(psi, d, prior))

    def _pseudo(self, psi: Array | float, d: int, prior: PseudoSamples | None) -> Array:
        pseudo = self.penalty(float(psi), d)
        return pseudo + prior.t if prior else pseudo


def unseen(parameter: Array, seen: NDArray[np.intp], n: int) -> Array:
    """A parameter (K, D) of the dimensions that were not seen, for each of n samples; (K, D - D_o, n)."""
    return np.asarray(np.delete(parameter, seen, axis=1)[..., None] + np.zeros(n))
