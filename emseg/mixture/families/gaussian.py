"""The Gaussian family: T(x) = (1, x, x xᵀ), its log-density as one row of numbers, and its m-projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.components import Components, require
from emseg.mixture.covariance.model import COVARIANCE_MODELS, CovarianceModel
from emseg.mixture.covariance.second_moments import moments, product_indices, pushed, raw_moments
from emseg.mixture.family import Family, Real
from emseg.mixture.stats import Stats
from emseg.records import record

if TYPE_CHECKING:
    from emseg.mixture.conditional.predictive import Predictive
    from emseg.mixture.conjugate_prior import NormalInverseWishart, PriorStrength

Array = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))


@record(frozen=True, eq=False)
class Gaussian(Components):
    """K normal distributions, or a stack of such sets along leading axes.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
    covariances : ndarray, shape (..., K, D, D)
        Positive definite.
    """

    means: Array
    covariances: Array
    matrix_part = "covariances"

    def check(self) -> None:
        """Raise ValueError unless the matrices are symmetric, positive definite and as many as the means."""
        require_matrices(self.means, self.covariances, "covariances")

    @property
    def matrices(self) -> Array:
        """The matrices that follow a covariance model."""
        return self.covariances

    def affine(self, shift: Array, scale: Array) -> Gaussian:
        """The distributions of shift + scale · x; shift and scale have shape (D,)."""
        return Gaussian(shift + scale * self.means, self.covariances * np.outer(scale, scale))


def require_matrices(means: Array, matrices: Array, name: str) -> None:
    """Raise ValueError unless matrices are symmetric, positive definite and as many as the means."""
    k, d = means.shape
    require(matrices.shape == (k, d, d), "shapes do not agree")
    with np.errstate(over="ignore"):
        symmetric = np.allclose(matrices, np.swapaxes(matrices, 1, 2), rtol=1e-9, atol=0)
        require(symmetric, f"{name} are not symmetric")
        try:
            np.linalg.cholesky(matrices)
        except np.linalg.LinAlgError as error:
            raise ValueError(f"{name} are not positive definite") from error


@record(frozen=True)
class GaussianFamily(Family):
    """Normal distributions whose matrices follow a covariance model.

    Attributes
    ----------
    covariance : CovarianceModel
    """

    covariance: CovarianceModel
    name = "gaussian"
    kind = Gaussian
    location_scale = True

    @classmethod
    def of_options(cls, covariance: str, dof: str | float) -> GaussianFamily:
        """Under the covariance model of that name."""
        return GAUSSIANS[covariance]

    @property
    def shared(self) -> tuple[str, ...]:  # type: ignore[override]
        """The matrices, where the covariance model makes anything of them equal."""
        return ("covariances",) if "E" in self.covariance.letters else ()

    @property
    def products(self) -> bool:
        """Whether T(x) holds the mixed products x_i x_j."""
        return self.covariance.needs_products

    def n_monomials(self, d: int) -> int:
        """The constant, x, and its products or squares."""
        return 1 + d + product_indices(d, self.products)[0].size

    def monomials(self, x: Real, out: Real) -> None:
        """x and its products, or its squares alone."""
        d = len(x)
        out[1 : 1 + d] = x
        row = 1 + d
        if not self.products:
            np.multiply(x, x, out=out[row:])
            return
        for i in range(d):
            np.multiply(x[i], x[i:], out=out[row : row + d - i])
            row += d - i

    def grain(self, covariance: Array) -> Array:
        """Λ in the place of x xᵀ."""
        d = len(covariance)
        return np.concatenate([np.zeros(1 + d), covariance[product_indices(d, self.products)]])

    def natural(self, components: Gaussian) -> Array:
        """η = (-½ (D log 2π + log|Σ| + μᵀΣ⁻¹μ), Σ⁻¹μ, -½ Σ⁻¹), mixed products counted twice."""
        return self.scores(components, 0.0)[0]

    def scores(
        self, components: Gaussian, psi: Array | float, prior: NormalInverseWishart | None = None
    ) -> tuple[Array, Array]:
        """η, and the covariance penalty, with the prior if there is one; shape (...)."""
        log_scale, eta, precisions = self.quadratic(components)
        eta[..., 0] += log_scale
        return eta, self.log_prior(components, precisions, psi, prior)

    def log_prior(
        self, components: Gaussian, precisions: Array, psi: Array | float, prior: NormalInverseWishart | None
    ) -> Array:
        """The covariance penalty, with the prior if there is one; shape (...)."""
        penalty = self.covariance.log_penalty(precisions, psi)
        return penalty + prior.log_density(components.means, precisions, self.covariance) if prior else penalty

    def quadratic(self, components: Gaussian) -> tuple[Array, Array, Array]:
        """-½ (D log 2π + log|Σ|), -½ (x-μ)ᵀΣ⁻¹(x-μ) as coefficients of T(x), and Σ⁻¹.

        Shapes (..., K), (..., K, P) and (..., K, D, D).
        """
        means, d = components.means, components.means.shape[-1]
        factor = np.linalg.cholesky(components.covariances)
        log_det = 2 * np.log(np.einsum("...ii->...i", factor)).sum(-1)
        # Through the factor that also gives the determinant: however ill-conditioned, the density stays normalised.
        inverse = np.linalg.inv(factor)
        precision: Array = (np.swapaxes(inverse, -1, -2) @ inverse).astype(np.float64, copy=False)
        linear = np.einsum("...ij,...j->...i", precision, means)
        constant = -0.5 * (linear * means).sum(-1)
        i, j = product_indices(d, self.products)
        quadratic = precision[..., i, j] * np.where(i == j, -0.5, -1.0)
        eta = np.concatenate([constant[..., None], linear, quadratic], axis=-1)
        return -0.5 * (d * LOG_2PI + log_det), eta, precision

    def m_projection(
        self,
        stats: Stats,
        psi: Array | float,
        d: int,
        previous: Gaussian | None = None,
        prior: NormalInverseWishart | None = None,
    ) -> Gaussian:
        """The Gaussians whose E[T] matches the statistics, under covariance model, penalty and prior.

        ψ is the scale of an inverse-Wishart penalty, see `CovarianceModel.estimate`.
        """
        return self.weighted(stats.n, stats, psi, d, previous, prior)

    def weighted(
        self,
        count: Array,
        stats: Stats,
        psi: Array | float,
        d: int,
        previous: Gaussian | None = None,
        prior: NormalInverseWishart | None = None,
    ) -> Gaussian:
        """The M-step where the scatter about means is divided by other counts (..., K) than those of the means."""
        extra = None
        if prior:
            extra, more = prior.pseudo_scatter(self.covariance, count.shape[-1])
            pseudo = self.statistics(prior.mean[:, None])[:, 0].astype(np.float64, copy=False)
            count, stats = count + more, stats + prior.shrinkage * Stats(np.ones(()), pseudo)
        n = stats.n[..., None]
        means, scatter = moments(stats, d)
        covariances = self.covariance.estimate(
            scatter if extra is None else scatter + extra, count, psi, previous.covariances if previous else None
        )
        if not np.any(psi):
            eps, variances = np.finfo(np.float64).eps, np.einsum("...ii->...i", covariances)
            i, j = product_indices(d, self.products)
            spread = (stats.t[..., 1 + d :][..., i == j].sum(-2) / n.sum(-2))[..., None, :]
            if not (variances > 64 * eps * means**2 + eps**2 * spread).all():
                raise np.linalg.LinAlgError("a variance is zero to rounding")
        return Gaussian(means, covariances)

    def conditional(
        self,
        part: str,
        stats: Stats,
        components: Gaussian,
        psi: Array | float,
        prior: NormalInverseWishart | None = None,
    ) -> Gaussian:
        """Means, which do not depend on the covariances; or covariances about the means that there are."""
        held = stats if part == "means" else self.holding_locations(stats, components)
        free = self.m_projection(held, psi, components.means.shape[-1], components, prior)
        if part == "means":
            return Gaussian(free.means, components.covariances)
        return Gaussian(components.means, free.covariances)

    def holding_locations(self, stats: Stats, components: Gaussian) -> Stats:
        """Statistics whose M-step has these means, and the best covariances given them.

        The first moments become those of the means, the second ones keep the scatter about the means:
        Σ r x xᵀ - n (m μᵀ + μ mᵀ) + 2 n μ μᵀ, with m the weighted mean of the samples.
        """
        means, d = components.means, components.means.shape[-1]
        n, first, second = stats.n[..., None], stats.t[..., 1 : 1 + d], stats.t[..., 1 + d :]
        i, j = product_indices(d, self.products)
        cross = first[..., i] * means[..., j] + means[..., i] * first[..., j]
        moved = second - cross + 2 * n * means[..., i] * means[..., j]
        return Stats(stats.n, np.concatenate([n, n * means, moved], axis=-1))

    def constrained(self, weights: Array, components: Gaussian) -> Gaussian:
        """The same means, with matrices of the covariance model: its M-step, where the given ones are the scatter."""
        scatter = weights[..., None, None] * components.covariances
        return Gaussian(components.means, self.covariance.estimate(scatter, weights, 0.0))

    def marginal_family(self, seen: NDArray[np.intp]) -> GaussianFamily:
        """The family whose matrices share nothing; along the axes, if those of this family are."""
        return GAUSSIANS["full" if self.products else "diag"]

    def marginal(self, components: Gaussian, seen: NDArray[np.intp]) -> Gaussian:
        """μ_o and Σ_oo."""
        return Gaussian(components.means[..., seen], components.covariances[..., seen[:, None], seen])

    def lift(self, stats: Stats, components: Gaussian, seen: NDArray[np.intp]) -> Stats:
        """The statistics of x̂ = A x_o + c, with the variance C about it."""
        from emseg.mixture.conditional.regression import regression  # complete samples do without

        a, c, left = regression(components.means, components.covariances, seen)
        return pushed(stats.n, raw_moments(stats, seen.size), a, c, left, self.products)

    def predicted(self, components: Gaussian, x: Real, seen: NDArray[np.intp]) -> Array:
        """x̂_m of the regression on what was seen."""
        from emseg.mixture.conditional.regression import regression  # complete samples do without

        a, c, _ = regression(components.means, components.covariances, seen)
        return np.delete(a @ x + c[..., None], seen, axis=-2)

    def predictive(self, components: Gaussian, weight: Array, x: Array, seen: NDArray[np.intp]) -> Predictive:
        """The normal distributions N(x̂_j, C_jj)."""
        from emseg.mixture.conditional.predictive import normal_conditional  # only `impute` needs it

        return normal_conditional(components.means, components.covariances, weight, x, seen)

    def default_prior(self, total: Stats, k: int, d: int, strength: PriorStrength) -> NormalInverseWishart:
        """mclust's: m the mean of the samples, Λ ∝ S / K^(2/D), S their covariance (Fraley & Raftery 2007, section 3).

        Where T(x) holds no mixed products, the mean variance times the identity stands for S.
        """
        from emseg.mixture.conjugate_prior import NormalInverseWishart  # most fits have no prior

        n = float(total.n[0])
        whole = GAUSSIANS["full" if self.products else "diag"].m_projection(total, 0.0, d)
        scatter = whole.covariances[0] * (n / (n - 1) if n > 1 else 1.0)
        if not self.products:
            scatter = np.trace(scatter) / d * np.eye(d)
        return NormalInverseWishart(
            mean=whole.means[0],
            scale=strength.scale * k ** (-2 / d) * scatter,
            dof=d + strength.dof,
            shrinkage=strength.shrinkage,
            alpha=strength.alpha,
        )

    def normal_model(self, purpose: str) -> CovarianceModel:
        """The covariance model."""
        return self.covariance

    def n_parameters(self, k: int, d: int) -> int:
        """Means and covariances."""
        return k * d + self.covariance.n_parameters(k, d)

    def pack(self, components: Gaussian) -> Array:
        """Means, and the unconstrained coordinates of the covariances."""
        return np.concatenate([components.means.ravel(), self.covariance.pack(components.covariances)])

    def unpack(self, theta: Array, k: int, d: int) -> Gaussian:
        """Inverse of `pack`."""
        return Gaussian(theta[: k * d].reshape(k, d), self.covariance.unpack(theta[k * d :], k, d))


#: The Gaussian family under each covariance model, by its name.
GAUSSIANS: dict[str, GaussianFamily] = {name: GaussianFamily(model) for name, model in COVARIANCE_MODELS.items()}
