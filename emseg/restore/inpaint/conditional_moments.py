"""Conditional moments of patches of which only some pixels are known, under a Gaussian for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.numerics.triangular import inverse_lower
from emseg.restore.patch.patches import Real
from emseg.restore.patch.prior_covariance import Expected

STRENGTH = 10.0  # ν, patches that the prior counts as


def conditional(
    members: Real,
    reference: Real,
    pixels: NDArray[np.intp],
    seen: Real,
    sigma: float,
    expected: Expected | None = None,
    last: bool = True,
    trust: Real | None = None,
) -> tuple[Real, Real]:
    """Conditional mean and variance of patches, given known pixels seen in noise, under Gaussians of their members.

    μ is the mean of the members and S = (AᵀA + νΨ)/(M + ν) with the centred members A (M, 64): the mode under an
    inverse Wishart prior of ν patches of covariance Ψ. Only its rows S_k of the known pixels are needed: with the
    Cholesky factor LLᵀ = S_kk + σ²I, E[z | y] = μ + TᵀL⁻¹(y - μ_k) and Cov[z | y] = S - TᵀT, where T = L⁻¹S_k.
    How large the variance really is, the known pixels tell: each is predicted from the others, and the mean square of
    those errors over the variance they should have scales that of the missing pixels.

    Parameters
    ----------
    members : ndarray of float32, shape (G, M, 64)
        They are overwritten.
    reference : ndarray of float32, shape (G, 64)
        y, where pixels are known.
    pixels : ndarray of int, shape (G, n)
        Which pixels are known.
    seen : ndarray of float32, shape (G, n)
        1, or 0 for the last of `pixels` where a patch has fewer than n.
    sigma : float
    expected : Expected, optional
        Ψ of each; without it, the members are all that is known.
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
    s = np.take_along_axis(members, pixels[:, None], 2).swapaxes(1, 2) @ members
    count = np.float32(members.shape[1])
    if expected is not None:
        s += np.float32(STRENGTH) * expected.rows(pixels)
        count += np.float32(STRENGTH)
    s *= (seen / count)[:, :, None]
    gram = np.take_along_axis(s, pixels[:, None], 2) * seen[:, None]
    gram[:, np.arange(seen.shape[1]), np.arange(seen.shape[1])] += np.float32(sigma**2)
    error = seen * np.take_along_axis(reference - mean, pixels, 1)
    if not last:
        gain = np.linalg.solve(gram, error[:, :, None])
        return mean + (s.swapaxes(1, 2) @ gain)[:, :, 0], np.zeros_like(mean)
    inverse = inverse_lower(np.asarray(np.linalg.cholesky(gram), np.float32))
    t = inverse @ s
    estimate = mean + (t.swapaxes(1, 2) @ (inverse @ error[:, :, None]))[:, :, 0]
    variance = np.einsum("gmi,gmi->gi", members, members)
    if expected is not None:
        variance += np.float32(STRENGTH) * expected.variances
    variance /= count
    spread = np.maximum(variance - np.einsum("gij,gij->gj", t, t), 0) / np.float32(sigma**2)
    left = np.maximum(1 - np.take_along_axis(spread, pixels, 1), np.float32(0.02))
    errors = seen * np.take_along_axis(reference - estimate, pixels, 1) ** 2 / left
    scale = (errors.sum(1) + sigma**2) / (seen.sum(1) + 1)
    return estimate, scale[:, None] * (1 + spread)
