"""How strong the noise of an image is, from its patches of weak texture.

Liu, Tanaka & Okutomi (2013), Single-image noise level estimation for blind denoising, IEEE Trans. Image Process. 22:
in patches without texture the covariance is σ²I, in others no eigenvalue is smaller. The smallest eigenvalue of all
patches gives a first σ², the distribution of the gradients of pure noise a bound that textured patches exceed, and the
smallest eigenvalue of the others the next σ².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patches import Real

SIDE = 7
ROUNDS = 5
CONFIDENCE = 0.997  # that a patch of pure noise is below the bound: with fewer let in, less texture is
MOST = 400_000  # patches looked at
CLIPPED = 0.005  # share of pixels at an end of the range from which on only patches far from it are used
AWAY = 2.0  # noise levels from the end


def noise_level(plane: Real, valid: NDArray[np.bool_] | None = None, ends: tuple[float, float] | None = None) -> float:
    """Standard deviation of white noise in a plane (H, W); 0 where there are too few patches to tell.

    Parameters
    ----------
    plane : ndarray of float32, shape (H, W)
    valid : ndarray of bool, shape (H, W), optional
        Patches with other pixels are left out.
    ends : (float, float), optional
        Values at which the plane is cut off. Where that has happened to many pixels, patches near that end are left
        out, since they show less noise.
    """
    if min(plane.shape) < SIDE:
        return 0.0
    bound, x, texture, mean = _patches(plane, valid)
    low, high = -np.inf, np.inf
    if ends is not None:
        inside = plane if valid is None else plane[valid]
        low = ends[0] if (inside <= ends[0]).mean() > CLIPPED else low
        high = ends[1] if (inside >= ends[1]).mean() > CLIPPED else high
    variance = _smallest(x, (mean > low) & (mean < high))
    for _ in range(ROUNDS):
        sigma = np.sqrt(variance)
        weak = (texture <= bound * variance) & (mean > low + AWAY * sigma) & (mean < high - AWAY * sigma)
        found = _smallest(x, weak)
        if found <= 0 or abs(found - variance) < 1e-6 * variance:
            break
        variance = found
    return float(np.sqrt(variance))


def _patches(plane: Real, valid: NDArray[np.bool_] | None) -> tuple[float, Real, Real, Real]:
    """The bound for σ = 1, patches (N, 49), the energy of their gradients and their means."""
    from scipy.special import gammaincinv

    windows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))
    step = max(1, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / MOST))))
    kept = windows[::step, ::step]
    x = kept.reshape(-1, SIDE * SIDE).astype(np.float32)
    if valid is not None:
        whole = np.lib.stride_tricks.sliding_window_view(valid, (SIDE, SIDE))[::step, ::step].all((2, 3))
        x = x[whole.ravel()]
    across = (x.reshape(-1, SIDE, SIDE)[:, :, 2:] - x.reshape(-1, SIDE, SIDE)[:, :, :-2]) / 2
    down = (x.reshape(-1, SIDE, SIDE)[:, 2:] - x.reshape(-1, SIDE, SIDE)[:, :-2]) / 2
    texture = np.einsum("nij,nij->n", across, across) + np.einsum("nij,nij->n", down, down)
    # Gradients of white noise: a quadratic form of 49 dimensions with this trace, nearly a gamma distribution.
    trace = 2 * SIDE * (SIDE - 2) * 0.5
    shape = (SIDE * SIDE - 1) / 2
    bound = float(gammaincinv(shape, CONFIDENCE)) * trace / shape
    return bound, x, texture, x.mean(1)


def _smallest(x: Real, chosen: NDArray[np.bool_]) -> float:
    """Smallest eigenvalue of the covariance of some patches; 0 where they are too few."""
    x = x[chosen]
    if len(x) <= 2 * SIDE * SIDE:
        return 0.0
    centred = (x - x.mean(0)).astype(np.float32)
    smallest = float(np.linalg.eigvalsh((centred.T @ centred).astype(np.float64))[0]) / (len(x) - 1)
    # Of N draws in D dimensions the smallest eigenvalue is too small by this factor (Marchenko & Pastur 1967).
    return max(smallest, 0.0) / (1 - SIDE / float(np.sqrt(len(x)))) ** 2
