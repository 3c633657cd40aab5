"""Covariance models: what the K covariance matrices of a Gaussian mixture may share.

With Σ_k = λ_k R_k A_k R_kᵀ, |A_k| = 1, three letters say whether volume λ, shape A and orientation R are equal (E),
vary (V) or, the last two, are the identity (I): mclust's names for the models of Celeux & Govaert (1995), Gaussian
parsimonious clustering models, Pattern Recognition 28. In one dimension only the first letter has a meaning: models
that begin with E are mclust's E, and those that begin with V its V.

Each model maximises, over the matrices it allows, the expected log-likelihood with an inverse-Wishart penalty
-½ tr diag(ψ) Σ⁻¹ for each distinct matrix. The penalty is scatter added before the M-step: a floor that keeps it an
exact maximisation, so the penalised likelihood never falls, which adding εI to an estimate does not guarantee (Fraley &
Raftery 2007, section 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.covariance.rotations import orthogonal, skew_entries, triangle, unit_lower
from emseg.mixture.covariance.volume_shape import Solve, axes_of, common_axes, equal_volume, free, pooled, proportional
from emseg.records import NamedRecord

Array = NDArray[np.float64]
#: M-steps by volume and shape; with shape I, the scatter is round beforehand.
SOLVE: dict[str, Solve] = {"EI": pooled, "EE": pooled, "VI": free, "VV": free, "EV": equal_volume, "VE": proportional}


class CovarianceModel(NamedRecord):
    """One choice of what is shared.

    Attributes
    ----------
    name : str
        What the option `covariance` calls it.
    letters : str
        Volume, shape and orientation, as mclust has them.
    """

    name: str
    letters: str

    @property
    def needs_products(self) -> bool:
        """Whether the statistic must hold the mixed products x_i x_j."""
        return self.letters[2] != "I"

    @property
    def _turns(self) -> bool:
        """Whether a matrix is packed by its axes; the others are, more simply, by a triangular factor."""
        return self.letters[1:] in ("VE", "EV")

    @property
    def tied(self) -> bool:
        """Whether all components have one matrix."""
        return "V" not in self.letters

    def distinct(self, k: int) -> int:
        """How many of K matrices are different."""
        return 1 if self.tied else k

    def n_parameters(self, k: int, d: int) -> int:
        """Free parameters of K covariance matrices in D dimensions."""
        volumes, shapes, frames = (self._rows(part, k) for part in range(3))
        return volumes + shapes * (d - 1) + frames * d * (d - 1) // 2

    def estimate(self, scatter: Array, n: Array, psi: Array | float, previous: Array | None = None) -> Array:
        """M-step: the maximiser of -½ Σ_k (n_k log|Σ_k| + tr Σ_k⁻¹ W_k) - ½ Σ tr diag(ψ) Σ⁻¹.

        For EVE and VVE it is a local maximum, no lower than at the previous matrices' axes.

        Parameters
        ----------
        scatter : ndarray, shape (..., K, D, D)
            W_k, scatter about the component means.
        n : ndarray, shape (..., K)
            Expected counts.
        psi : ndarray, shape (D,), or float
            Scale of the inverse-Wishart penalty in each dimension; 0 for maximum likelihood.
        previous : ndarray, shape (..., K, D, D), optional
            Matrices of the model, whose axes EVE and VVE start from.

        Returns
        -------
        ndarray, shape (..., K, D, D)
        """
        k, d = scatter.shape[-3], scatter.shape[-1]
        shape, orientation = self.letters[1], self.letters[2]
        solve, eye = SOLVE[self.letters[:2]], np.eye(d)
        b = scatter + psi * eye * (self.distinct(k) / k)
        if orientation == "I":
            b = b * eye if shape != "I" else np.einsum("...ii->...", b)[..., None, None] / d * eye
        if not self._turns:
            return solve(b, n)
        axes: Array
        if orientation == "V":
            spectrum, axes = np.linalg.eigh(b)
            variances: Array = np.einsum("...ii->...i", solve(np.maximum(spectrum, 0)[..., None] * eye, n))
        else:
            start = np.linalg.eigh(b.sum(-3))[1] if previous is None else axes_of(previous)
            variances, axes = common_axes(b, n, solve, start)
            axes = axes[..., None, :, :]
        return _assembled(axes, variances)

    def log_penalty(self, precisions: Array, psi: Array | float) -> Array:
        """-½ Σ tr diag(ψ) Σ⁻¹ over the distinct matrices; shape (...)."""
        trace: Array = np.einsum("...kii,i->...", precisions, psi * np.ones(precisions.shape[-1]))
        k = precisions.shape[-3]
        return np.asarray(trace * (-0.5 * self.distinct(k) / k))

    def pack(self, covariances: Array) -> Array:
        """Unconstrained coordinates of K matrices, (K, D, D) → (M,): ½ log λ, ½ log A, and those of the frames.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a matrix is not positive definite.
        """
        frames, spectrum = self._decomposed(covariances)
        if not (spectrum > 0).all():
            raise np.linalg.LinAlgError("a covariance is singular")
        log = 0.5 * np.log(spectrum)
        volumes = log.mean(-1, keepdims=True)
        parts = (volumes, (log - volumes)[:, :-1], frames)
        return np.concatenate([part[: self._rows(i, len(log))].ravel() for i, part in enumerate(parts)])

    def unpack(self, theta: Array, k: int, d: int) -> Array:
        """Inverse of `pack`: (M,) → (K, D, D). Every θ gives positive definite matrices of the model."""
        volumes, shapes, frames = (self._rows(part, k) for part in range(3))
        head, tail = theta[: volumes + shapes * (d - 1)], theta[volumes + shapes * (d - 1) :]
        shape = head[volumes:].reshape(shapes, d - 1) if shapes else np.zeros((1, d - 1))
        log = head[:volumes, None] + np.concatenate([shape, -shape.sum(-1, keepdims=True)], axis=-1)
        entries = tail.reshape(frames, -1) if frames else np.zeros((1, d * (d - 1) // 2))
        sigma = _assembled((orthogonal if self._turns else unit_lower)(entries, d), np.exp(2 * log))
        return np.broadcast_to(sigma, (k, d, d))

    def _rows(self, part: int, k: int) -> int:
        """How many of K volumes, shapes or frames are free."""
        return {"I": 0, "E": 1, "V": k}[self.letters[part]]

    def _decomposed(self, covariances: Array) -> tuple[Array, Array]:
        """Coordinates of the frames, and the variances along them; (F, D(D-1)/2) and (K, D)."""
        if self._turns and self.letters[2] == "E":
            axes = axes_of(covariances)
            entries, order = skew_entries(axes, ordered=False)
            return entries[None], np.einsum("ji,kjl,li->ki", axes, covariances, axes)[:, order]
        if self._turns:
            spectrum, frames = np.linalg.eigh(covariances)
            return np.stack([skew_entries(axes, ordered=True)[0] for axes in frames]), spectrum
        factor = np.linalg.cholesky(covariances).astype(np.float64, copy=False)
        diagonal = np.einsum("kii->ki", factor)
        return triangle(factor / diagonal[:, None, :]), diagonal**2


def _assembled(frames: Array, variances: Array) -> Array:
    """R diag(v) Rᵀ, symmetric to the bit."""
    root = frames * np.sqrt(variances)[..., None, :]
    sigma: Array = root @ np.swapaxes(root, -1, -2)
    return 0.5 * (sigma + np.swapaxes(sigma, -1, -2))


#: Every covariance model by its name.
COVARIANCE_MODELS: dict[str, CovarianceModel] = {
    name: CovarianceModel(name, entry.letters) for name, entry in COVARIANCES.items()
}
