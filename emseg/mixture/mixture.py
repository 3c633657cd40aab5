"""`Mixture`: component weights and the parameters of one family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance import CovarianceModel
from emseg.mixture.gaussian import Gaussian

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mixture:
    """A finite mixture, or a stack of them along leading axes.

    Attributes
    ----------
    weights : ndarray, shape (..., K)
        π, positive, summing to one.
    components : Gaussian
        K component densities.
    model : CovarianceModel
        What the covariances share.
    """

    weights: Array
    components: Gaussian
    model: CovarianceModel

    @property
    def k(self) -> int:
        """Number of components."""
        return int(self.weights.shape[-1])

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return int(self.components.means.shape[-1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: weights, means and covariances."""
        return self.k - 1 + self.k * self.d + self.model.n_parameters(self.k, self.d)

    def __getitem__(self, which: int | slice | NDArray[np.intp]) -> Mixture:
        """One mixture, or some, of a stack."""
        parts = self.components
        return Mixture(self.weights[which], Gaussian(parts.means[which], parts.covariances[which]), self.model)

    def log_joint(self, x: Array) -> Array:
        """log π_k f_k(x) for planar samples x (D, N); shape (K, N)."""
        products = self.model.needs_products
        t = np.ones((Gaussian.n_monomials(self.d, products), x.shape[1]))
        Gaussian.monomials(x, t)
        eta, _ = self.components.natural(products)
        eta[:, 0] += np.log(self.weights)
        out: Array = eta @ t
        return out

    def permuted(self, order: NDArray[np.intp]) -> Mixture:
        """The same mixture with its components in another order."""
        return self[order]

    def canonical_order(self) -> NDArray[np.intp]:
        """Components by the mean of the first feature (darkest first), ties by the next."""
        return np.lexsort(self.components.means.T[::-1])

    def affine(self, shift: Array, scale: Array) -> Mixture:
        """The density of shift + scale · x, for x from this mixture; shift and scale have shape (D,)."""
        parts = self.components
        means = shift + scale * parts.means
        return Mixture(self.weights, Gaussian(means, parts.covariances * np.outer(scale, scale)), self.model)

    def pack(self) -> Array:
        """θ: softmax logits, means, unconstrained covariances. Any real vector unpacks to a valid mixture."""
        logits = np.log(self.weights)
        return np.concatenate(
            [logits - logits.mean(), self.components.means.ravel(), self.model.pack(self.components.covariances)]
        )

    def unpack(self, theta: Array) -> Mixture:
        """The mixture with parameters θ and this one's shape and model."""
        k, d = self.k, self.d
        weights = np.exp(theta[:k] - theta[:k].max())
        means = theta[k : k + k * d].reshape(k, d)
        covariances = self.model.unpack(theta[k + k * d :], k, d)
        return Mixture(weights / weights.sum(), Gaussian(means, covariances), self.model)
