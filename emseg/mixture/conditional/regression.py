"""What some dimensions of a Gaussian say of the others: E[x | x_o] = A x_o + c, Var[x | x_o] = C."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

Array = NDArray[np.float64]


class Regression(NamedRecord):
    """A (..., D, D_o), c (..., D) and C (..., D, D), zero where either dimension was seen."""

    slope: Array
    constant: Array
    covariance: Array


def regression(means: Array, covariances: Array, seen: NDArray[np.intp]) -> Regression:
    """The regression of all dimensions on those that were seen, for (..., D) means and (..., D, D) matrices.

    x̂_m = μ_m + Σ_mo Σ_oo⁻¹ (x_o - μ_o),   C_mm = Σ_mm - Σ_mo Σ_oo⁻¹ Σ_om

    Raises
    ------
    numpy.linalg.LinAlgError
        If Σ_oo is singular.
    """
    d = means.shape[-1]
    unseen = np.delete(np.arange(d), seen)
    across = covariances[..., seen[:, None], unseen]
    b = np.swapaxes(np.linalg.solve(covariances[..., seen[:, None], seen], across), -1, -2)
    slope, constant = np.zeros((*means.shape, seen.size)), np.zeros(means.shape)
    slope[..., seen, np.arange(seen.size)] = 1
    slope[..., unseen, :] = b
    constant[..., unseen] = means[..., unseen] - (b @ means[..., seen, None])[..., 0]
    left = covariances[..., unseen[:, None], unseen] - b @ across
    covariance = np.zeros(covariances.shape)
    covariance[..., unseen[:, None], unseen] = (left + np.swapaxes(left, -1, -2)) / 2
    return Regression(slope, constant, covariance)
