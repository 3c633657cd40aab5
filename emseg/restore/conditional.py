"""Conditional moments of patches of which only some pixels are known, under a Gaussian for each."""

from __future__ import annotations

import numpy as np

from emseg.restore.patches import AREA, Real
from emseg.restore.triangular import inverse_lower

STRENGTH = 10.0  # ν, patches that the prior counts as


def conditional(
    members: Real,
    reference: Real,
    observed: Real,
    known: Real,
    sigma: float,
    expected: Real | None = None,
    last: bool = True,
    trust: Real | None = None,
) -> tuple[Real, Real]:
    """Conditional mean and variance of patches given their pixels seen in noise, under Gaussians of their members.

    μ is the mean of the members and S = (AᵀA + νΨ)/(M + ν) with the centred members A (M, 64): the mode under an
    inverse Wishart prior of ν patches of covariance Ψ. With precisions W/σ² of the observations y and the Cholesky
    factor LLᵀ = W^½ S W^½ + σ²I, E[z | y] = μ + TᵀL⁻¹W^½(y - μ) and Cov[z | y] = S - TᵀT, where T = L⁻¹W^½S.
    How large the variance really is, the known pixels tell: each is predicted from the others, and the mean square of
    those errors over the variance they should have scales that of the missing pixels.

    Parameters
    ----------
    members : ndarray of float32, shape (G, M, 64)
        They are overwritten.
    reference : ndarray of float32, shape (G, 64)
        y.
    observed : ndarray of float32, shape (G, 64)
        W, the weight of each pixel.
    known : ndarray of float32, shape (G, 64)
        1 where a pixel is known, 0 where it is missing.
    sigma : float
    expected : ndarray of float32, shape (G, 64, 64), optional
        Ψ; without it, the members are all that is known.
    last : bool
        Whether the variance is wanted; else it is 0.
    trust : ndarray of float32, shape (G, M, 64), optional
        Weight of each pixel of the members in their mean; unless given, 1.

    Returns
    -------
    mean, variance : ndarray of float32, shape (G, 64)
    """
    mean: Real = members.mean(1) if trust is None else (trust * members).sum(1) / trust.sum(1)
    members -= mean[:, None]
    s, count = np.swapaxes(members, 1, 2) @ members, members.shape[1]
    if expected is not None:
        s += np.float32(STRENGTH) * expected
        count += STRENGTH
    s /= np.float32(count)
    root = np.sqrt(observed)
    seen = s * root[:, :, None]  # W^½ S
    gram = seen * root[:, None]
    gram[:, np.arange(AREA), np.arange(AREA)] += np.float32(sigma**2)
    error = (root * (reference - mean))[:, :, None]
    if not last:
        estimate: Real = mean + (np.swapaxes(seen, 1, 2) @ np.linalg.solve(gram, error))[:, :, 0]
        return estimate, np.zeros_like(estimate)
    inverse = inverse_lower(np.asarray(np.linalg.cholesky(gram), np.float32))
    t = inverse @ seen
    estimate = mean + (np.swapaxes(t, 1, 2) @ (inverse @ error))[:, :, 0]
    spread = np.maximum(np.diagonal(s, axis1=1, axis2=2) - np.einsum("gij,gij->gj", t, t), 0) / np.float32(sigma**2)
    left = np.maximum(1 - spread, np.float32(0.02))
    errors = known * (reference - estimate) ** 2 / left
    scale = (errors.sum(1) + sigma**2) / (known.sum(1) + 1)
    return estimate, scale[:, None] * (1 + spread)
