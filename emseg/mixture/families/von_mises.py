"""The von Mises family, for angles (hue, orientation): T(x) = (1, cos x, sin x), dimensions independent.

log f(x) = Σ_d κ cos(x - μ) - log 2π I_0(κ),   E[(cos x, sin x)] = A(κ) (cos μ, sin μ),   A = I_1 / I_0

with direction μ and concentration κ ≥ 0; angles in radians. The penalty is ψ samples spread evenly around the circle.
In the M-step μ is the direction of the resultant R and κ the root of A(κ) = R / n (Mardia & Jupp 2000, section 5.3),
by Newton steps from the approximation of Banerjee et al. (2005, JMLR 6).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.components import Components, require
from emseg.mixture.conjugate_prior import PseudoSamples
from emseg.mixture.families.independent_dimensions import ProductFamily
from emseg.mixture.family import Real
from emseg.mixture.stats import Stats
from emseg.mixture.support import ANGLE
from emseg.records import record

Array = NDArray[np.float64]
NEWTON = 30  # steps at most; five reach rounding for κ from 1e-6 to 1e5
ROUNDING = 4 * np.finfo(np.float64).eps * 2 * np.pi  # radians, of an angle near 2π
WIDEST = 0.25  # square radians, of the rounding of an angle: near grey, a step turns the hue around
LEAST = 1e-14  # 1 - R/n below which it is rounding


@record(frozen=True, eq=False)
class VonMises(Components):
    """K sets of D independent von Mises distributions.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
        Directions μ in radians, from 0 to below 2π.
    concentrations : ndarray, shape (..., K, D)
        κ, not negative.
    """

    means: Array
    concentrations: Array

    def check(self) -> None:
        """Raise ValueError unless there are directions and concentrations, as many of each."""
        require(self.means.shape == self.concentrations.shape, "shapes do not agree")
        require(self.concentrations >= 0, "concentrations must be 0 or more")

    @property
    def covariances(self) -> Array:
        """Diagonal, (..., K, D, D): circular variances 1 - A(κ)."""
        return np.asarray((1 - _ratio(self.concentrations))[..., None] * np.eye(self.means.shape[-1]))


@record(frozen=True)
class VonMisesFamily(ProductFamily):
    """Products of von Mises distributions."""

    name = "von-mises"
    kind = VonMises
    support = ANGLE

    def n_monomials(self, d: int) -> int:
        """The constant, cos x and sin x."""
        return 1 + 2 * d

    def monomials(self, x: Real, out: Real) -> None:
        """cos x and sin x."""
        np.cos(x, out=out[1 : 1 + len(x)])
        np.sin(x, out=out[1 + len(x) :])

    def grain(self, covariance: Array) -> Array:
        """½ Λ samples without direction, which shorten a resultant as E[cos u] = 1 - ½ Var u does."""
        return np.concatenate([[0.5 * float(np.diag(covariance).mean())], np.zeros(2 * len(covariance))])

    def own_grain(self, covariance: Array, means: Array) -> Array:
        """No more than the resultant of angles that are all but evenly spread allows."""
        return np.minimum(covariance, WIDEST)

    def natural(self, components: VonMises) -> Array:
        """η = (-Σ log 2π I_0(κ), κ cos μ, κ sin μ)."""
        from scipy.special import i0e

        kappa, mu = components.concentrations, components.means
        constant = -(np.log(2 * np.pi * i0e(kappa)) + kappa).sum(-1, keepdims=True)
        return np.concatenate([constant, kappa * np.cos(mu), kappa * np.sin(mu)], axis=-1)

    def mean_statistic(self, components: VonMises) -> Array:
        """A(κ) (cos μ, sin μ)."""
        length, mu = _ratio(components.concentrations), components.means
        return np.concatenate([np.ones((*mu.shape[:-1], 1)), length * np.cos(mu), length * np.sin(mu)], axis=-1)

    def places(self, seen: NDArray[np.intp], d: int) -> NDArray[np.intp]:
        """The constant, their cosines and sines."""
        return np.concatenate([[0], 1 + seen, 1 + d + seen])

    def penalty(self, psi: float, d: int) -> Array:
        """ψ samples without direction."""
        return np.array([psi, *np.zeros(2 * d)])

    def matched(self, t: Array) -> VonMises:
        """μ the direction of the resultant, κ from its length."""
        c, s = np.split(t[..., 1:], 2, axis=-1)
        return VonMises(_angle(c, s), _concentrations(np.hypot(c, s) / t[..., :1]))

    def conditional(
        self, part: str, stats: Stats, components: VonMises, psi: Array | float, prior: PseudoSamples | None = None
    ) -> VonMises:
        """The direction does not depend on κ; κ, given another direction than the resultant's, does."""
        mu = components.means
        t = self._matchable(stats, psi, mu.shape[-1], prior)
        c, s = np.split(t[..., 1:], 2, axis=-1)
        if part == "means":
            return VonMises(_angle(c, s), components.concentrations)
        return VonMises(mu, _concentrations(np.maximum(c * np.cos(mu) + s * np.sin(mu), 0) / t[..., :1]))

    def n_parameters(self, k: int, d: int) -> int:
        """A direction and a concentration a dimension."""
        return 2 * k * d

    def pack(self, components: VonMises) -> Array:
        """κ cos μ and κ sin μ."""
        kappa, mu = components.concentrations, components.means
        return np.concatenate([(kappa * np.cos(mu)).ravel(), (kappa * np.sin(mu)).ravel()])

    def unpack(self, theta: Array, k: int, d: int) -> VonMises:
        """Their polar coordinates."""
        c, s = theta.reshape(2, k, d)
        return VonMises(_angle(c, s), np.hypot(c, s))

    def start_coordinates(self, x: Real) -> Real:
        """Points on circles."""
        return np.concatenate([np.cos(x), np.sin(x)])


def _angle(c: Array, s: Array) -> Array:
    # The remainder of a rounding error below 0 is 2π: such a direction is 0, or its component would come last.
    angle = np.arctan2(s, c) % (2 * np.pi)
    return np.where(2 * np.pi - angle < ROUNDING, 0.0, angle)


def _ratio(kappa: Array) -> Array:
    """A(κ)."""
    from scipy.special import i0e, i1e

    return np.asarray(i1e(kappa) / i0e(kappa))


def _concentrations(length: Array) -> Array:
    """The roots κ of A(κ) = length."""
    if not (1 - length > LEAST).all():
        raise np.linalg.LinAlgError("a von Mises component has one direction only")
    kappa = length * (2 - length**2) / (1 - length**2)
    for _ in range(NEWTON):
        a = _ratio(kappa)
        # For large κ, 1 - A² - A/κ cancels; it is 1/2κ² there.
        slope = np.where(kappa > 1e4, 0.5 / np.maximum(kappa, 1) ** 2, 1 - a**2 - a / np.maximum(kappa, 1e-300))
        slope = np.where(kappa < 1e-6, 0.5, slope)
        step = (a - length) / slope
        new = np.maximum(kappa - step, kappa / 10)
        done = np.abs(new - kappa) <= 1e-15 * (1 + kappa)
        kappa = new
        if done.all():
            break
    return np.asarray(kappa)
