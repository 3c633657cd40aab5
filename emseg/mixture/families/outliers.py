"""A noise component beside a family's: Banfield & Raftery (1993), Model-based Gaussian and non-Gaussian clustering.

f(x) = Σ_{k<K} π_k f_k(x) + π_0 / V

The last component is uniform over the box, of volume V, that the samples lie in: outliers, which would drag means and
swell covariances, get a place of their own. Its only parameter is its weight, and its ℓ still never falls under EM. In
the arrays of a mixture its row holds the middle and the spread of the box, which nothing is computed from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError
from emseg.mixture.family import Components, Family, Real, require
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]
SHARE = 0.05  # of the weight, that noise gets beside a mixture without


@dataclass(frozen=True, eq=False)
class NoisyFamily(Family):
    """A family, and uniform noise as the last component.

    Attributes
    ----------
    inner : Family
    log_density : float
        -log V.
    noise : Components
        The row that stands for the noise, of `inner.kind`, (1, …).
    log_sides : ndarray, shape (D,), or None
        Logarithms of the sides of the box, where they are known: marginal densities need them.
    """

    inner: Family
    log_density: float
    noise: Any
    log_sides: Array | None = None
    noisy = True

    @property
    def bare(self) -> Family:
        """The family without noise."""
        return self.inner

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the other components."""
        return self.inner.name

    @property
    def kind(self) -> type[Components]:  # type: ignore[override]
        """That of the other components."""
        return self.inner.kind

    @property
    def shared(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the other components share."""
        return self.inner.shared

    @property
    def tails(self) -> Mapping[str, tuple[float, float]]:  # type: ignore[override]
        """Those of the other components."""
        return self.inner.tails

    @property
    def location_scale(self) -> bool:  # type: ignore[override]
        """As the other components."""
        return self.inner.location_scale

    @property
    def free(self) -> tuple[str, ...]:
        """What is estimated of the other components."""
        return self.inner.free

    def n_monomials(self, d: int) -> int:
        """As the other components."""
        return self.inner.n_monomials(d)

    def monomials(self, x: Real, out: Real) -> None:
        """As the other components."""
        self.inner.monomials(x, out)

    def natural(self, components: Any) -> Array:
        """η, for the noise a constant alone."""
        return self._with_constant(self.inner.natural(_others(components)))

    def scores(self, components: Any, psi: Array | float, prior: Any = None) -> tuple[Array, Array]:
        """η, and the penalty and prior of the other components."""
        eta, log_prior = self.inner.scores(_others(components), psi, prior)
        return self._with_constant(eta), log_prior

    def completed(self, t: Array) -> Stats:
        """As the other components."""
        return self.inner.completed(t)

    def link(self, mixture: Mixture) -> NoisyLink | None:
        """That of the other components, and for the noise none."""
        others = Mixture(mixture.weights[..., :-1], _others(mixture.components), self.inner)
        inner = self.inner.link(others)
        if inner is None:
            return None
        noise = (np.log(mixture.weights[..., -1]) + self.log_density).reshape(-1, 1, 1)
        return NoisyLink(np.concatenate([inner.eta, np.zeros_like(inner.eta[..., :1, :])], axis=-2), inner, noise)

    def m_projection(self, stats: Stats, psi: Array | float, d: int, previous: Any = None, prior: Any = None) -> Any:
        """The other components, from their own statistics."""
        others = Stats(stats.n[..., :-1], stats.t[..., :-1, :])
        return self._appended(self.inner.m_projection(others, psi, d, previous and _others(previous), prior))

    def conditional(self, part: str, stats: Stats, components: Any, psi: Array | float, prior: Any = None) -> Any:
        """One part of the other components."""
        others = Stats(stats.n[..., :-1], stats.t[..., :-1, :])
        return self._appended(self.inner.conditional(part, others, _others(components), psi, prior))

    def pinned(self, stats: Stats, components: Any) -> Stats:
        """Statistics that hold the locations; the noise has none."""
        return self.inner.pinned(stats, components)

    def margin(self, seen: NDArray[np.intp]) -> NoisyFamily:
        """A box of fewer sides.

        Raises
        ------
        UsageError
            If its sides are not known, as those of a saved model.
        """
        if self.log_sides is None:
            raise UsageError("noise of a saved model does not go with unknown values; use --missing drop")
        sides = self.log_sides[seen]
        return NoisyFamily(self.inner.margin(seen), -float(sides.sum()), self.inner.marginal(self.noise, seen), sides)

    def marginal(self, components: Any, seen: NDArray[np.intp]) -> Any:
        """As the other components, whose rows these are."""
        return self.inner.marginal(components, seen)

    def lift(self, stats: Stats, components: Any, seen: NDArray[np.intp]) -> Stats:
        """As the other components; the statistics of noise go nowhere."""
        return self.inner.lift(stats, components, seen)

    def predicted(self, components: Any, x: Real, seen: NDArray[np.intp]) -> Array:
        """As the other components, and the middle of the box."""
        return self.inner.predicted(components, x, seen)

    def n_parameters(self, k: int, d: int) -> int:
        """Those of the other components."""
        return self.inner.n_parameters(k - 1, d)

    def pack(self, components: Any) -> Array:
        """Coordinates of the other components."""
        return self.inner.pack(_others(components))

    def unpack(self, theta: Array, k: int, d: int) -> Any:
        """Inverse of `pack`."""
        return self._appended(self.inner.unpack(theta, k - 1, d))

    def embed(self, x: Real) -> Real:
        """As the other components."""
        return self.inner.embed(x)

    def affine(self, shift: Array, scale: Array) -> NoisyFamily:
        """A box moved and stretched."""
        log_density = self.log_density - float(np.log(scale).sum())
        sides = None if self.log_sides is None else self.log_sides + np.log(scale)
        return NoisyFamily(self.inner, log_density, self.noise.affine(shift, scale), sides)

    def beside(self, mixture: Mixture, share: float = SHARE) -> Mixture:
        """A mixture of the inner family, with noise that has a share of the weight."""
        weights = np.append((1 - share) * mixture.weights, share)
        return Mixture(weights, self._appended(mixture.components), self)

    def _with_constant(self, eta: Array) -> Array:
        noise = np.zeros((*eta.shape[:-2], 1, eta.shape[-1]))
        noise[..., 0] = self.log_density
        return np.concatenate([eta, noise], axis=-2)

    def _appended(self, others: Any) -> Any:
        """With the row of the noise."""
        lead = others.means.shape[:-2]
        parts = []
        for name in self.kind.parts():
            ours, row = getattr(others, name), getattr(self.noise, name)
            parts.append(np.concatenate([ours, np.broadcast_to(row, (*lead, *row.shape))], axis=len(lead)))
        return self.kind(*parts)


@dataclass(frozen=True, eq=False)
class NoisyLink:
    """A link of other components, and noise.

    Attributes
    ----------
    eta : ndarray, shape (..., K, P)
    inner : Link
    noise : ndarray, shape (S, 1, 1)
        log π_0 / V.
    """

    eta: Array
    inner: Any
    noise: Array

    def log_joint(self, forms: Real, t: Real) -> None:
        """What the link makes of the others, and the density of the noise, in place."""
        stacked = forms.reshape(len(self.noise), -1, forms.shape[-1])
        others = stacked[:, :-1].reshape(-1, forms.shape[-1]).copy()
        self.inner.log_joint(others, t)
        stacked[:, :-1] = others.reshape(stacked[:, :-1].shape)
        stacked[:, -1:] = self.noise

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Statistics of the others; of the noise, how much there is of it."""
        shape = (len(self.noise), -1, forms.shape[-1])
        ours, theirs = counts.reshape(shape), forms.reshape(shape)
        found = self.inner.gather(ours[:, :-1].reshape(-1, shape[-1]), theirs[:, :-1].reshape(-1, shape[-1]), t)
        found = found.reshape(shape[0], -1, found.shape[-1])
        noise = np.zeros_like(found[:, :1])
        noise[:, 0, 0] = ours[:, -1] @ t[0]
        return np.concatenate([found, noise], axis=1).reshape(-1, found.shape[-1])


def _others(components: Any) -> Any:
    """All components but the last, in each set of a stack."""
    kept = (*(slice(None),) * (components.means.ndim - 2), slice(-1))
    return components[kept]


def without_noise(mixture: Mixture) -> Mixture:
    """The other components alone."""
    if not mixture.family.noisy:
        return mixture
    weights = mixture.weights[:-1]
    return Mixture(weights / weights.sum(), mixture.components[:-1], mixture.family.bare)


def noisy(family: Family, x: Real) -> NoisyFamily:
    """The family, with noise over the box that planar samples x (D, N) lie in.

    Raises
    ------
    ValueError
        If the box has no volume.
    """
    low, high = np.nanmin(x, axis=1).astype(np.float64), np.nanmax(x, axis=1).astype(np.float64)
    require(high > low, "a feature is the same everywhere")
    middle = family.statistics(np.stack([low, high, (low + high) / 2], axis=1))
    whole = family.completed(middle.sum(1)[None].astype(np.float64))
    sides = np.log(high - low)
    return NoisyFamily(family, -float(sides.sum()), family.m_projection(whole, 1e-9, len(x)), sides)
