"""Conjugate priors of a mixture's parameters, which an M-step sees as so many more samples.

A conjugate prior is of parameters. What is believed of the labels of single pixels beforehand is a prior map, see
`emseg.stages.inputs.maps.prior_map`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance.model import CovarianceModel
from emseg.records import record

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class ConjugatePrior:
    """Dirichlet prior of the weights, (α - 1) Σ_k log π_k; its subclasses add one of the components.

    Attributes
    ----------
    alpha : float
        α, 1 for a flat prior of the weights.
    """

    alpha: float = 1.0


@record(frozen=True, eq=False, kw_only=True)
class NormalInverseWishart(ConjugatePrior):
    """Conjugate prior of a Gaussian mixture.

    log p(θ) = Σ_k [(α - 1) log π_k + log N(μ_k; m, Σ_k / κ)] + Σ log IW(Σ; ν, Λ) + const

    The last sum is over distinct matrices; the constant, not known in closed form for most models, is dropped. For
    models along the axes, an inverse Wishart of one dimension, which is an inverse gamma, stands for each variance.
    For balls one stands for the only variance, and Λ is the mean of the variances. Fraley & Raftery (2007), Bayesian
    regularization for normal mixture estimation, J. Classification 24.

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
    """

    mean: Array
    scale: Array
    dof: float
    shrinkage: float

    def pseudo_scatter(self, model: CovarianceModel, k: int) -> tuple[Array, float]:
        """Scatter (D, D) and count that the prior adds to those of each of K components, for their matrices."""
        d, share = self.mean.size, model.distinct(k) / k
        count, scatter = self.dof + d + 1, self.scale
        if model.letters[2] == "I":
            count = self.dof + 2
            if model.letters[1] == "I":
                count, scatter = count / d, scatter / d
        return share * scatter, share * count + (self.shrinkage > 0)

    def log_density(self, means: Array, precisions: Array, model: CovarianceModel) -> Array:
        """log p of components without its constant, for a set of them or a stack of sets.

        Parameters
        ----------
        means : ndarray, shape (..., K, D)
        precisions : ndarray, shape (..., K, D, D)
            Σ⁻¹.
        model : CovarianceModel

        Returns
        -------
        ndarray, shape (...)
        """
        scatter, count = self.pseudo_scatter(model, precisions.shape[-3])
        offset = means - self.mean
        whole = scatter + self.shrinkage * offset[..., :, None] * offset[..., None, :]
        matrices = count * np.linalg.slogdet(precisions)[1] - np.einsum("...ij,...ji->...", whole, precisions)
        result: Array = 0.5 * matrices.sum(-1)
        return result


@record(frozen=True, eq=False, kw_only=True)
class PseudoSamples(ConjugatePrior):
    """Conjugate prior as pseudo-samples: log p(θ) = Σ_k η_k · t + (α - 1) Σ_k log π_k + const.

    Attributes
    ----------
    t : ndarray, shape (P,)
        Their statistics; the first is how many they are.
    """

    t: Array


@record(frozen=True)
class PriorStrength:
    """How strong a prior that is centred on the samples is, relative to them.

    The defaults are those of Fraley & Raftery (2007), section 3.

    Attributes
    ----------
    shrinkage : float
        κ, the samples for which the mean of all counts in the mean of a component.
    dof : float
        ν in excess of the number of dimensions; of normal distributions only.
    scale : float
        Λ relative to S / K^(2/D), S the covariance of all samples; of normal distributions only.
    alpha : float
        α of the Dirichlet prior.
    """

    shrinkage: float = 0.01
    dof: float = 2.0
    scale: float = 1.0
    alpha: float = 1.0
