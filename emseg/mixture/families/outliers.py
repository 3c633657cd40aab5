"""A component of outliers beside a family: Banfield & Raftery (1993), Model-based Gaussian and non-Gaussian clustering.

f(x) = Σ_{k<K} π_k f_k(x) + π_0 / V

The last component is uniform over the box that the samples lie in, of volume V. Outliers would drag means and swell
covariances; here they get a place of their own. The component's only parameter is its weight, and ℓ still never falls
under EM. In the arrays of a mixture its row holds the middle and the spread of the box. Nothing is computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.mixture.components import Components, require
from emseg.mixture.conjugate_prior import ConjugatePrior, PriorStrength
from emseg.mixture.covariance.model import CovarianceModel
from emseg.mixture.family import Family, Real
from emseg.mixture.links.outlier_link import OutlierLink
from emseg.mixture.stats import Stats
from emseg.mixture.support import Support
from emseg.records import record

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
TRIMMED = 0.25  # of the samples at a start, the farthest; from 0.05 to 0.4 a fit of 5 % outliers ended alike
SHARE = 0.05  # of the weight, for outliers beside a mixture from a file; the first M-step finds a better one


@record(frozen=True, eq=False)
class OutlierFamily(Family):
    """A family, and outliers: uniform noise as the last component.

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
    outlier_components = 1
    splittable = False  # the row of outliers is no component

    @property
    def classes_only(self) -> Family:
        """The family without outliers."""
        return self.inner

    @property
    def log_linear(self) -> Family:
        """The log-linear family of the other components."""
        return self.inner.log_linear

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the other components' family."""
        return self.inner.name

    @property
    def kind(self) -> type[Components]:  # type: ignore[override]
        """What holds the parameters of the other components."""
        return self.inner.kind

    @property
    def shared(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the other components share."""
        return self.inner.shared

    @property
    def tails(self) -> Mapping[str, tuple[float, float]]:  # type: ignore[override]
        """Those of the other components, and their ranges."""
        return self.inner.tails

    @property
    def support(self) -> Support:  # type: ignore[override]
        """Where the other components have a density."""
        return self.inner.support

    @property
    def location_scale(self) -> bool:  # type: ignore[override]
        """Whether the other components may be moved and stretched."""
        return self.inner.location_scale

    @property
    def free(self) -> tuple[str, ...]:
        """What is estimated of the other components."""
        return self.inner.free

    def n_monomials(self, d: int) -> int:
        """P of the other components."""
        return self.inner.n_monomials(d)

    def monomials(self, x: Real, out: Real) -> None:
        """T(x) of the other components."""
        self.inner.monomials(x, out)

    def grain(self, covariance: Array) -> Array:
        """That of the other components; outliers have no use for it."""
        return self.inner.grain(covariance)

    def own_grain(self, covariance: Array, means: Array) -> Array:
        """That of the other components."""
        return self.inner.own_grain(covariance, means)

    def natural(self, components: Any) -> Array:
        """η of the other components; that of outliers is a constant alone."""
        return self._with_constant(self.inner.natural(_others(components)))

    def scores(self, components: Any, psi: Array | float, prior: Any = None) -> tuple[Array, Array]:
        """η, and the penalty and prior of the other components."""
        eta, log_prior = self.inner.scores(_others(components), psi, prior)
        return self._with_constant(eta), log_prior

    def completed(self, t: Array) -> Stats:
        """Statistics of the complete data of the other components."""
        return self.inner.completed(t)

    def link(self, weights: Array, components: Any) -> OutlierLink | None:
        """The link of the other components, which leaves the outliers alone."""
        inner = self.inner.link(weights[..., :-1], _others(components))
        if inner is None:
            return None
        noise = (np.log(weights[..., -1]) + self.log_density).reshape(-1, 1, 1)
        return OutlierLink(np.concatenate([inner.eta, np.zeros_like(inner.eta[..., :1, :])], axis=-2), inner, noise)

    def m_projection(self, stats: Stats, psi: Array | float, d: int, previous: Any = None, prior: Any = None) -> Any:
        """The other components, from their own statistics."""
        others = Stats(stats.n[..., :-1], stats.t[..., :-1, :])
        return self._appended(self.inner.m_projection(others, psi, d, previous and _others(previous), prior))

    def conditional(self, part: str, stats: Stats, components: Any, psi: Array | float, prior: Any = None) -> Any:
        """One part of the other components."""
        others = Stats(stats.n[..., :-1], stats.t[..., :-1, :])
        return self._appended(self.inner.conditional(part, others, _others(components), psi, prior))

    def holding_locations(self, stats: Stats, components: Any) -> Stats:
        """Statistics that hold the locations; outliers have none."""
        return self.inner.holding_locations(stats, components)

    def marginal_family(self, seen: NDArray[np.intp]) -> OutlierFamily:
        """A box of fewer sides.

        Raises
        ------
        UsageError
            If its sides are not known, as those of a saved model.
        """
        if self.log_sides is None:
            raise UsageError(f"noise of a saved model does not go with unknown values; use {option('missing', 'drop')}")
        sides = self.log_sides[seen]
        return OutlierFamily(
            self.inner.marginal_family(seen), -float(sides.sum()), self.inner.marginal(self.noise, seen), sides
        )

    def marginal(self, components: Any, seen: NDArray[np.intp]) -> Any:
        """The same of the other components, whose kind of rows these are."""
        return self.inner.marginal(components, seen)

    def lift(self, stats: Stats, components: Any, seen: NDArray[np.intp]) -> Stats:
        """The same of the other components; the statistics of outliers are not used."""
        return self.inner.lift(stats, components, seen)

    def predicted(self, components: Any, x: Real, seen: NDArray[np.intp]) -> Array:
        """The same of the other components, and for outliers the middle of the box."""
        return self.inner.predicted(components, x, seen)

    def n_parameters(self, k: int, d: int) -> int:
        """Parameters of the other components; outliers have none but their weight."""
        return self.inner.n_parameters(k - 1, d)

    def pack(self, components: Any) -> Array:
        """Coordinates of the other components."""
        return self.inner.pack(_others(components))

    def unpack(self, theta: Array, k: int, d: int) -> Any:
        """Inverse of `pack`."""
        return self._appended(self.inner.unpack(theta, k - 1, d))

    def start_coordinates(self, x: Real) -> Real:
        """The coordinates that suit the other components."""
        return self.inner.start_coordinates(x)

    def start_owners(self, owner: Indices, distance: Real, weight: Real, k: int) -> Indices:
        """The quarter of the samples that are farthest from any seed are outliers.

        As in trimmed k-means (García-Escudero et al. 2008, Annals of Statistics 36). A seed is no outlier: where
        colours are flat, it is a whole class.
        """
        owner, order = owner.copy(), distance.argsort(1)
        inside = np.cumsum(weight[order], axis=1) <= (1 - TRIMMED) * weight.sum()
        inside |= np.take_along_axis(distance, order, 1) == 0
        np.put_along_axis(owner, order, np.where(inside, np.take_along_axis(owner, order, 1), k), 1)
        return owner

    def canonical_order(self, components: Any) -> Indices:
        """The other components in their order, and the outliers last."""
        return np.append(self.inner.canonical_order(_others(components)), components.means.shape[-2] - 1)

    def outlier_log_density(self) -> float:
        """-log V."""
        return self.log_density

    def default_prior(self, total: Stats, k: int, d: int, strength: PriorStrength) -> ConjugatePrior:
        """The prior of the other components."""
        return self.inner.default_prior(total, k, d, strength)

    def normal_model(self, purpose: str) -> CovarianceModel:
        """Refused: outliers are not normal."""
        raise UsageError(f"{purpose}: it has no noise component; leave out {option('noise')}")

    def affine(self, shift: Array, scale: Array) -> OutlierFamily:
        """A box moved and stretched."""
        log_density = self.log_density - float(np.log(scale).sum())
        sides = None if self.log_sides is None else self.log_sides + np.log(scale)
        return OutlierFamily(self.inner, log_density, self.noise.affine(shift, scale), sides)

    def spread(self, basis: Array, log_volume: float) -> OutlierFamily:
        """The same box, of which no side is known."""
        return OutlierFamily(self.inner.spread(basis, 0.0), self.log_density + log_volume, self.noise.spread(basis))

    def collapsed(self, pivots: Indices, log_volume: float) -> OutlierFamily:
        """The same box."""
        noise = self.noise.collapsed(pivots, np.eye(len(pivots)))
        return OutlierFamily(self.inner.collapsed(pivots, 0.0), self.log_density - log_volume, noise)

    def with_outliers(self, weights: Array, components: Any, share: float = SHARE) -> tuple[Array, Any]:
        """Weights and components of the inner family, and outliers that have a share of the weight."""
        return np.append((1 - share) * weights, share), self._appended(components)

    def _with_constant(self, eta: Array) -> Array:
        noise = np.zeros((*eta.shape[:-2], 1, eta.shape[-1]))
        noise[..., 0] = self.log_density
        return np.concatenate([eta, noise], axis=-2)

    def _appended(self, others: Any) -> Any:
        """The other components, and the row of the outliers."""
        lead = others.means.shape[:-2]
        parts = []
        for name in self.kind.parts():
            ours, row = getattr(others, name), getattr(self.noise, name)
            parts.append(np.concatenate([ours, np.broadcast_to(row, (*lead, *row.shape))], axis=len(lead)))
        return self.kind(*parts)


def _others(components: Any) -> Any:
    """All components but the last, in each set of a stack."""
    kept = (*(slice(None),) * (components.means.ndim - 2), slice(-1))
    return components[kept]


def with_outliers(family: Family, x: Real) -> OutlierFamily:
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
    return OutlierFamily(family, -float(sides.sum()), family.m_projection(whole, 1e-9, len(x)), sides)
