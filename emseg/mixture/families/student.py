"""The Student family: multivariate t distributions, for data with outliers; a Gaussian scale mixture.

f(x) = ∫ N(x; μ, Σ/u) Gamma(u; ν/2, ν/2) du,   T = (1, u, u x, u x xᵀ, log u - u)

Peel & McLachlan (2000), Robust mixture modelling using the t distribution, Statistics and Computing 10. The weight u of
each sample is hidden, so T belongs to the complete data, and the E-step puts its expectation given x into the
statistics: with δ = (x-μ)ᵀΣ⁻¹(x-μ),

E[u | x] = (ν+D) / (ν+δ),   E[log u | x] = log E[u | x] + ψ((ν+D)/2) - log((ν+D)/2)

Given these the M-step separates: means and scales from moments weighted by u, and ν, where it is not fixed, as the root
of log(ν/2) - ψ(ν/2) + 1 + Σ r (log u - u) / n = 0, from 1 (Cauchy) to 1000 (all but normal). Beyond the range the
expected log-likelihood, which is concave in ν/2, is highest at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.components import Components, require
from emseg.mixture.conditional.predictive import Predictive, student_conditional
from emseg.mixture.conditional.regression import regression
from emseg.mixture.conjugate_prior import NormalInverseWishart, PriorStrength
from emseg.mixture.covariance.model import CovarianceModel
from emseg.mixture.covariance.second_moments import product_indices
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian, GaussianFamily, require_matrices
from emseg.mixture.family import Family, Real
from emseg.mixture.links.student_link import StudentLink
from emseg.mixture.stats import Stats
from emseg.numerics.digamma_root import log_minus_digamma_root
from emseg.records import record

Array = NDArray[np.float64]
RANGE = (1.0, 1000.0)  # of an estimated ν: heavier tails describe no cluster, lighter ones are normal
START = 10.0  # ν of a start from labels; from 2 to 100 a fit of heavy tails ended at the same likelihood
FEW = 1e-12  # smallest mean of u, which keeps empty components finite; 1e-9 and 1e-15 give the same fits


@record(frozen=True, eq=False)
class Student(Components):
    """K multivariate t distributions, or a stack of such sets along leading axes.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
        Locations μ, the means where ν > 1.
    scales : ndarray, shape (..., K, D, D)
        Scale matrices Σ, positive definite.
    dof : ndarray, shape (..., K)
        Degrees of freedom ν, positive: small for heavy tails.
    """

    means: Array
    scales: Array
    dof: Array
    matrix_part = "scales"

    def check(self) -> None:
        """Raise ValueError unless these are means, scale matrices and degrees of freedom, as many of each."""
        require_matrices(self.means, self.scales, "scales")
        require(self.dof.shape == self.means.shape[:1], "shapes do not agree")
        require(self.dof > 0, "dof must be above 0")

    @property
    def matrices(self) -> Array:
        """The matrices that follow a covariance model."""
        return self.scales

    @property
    def covariances(self) -> Array:
        """Σ ν/(ν-2), shape (..., K, D, D); infinite, all of it, where ν ≤ 2."""
        nu = self.dof[..., None, None]
        heavy = nu <= 2
        return np.where(heavy, np.inf, self.scales * (nu / np.where(heavy, 1, nu - 2)))

    @property
    def gaussian(self) -> Gaussian:
        """Normal distributions of the same means and matrices: those of x where u = 1."""
        return Gaussian(self.means, self.scales)

    def affine(self, shift: Array, scale: Array) -> Student:
        """The distributions of shift + scale · x; shift and scale have shape (D,)."""
        moved = self.gaussian.affine(shift, scale)
        return Student(moved.means, moved.covariances, self.dof)


@record(frozen=True)
class StudentFamily(Family):
    """t distributions whose scale matrices follow a covariance model.

    Attributes
    ----------
    normal : GaussianFamily
        The family of x given u = 1.
    dof : {"each", "common"} or float
        ν: one for each component, one for all, or this number.
    """

    normal: GaussianFamily
    dof: str | float = "each"
    name = "student"
    kind = Student
    location_scale = True

    @classmethod
    def of_options(cls, covariance: str, dof: str | float) -> StudentFamily:
        """Under the covariance model of that name, with such degrees of freedom."""
        return cls(GAUSSIANS[covariance], dof)

    @property
    def tails(self) -> Mapping[str, tuple[float, float]]:  # type: ignore[override]
        """ν and its range, if ν is estimated."""
        return {"dof": RANGE} if isinstance(self.dof, str) else {}

    @property
    def free(self) -> tuple[str, ...]:
        """Means and scales, and ν if it is estimated."""
        return ("means", "scales", *self.tails)

    @property
    def shared(self) -> tuple[str, ...]:  # type: ignore[override]
        """The scales, where the model makes anything of them equal, and ν where it is common to all."""
        return ("scales",) * bool(self.normal.shared) + ("dof",) * (self.dof == "common")

    def n_monomials(self, d: int) -> int:
        """P of normal distributions; the statistics of the complete data have two columns more."""
        return self.normal.n_monomials(d)

    def monomials(self, x: Real, out: Real) -> None:
        """x and its products, or its squares alone."""
        self.normal.monomials(x, out)

    def grain(self, covariance: Array) -> Array:
        """Λ in the place of u x xᵀ: what was rounded counts alike in every sample, whatever its u."""
        return np.concatenate([[0.0], self.normal.grain(covariance), [0.0]])

    def natural(self, components: Student) -> Array:
        """η of the complete data, (..., K, P + 2)."""
        return self.scores(components, 0.0)[0]

    def scores(
        self, components: Student, psi: Array | float, prior: NormalInverseWishart | None = None
    ) -> tuple[Array, Array]:
        """η = (½ν log ½ν - log Γ(½ν) - ½(D log 2π + log|Σ|), that of -½ u δ, ½ν); penalty and prior as of Gaussians."""
        from scipy.special import gammaln

        half = components.dof / 2
        log_scale, quadratic, precisions = self.normal.quadratic(components.gaussian)
        constant = half * np.log(half) - gammaln(half) + log_scale
        eta = np.concatenate([constant[..., None], quadratic, half[..., None]], axis=-1)
        return eta, self.normal.log_prior(components.gaussian, precisions, psi, prior)

    def link(self, weights: Array, components: Student) -> StudentLink:
        """From δ to log π_k f_k(x) and u."""
        from scipy.special import gammaln

        parts, d = components, components.means.shape[-1]
        log_scale, quadratic, _ = self.normal.quadratic(parts.gaussian)
        norm = gammaln((parts.dof + d) / 2) - gammaln(parts.dof / 2) - d / 2 * np.log(parts.dof / 2)
        offset = np.log(weights) + log_scale + norm
        return StudentLink(-2 * quadratic, offset.reshape(-1, 1), parts.dof.reshape(-1, 1), d)

    def m_projection(
        self,
        stats: Stats,
        psi: Array | float,
        d: int,
        previous: Student | None = None,
        prior: NormalInverseWishart | None = None,
    ) -> Student:
        """Means and scales as for Gaussians, from moments weighted by u; and ν."""
        start = previous.gaussian if previous else None
        best = self.normal.weighted(stats.n, _moments(stats), psi, d, start, prior)
        return Student(best.means, best.covariances, self._dof(stats))

    def conditional(
        self,
        part: str,
        stats: Stats,
        components: Student,
        psi: Array | float,
        prior: NormalInverseWishart | None = None,
    ) -> Student:
        """Means, which do not depend on the scales; scales about the means that there are; or ν."""
        if part == "dof":
            return replace(components, dof=self._dof(stats))
        held = stats if part == "means" else self.holding_locations(stats, components)
        free = self.m_projection(held, psi, components.means.shape[-1], components, prior)
        return replace(components, **{part: getattr(free, part)})

    def holding_locations(self, stats: Stats, components: Student) -> Stats:
        """Statistics whose M-step has these means, and the best scales given them."""
        moved = self.normal.holding_locations(_moments(stats), components.gaussian).t
        return Stats(stats.n, np.concatenate([stats.t[..., :1], moved, stats.t[..., -1:]], axis=-1))

    def completed(self, t: Array) -> Stats:
        """Statistics of weights u = 1, but with a mean of log u - u that makes ν that of a start."""
        n = t[..., :1]
        return Stats(n[..., 0].copy(), np.concatenate([n, t, -(1 + _gap(START / 2)) * n], axis=-1))

    def constrained(self, weights: Array, components: Student) -> Student:
        """The same means, with scales of the covariance model, and with ν within its range, common or fixed."""
        best, nu = self.normal.constrained(weights, components.gaussian), np.clip(components.dof, *RANGE)
        if self.dof == "common":
            nu = np.exp((weights * np.log(nu)).sum(-1, keepdims=True)) * np.ones_like(nu)
        return Student(best.means, best.covariances, self._held(nu))

    @property
    def log_linear(self) -> GaussianFamily:
        """Normal distributions, of which nothing is hidden."""
        return self.normal

    def marginal_family(self, seen: NDArray[np.intp]) -> StudentFamily:
        """The family whose scales share nothing; along the axes, if those of this family are."""
        return StudentFamily(self.normal.marginal_family(seen))

    def marginal(self, components: Student, seen: NDArray[np.intp]) -> Student:
        """μ_o, Σ_oo and the same ν."""
        part = self.normal.marginal(components.gaussian, seen)
        return Student(part.means, part.covariances, components.dof)

    def lift(self, stats: Stats, components: Student, seen: NDArray[np.intp]) -> Stats:
        """As of Gaussians, but x has the variance C/u about x̂: C counts r times, and all else r u times."""
        n, weighted = stats.n[..., None], _moments(stats)
        t = self.normal.lift(weighted, components.gaussian, seen).t
        left = regression(components.means, components.scales, seen).covariance
        i, j = product_indices(components.means.shape[-1], self.normal.products)
        t[..., -i.size :] += (n - weighted.n[..., None]) * left[..., i, j]
        return Stats(stats.n, np.concatenate([n, t, stats.t[..., -1:]], axis=-1))

    def predicted(self, components: Student, x: Real, seen: NDArray[np.intp]) -> Array:
        """x̂_m, which is linear in x_o as for Gaussians."""
        return self.normal.predicted(components.gaussian, x, seen)

    def predictive(self, components: Student, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
        """t with ν + D_o degrees of freedom."""
        return student_conditional(components.means, components.scales, components.dof, weight, x, seen)

    def default_prior(self, total: Stats, k: int, d: int, strength: PriorStrength) -> NormalInverseWishart:
        """The prior of Gaussians, put on means and scales."""
        return self.normal.default_prior(total, k, d, strength)

    def hidden_scale_model(self, purpose: str) -> CovarianceModel:
        """The covariance model of the scale matrices."""
        return self.normal.covariance

    def n_parameters(self, k: int, d: int) -> int:
        """Means, scales and every ν that is estimated."""
        return self.normal.n_parameters(k, d) + self._estimated(k)

    def pack(self, components: Student) -> Array:
        """Coordinates of means and scales, and log ν."""
        nu = components.dof[: self._estimated(components.dof.size)]
        return np.concatenate([self.normal.pack(components.gaussian), np.log(nu)])

    def unpack(self, theta: Array, k: int, d: int) -> Student:
        """Inverse of `pack`; where ν would leave its range, it is the end of the range."""
        count = theta.size - self._estimated(k)
        best = self.normal.unpack(theta[:count], k, d)
        nu = np.exp(np.clip(theta[count:], *np.log(RANGE))) if self.tails else np.ones(1)
        return Student(best.means, best.covariances, self._held(np.broadcast_to(nu, k).copy()))

    def _estimated(self, k: int) -> int:
        return {"each": k, "common": 1}.get(str(self.dof), 0)

    def _held(self, nu: Array) -> Array:
        """The given ν, or the fixed one."""
        return nu if isinstance(self.dof, str) else np.full_like(nu, self.dof)

    def _dof(self, stats: Stats) -> Array:
        """ν of the M-step."""
        if not isinstance(self.dof, str):
            return np.full_like(stats.n, self.dof)
        n, s = stats.n, stats.t[..., -1]
        if self.dof == "common":
            n, s = (np.broadcast_to(part.sum(-1, keepdims=True), part.shape) for part in (n, s))
        low, high = (_gap(end / 2) for end in RANGE)
        return np.clip(2 * log_minus_digamma_root(np.clip(-s / n - 1, high, low)), *RANGE)


def _moments(stats: Stats) -> Stats:
    """The moments weighted by u, as statistics of a Gaussian family."""
    t = stats.t[..., 1:-1]
    return Stats(np.maximum(t[..., 0], FEW * stats.n), t)


def _gap(half: float) -> float:
    """log(ν/2) - ψ(ν/2)."""
    from scipy.special import psi

    return float(np.log(half) - psi(half))
