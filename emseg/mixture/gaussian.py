"""The Gaussian family: T(x) = (1, x, x xᵀ), its log-density as one row of numbers, and its m-projection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance import CovarianceModel
from emseg.mixture.prior import Prior
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]
LOG_2PI = float(np.log(2 * np.pi))


@lru_cache
def product_indices(d: int, products: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs (i, j), i ≤ j, of the second-order part of T(x): all of them, or the squares alone."""
    return np.triu_indices(d) if products else (np.arange(d), np.arange(d))


@dataclass(frozen=True, eq=False)
class Gaussian:
    """K normal distributions, or a stack of such sets along leading axes.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
    covariances : ndarray, shape (..., K, D, D)
        Positive definite.
    """

    means: Array
    covariances: Array
    name = "gaussian"

    @staticmethod
    def n_monomials(d: int, products: bool = True) -> int:
        """P, the length of T(x)."""
        return 1 + d + product_indices(d, products)[0].size

    @staticmethod
    def monomials(x: NDArray[np.floating[Any]], out: NDArray[np.floating[Any]]) -> None:
        """Write T(x) but for its constant, which `out[0]` holds already: planar x (D, B) → out (P, B)."""
        d = len(x)
        out[1 : 1 + d] = x
        row = 1 + d
        if len(out) == 1 + 2 * d:
            np.multiply(x, x, out=out[row:])
            return
        for i in range(d):
            np.multiply(x[i], x[i:], out=out[row : row + d - i])
            row += d - i

    def natural(self, products: bool = True) -> tuple[Array, Array]:
        """Coefficients η with log f_k(x) = η_k · T(x), and the precision matrices they came from.

        Returns
        -------
        eta : ndarray, shape (..., K, P)
        precisions : ndarray, shape (..., K, D, D)

        Raises
        ------
        numpy.linalg.LinAlgError
            If a covariance is not positive definite.
        """
        d = self.means.shape[-1]
        factor = np.linalg.cholesky(self.covariances)
        log_det = 2 * np.log(np.einsum("...ii->...i", factor)).sum(-1)
        # Through the factor that also gives the determinant: however ill-conditioned, the density stays normalised.
        inverse = np.linalg.inv(factor)
        precision: Array = (np.swapaxes(inverse, -1, -2) @ inverse).astype(np.float64, copy=False)
        linear = np.einsum("...ij,...j->...i", precision, self.means)
        constant = -0.5 * (d * LOG_2PI + log_det + (linear * self.means).sum(-1))
        i, j = product_indices(d, products)
        quadratic = precision[..., i, j] * np.where(i == j, -0.5, -1.0)
        return np.concatenate([constant[..., None], linear, quadratic], axis=-1), precision

    @classmethod
    def m_projection(
        cls,
        stats: Stats,
        model: CovarianceModel,
        psi: Array | float,
        d: int,
        previous: Gaussian | None = None,
        prior: Prior | None = None,
    ) -> Gaussian:
        """The Gaussians whose E[T] matches the statistics, under a covariance model and penalty.

        Parameters
        ----------
        stats : Stats
            With n > 0 everywhere.
        model : CovarianceModel
        psi : ndarray, shape (D,), or float
            Scale of the inverse-Wishart penalty, see `CovarianceModel.estimate`.
        d : int
            Dimension of the samples.
        previous : Gaussian, optional
            Where a model without a closed form starts from.
        prior : Prior, optional
            With it, the parameters are those of the largest posterior density.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a variance is zero to rounding, which only ψ = 0 allows.
        """
        count, extra = stats.n, None
        if prior:
            extra, more = prior.pseudo(model, count.shape[-1])
            pseudo = np.ones((stats.t.shape[-1], 1))
            cls.monomials(prior.mean[:, None], pseudo)
            count, stats = count + more, stats + prior.shrinkage * Stats(np.ones(()), pseudo[:, 0])
        n = stats.n[..., None]
        means = stats.t[..., 1 : 1 + d] / n
        i, j = product_indices(d, stats.t.shape[-1] > 1 + 2 * d)
        second = stats.t[..., 1 + d :] - n * means[..., i] * means[..., j]
        scatter = np.zeros((*means.shape, d))
        scatter[..., i, j] = second
        scatter[..., j, i] = second
        diagonal = np.arange(d)
        scatter[..., diagonal, diagonal] = np.maximum(scatter[..., diagonal, diagonal], 0)  # rounding
        covariances = model.estimate(
            scatter if extra is None else scatter + extra, count, psi, previous.covariances if previous else None
        )
        if not np.any(psi):
            eps = np.finfo(np.float64).eps
            spread = (stats.t[..., 1 + d :][..., i == j].sum(-2) / n.sum(-2))[..., None, :]
            if not (covariances[..., diagonal, diagonal] > 64 * eps * means**2 + eps**2 * spread).all():
                raise np.linalg.LinAlgError("a variance is zero to rounding")
        return cls(means, covariances)
