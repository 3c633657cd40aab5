"""Families of independent dimensions: log f(x) = Σ_d η_d · T(x_d), and priors that count as samples."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.family import Family, Real
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pseudo:
    """A conjugate prior as pseudo-samples: log p(θ) = Σ_k η_k · t + (α - 1) log π_k + const.

    Attributes
    ----------
    t : ndarray, shape (P,)
        Their statistics, the first of which is how many they are.
    alpha : float
        α, 1 for a flat prior of the weights.
    """

    t: Array
    alpha: float = 1.0


class ProductFamily(Family):
    """An exponential family whose penalty, and whose prior, are pseudo-samples: added to the statistics."""

    @abstractmethod
    def penalty(self, psi: float, d: int) -> Array:
        """Statistics (P,) that the penalty adds to those of each component."""

    @abstractmethod
    def matched(self, t: Array) -> Any:
        """The components with E[T] = t / t_0, for t (..., K, P)."""

    @abstractmethod
    def expected(self, components: Any) -> Array:
        """E[T(x)], shape (..., K, P); what depends on no parameter may be left out, as 0."""

    @abstractmethod
    def places(self, seen: NDArray[np.intp], d: int) -> NDArray[np.intp]:
        """Where T(x) holds what T of some of the D dimensions does."""

    def marginal(self, components: Any, seen: NDArray[np.intp]) -> Any:
        """Those dimensions' parameters."""
        return type(components)(*(getattr(components, name)[..., seen] for name in components.parts()))

    def lift(self, stats: Stats, components: Any, seen: NDArray[np.intp]) -> Stats:
        """n E[T] for the dimensions that were not seen."""
        t = stats.n[..., None] * self.expected(components)
        t[..., self.places(seen, components.means.shape[-1])] = stats.t
        return Stats(stats.n, t)

    def predicted(self, components: Any, x: Real, seen: NDArray[np.intp]) -> Array:
        """The means: other dimensions say nothing."""
        means = np.delete(components.means, seen, axis=-1)
        return np.repeat(means[..., None], x.shape[1], axis=-1)

    def scores(self, components: Any, psi: Array | float, prior: Pseudo | None = None) -> tuple[Array, Array]:
        """η, and the log-density of penalty and prior, shape (...)."""
        eta = self.natural(components)
        return eta, np.asarray((eta * self._pseudo(psi, components.means.shape[-1], prior)).sum((-1, -2)))

    def m_projection(
        self, stats: Stats, psi: Array | float, d: int, previous: Any = None, prior: Pseudo | None = None
    ) -> Any:
        """The components whose E[T] matches the statistics and pseudo-samples."""
        return self.matched(self._matchable(stats, psi, d, prior))

    def _matchable(self, stats: Stats, psi: Array | float, d: int, prior: Pseudo | None) -> Array:
        t = np.concatenate([stats.n[..., None], stats.t[..., 1:]], axis=-1)
        return np.asarray(t + self._pseudo(psi, d, prior))

    def _pseudo(self, psi: Array | float, d: int, prior: Pseudo | None) -> Array:
        pseudo = self.penalty(float(psi), d)
        return pseudo + prior.t if prior else pseudo
