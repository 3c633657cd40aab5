"""Conjugate prior of a Gaussian mixture, which an M-step sees as so many more samples.

log p(θ) = Σ_k [(α - 1) log π_k + log N(μ_k; m, Σ_k / κ)] + Σ log IW(Σ; ν, Λ) + const

The last sum is over distinct matrices; the constant, not known in closed form for most models, is dropped. An inverse
Wishart of one dimension, which is an inverse gamma, stands for each variance of the models along the axes, and for the
only one of balls, whose Λ is the mean of the variances. Fraley & Raftery (2007), Bayesian regularization for normal
mixture estimation, J. Classification 24.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance.model import CovarianceModel

if TYPE_CHECKING:
    from emseg.mixture.families.gaussian import Gaussian

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prior:
    """Dirichlet on the weights, normal-inverse-Wishart on the components.

    Attributes
    ----------
    mean : ndarray, shape (D,)
        m.
    scale : ndarray, shape (D, D)
        Λ.
    dof : float
        ν.
    shrinkage : float
        κ, the samples that m counts as in every mean; 0 for a flat prior of the means.
    alpha : float
        α, 1 for a flat prior of the weights.
    """

    mean: Array
    scale: Array
    dof: float
    shrinkage: float
    alpha: float = 1.0

    def pseudo(self, model: CovarianceModel, k: int) -> tuple[Array, float]:
        """Scatter (D, D) and count that the prior adds to those of each of K components, for their matrices."""
        d, share = self.mean.size, model.distinct(k) / k
        count, scatter = self.dof + d + 1, self.scale
        if model.letters[2] == "I":
            count = self.dof + 2
            if model.letters[1] == "I":
                count, scatter = count / d, scatter / d
        return share * scatter, share * count + (self.shrinkage > 0)

    def log_density(self, components: Gaussian, model: CovarianceModel, precisions: Array) -> Array:
        """log p of the components without its constant, for a set or a stack of them; shape (...)."""
        scatter, count = self.pseudo(model, precisions.shape[-3])
        offset = components.means - self.mean
        whole = scatter + self.shrinkage * offset[..., :, None] * offset[..., None, :]
        matrices = count * np.linalg.slogdet(precisions)[1] - np.einsum("...ij,...ji->...", whole, precisions)
        result: Array = 0.5 * matrices.sum(-1)
        return result
