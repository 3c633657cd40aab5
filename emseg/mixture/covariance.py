"""Covariance models: what the K covariance matrices of a Gaussian mixture may share.

Each model maximises, over the matrices it allows, the expected log-likelihood with an inverse-Wishart penalty
-½ tr diag(ψ) Σ⁻¹ for each distinct matrix. The penalty is a floor that keeps the M-step an exact maximisation, so the
penalised likelihood never falls, which adding εI to an estimate does not guarantee (Fraley & Raftery 2007, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CovarianceModel:
    """One choice of what is shared: across components (`tied`) and across or between dimensions (`shape`).

    Attributes
    ----------
    name : str
        Name on the command line.
    shape : {"full", "diag", "spherical"}
        Free matrix, free variances, or one variance.
    tied : bool
        One matrix for all components.
    """

    name: str
    shape: str
    tied: bool = False

    @property
    def needs_products(self) -> bool:
        """Whether the statistic must hold the mixed products x_i x_j."""
        return self.shape == "full"

    def n_parameters(self, k: int, d: int) -> int:
        """Free parameters of K covariance matrices in D dimensions."""
        return (1 if self.tied else k) * {"full": d * (d + 1) // 2, "diag": d, "spherical": 1}[self.shape]

    def estimate(self, scatter: Array, n: Array, psi: Array | float) -> Array:
        """M-step: the maximiser of -½ Σ_k (n_k log|Σ_k| + tr Σ_k⁻¹ W_k) - ½ Σ tr diag(ψ) Σ⁻¹.

        Parameters
        ----------
        scatter : ndarray, shape (..., K, D, D)
            W_k, scatter about the component means.
        n : ndarray, shape (..., K)
            Expected counts.
        psi : ndarray, shape (D,), or float
            Scale of the inverse-Wishart penalty in each dimension; 0 for maximum likelihood.

        Returns
        -------
        ndarray, shape (..., K, D, D)
        """
        k, d = scatter.shape[-3], scatter.shape[-1]
        counts = n[..., None, None]
        if self.tied:
            scatter, counts = scatter.sum(-3, keepdims=True), counts.sum(-3, keepdims=True)
        eye = np.eye(d)
        if self.shape == "full":
            sigma = (scatter + psi * eye) / counts
        else:
            variance = np.einsum("...ii->...i", scatter) + psi
            if self.shape == "spherical":
                variance = np.repeat(variance.mean(-1, keepdims=True), d, axis=-1)
            sigma = variance[..., None] * eye / counts
        return np.broadcast_to(sigma, (*sigma.shape[:-3], k, d, d)) if self.tied else sigma

    def log_penalty(self, precisions: Array, psi: Array | float) -> Array:
        """-½ Σ tr diag(ψ) Σ⁻¹ over the distinct matrices; shape (...)."""
        trace: Array = (np.einsum("...kii->...ki", precisions) * psi).sum(-1)
        return -0.5 * (trace[..., 0] if self.tied else trace.sum(-1))

    def pack(self, covariances: Array) -> Array:
        """Unconstrained coordinates of K matrices, (K, D, D) → (M,): log-Cholesky factors or log variances."""
        sigma = covariances[:1] if self.tied else covariances
        if self.shape != "full":
            variance: Array = np.einsum("kii->ki", sigma)[:, : 1 if self.shape == "spherical" else None]
            return np.asarray(np.log(variance).ravel(), np.float64)
        factor: Array = np.linalg.cholesky(sigma).astype(np.float64, copy=False)
        rows, columns = np.tril_indices(sigma.shape[-1])
        entries = factor[:, rows, columns]
        entries[:, rows == columns] = np.log(entries[:, rows == columns])
        return entries.ravel()

    def unpack(self, theta: Array, k: int, d: int) -> Array:
        """Inverse of `pack`: (M,) → (K, D, D). Every θ gives positive definite matrices."""
        if self.shape == "full":
            rows, columns = np.tril_indices(d)
            entries = theta.reshape(-1, rows.size).copy()
            entries[:, rows == columns] = np.exp(entries[:, rows == columns])
            factor = np.zeros((len(entries), d, d))
            factor[:, rows, columns] = entries
            sigma = factor @ factor.transpose(0, 2, 1)
        else:
            variance = np.exp(theta).reshape(-1, d if self.shape == "diag" else 1)
            sigma = np.broadcast_to(variance, (len(variance), d))[..., None] * np.eye(d)
        return np.broadcast_to(sigma, (k, d, d))


COVARIANCES: dict[str, CovarianceModel] = {
    model.name: model
    for model in (
        CovarianceModel("full", "full"),
        CovarianceModel("tied", "full", tied=True),
        CovarianceModel("diag", "diag"),
        CovarianceModel("spherical", "spherical"),
    )
}
