"""Removing white noise from planes: by rounds of local Gaussians, or by one mixture for all patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Stop
from emseg.em.fit import Fit
from emseg.execution.runner import Runner
from emseg.restore.blend import blended
from emseg.restore.local_gaussians import FULL, Round, local_round
from emseg.restore.noise.censored_patches import Censored
from emseg.restore.patch.patch_fit import PatchProblem, fit_patch_mixture
from emseg.restore.patch.patch_mixture import LEAST, PatchMixture, conditional_means, coordinates
from emseg.restore.patch.patches import AREA, SIDE, Real, padded_to_grid, plane_shape
from emseg.restore.patch.photographs import photographs

Array = NDArray[np.float64]
#: Of each round: the share of the removed noise that is put back before it, and the factor of σ². The factor is below 1
#: because the members are shrunk twice. Chosen on crops of scikit-image photographs.
ROUNDS = (0.3, 0.5), (0.15, 0.5), (0.0, 0.4)
QUIET = 1e-3  # least noise of a channel relative to the noisiest, so that no matrix is singular
PILOT = 0.05  # share of the work, for the progress bar
#: The same for the two rounds of `denoise_fast`, with their sizes. Their grids complement each other.
QUICK = (0.35, 0.9, Round(11, 32, 19, 4)), (0.0, 0.5, Round(8, 24, 19, 4))
QUICK_PILOT = 0.2  # share of the work, for the progress bar
#: Pixels between the patches of a pass of the mixture, and its `least` (see `conditional_means`).
PASS, FAST, QUICK_PASS = (4, LEAST), (2, 3.0), (7, 3.0)
FITTED = 10_000  # patches to which a mixture is fitted
STRENGTH = 50.0  # patches that the prior adds to each component
LEAST_FITTED = 0.5  # grey levels, the least noise level of the fit: single precision needs it
STOP = Stop(tol=1e-3, max_iter=5)
USUAL_CONTRAST = 1 / 4, 4.0  # contrast relative to photographs, within which their mixture needs no scaling


def denoise_local(planes: Real, sigma: Array, runner: Runner, censored: Censored | None = None) -> Real:
    """Rounds of local Gaussians, from a first estimate by the mixture of photographs.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
        Patches are compared in the first channel.
    sigma : ndarray, shape (C,)
        Noise level of each channel.
    runner : Runner
    censored : Censored, optional
        The stored values, if they were cut off at the ends of their range. Their values before are then estimated anew
        before each round.
    """
    height, width = plane_shape(planes)
    noisy, sigma = padded_to_grid(planes, FULL.step), np.maximum(sigma, QUIET * sigma.max())
    return blended(local_estimates(noisy, sigma, runner, censored), sigma)[:, :height, :width]


def local_estimates(noisy: Real, sigma: Array, runner: Runner, censored: Censored | None = None) -> Real:
    """The two estimates of the last round, with members shrunk once and twice; (2, C, H, W)."""
    with runner.stage(0, PILOT):
        pilot = _pilot(noisy, sigma, runner)
    if censored is not None:
        with runner.stage(PILOT, 2 * PILOT):
            pilot = _pilot(_completed(noisy, pilot, FULL.step, censored, True), sigma, runner)
    begin = PILOT if censored is None else 2 * PILOT
    found, part = pilot[None], (1 - begin) / len(ROUNDS)
    for i, (share, factor) in enumerate(ROUNDS):
        whole = _completed(noisy, found[0], FULL.step, censored)
        powers = (2,) if i < len(ROUNDS) - 1 else (1, 2)
        with runner.stage(begin + i * part, begin + (i + 1) * part):
            found = local_round(whole, found[0], (factor * sigma**2).tolist(), runner, powers, share=share)
    return found


def denoise_fast(planes: Real, sigma: Array, runner: Runner, censored: Censored | None = None) -> Real:
    """Two rounds of fewer and smaller local Gaussians, whose members are compared by fewer coefficients.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
    sigma : ndarray, shape (C,)
    runner : Runner
    censored : Censored, optional
        See `denoise_local`.
    """
    height, width = plane_shape(planes)
    sigma = np.maximum(sigma, QUIET * sigma.max())
    noisy, begin = padded_to_grid(planes, 1), QUICK_PILOT
    with runner.stage(0, begin):
        found = _pilot(noisy, sigma, runner, QUICK_PASS)
    if censored is not None:
        begin = 2 * QUICK_PILOT
        with runner.stage(QUICK_PILOT, begin):
            found = _pilot(_completed(noisy, found, 1, censored, True), sigma, runner, QUICK_PASS)
    part = (1 - begin) / len(QUICK)
    for i, (share, factor, how) in enumerate(QUICK):
        pilot = padded_to_grid(found[:, :height, :width], how.step)
        whole = _completed(padded_to_grid(planes, how.step), pilot, how.step, censored)
        with runner.stage(begin + i * part, begin + (i + 1) * part):
            found = local_round(whole, pilot, (factor * sigma**2).tolist(), runner, (2,), how, share)[0]
    return found[:, :height, :width]


def _completed(noisy: Real, pilot: Real, step: int, censored: Censored | None, of_stored: bool = False) -> Real:
    """Expected values of the noisy planes before they were cut off, given the pilot; all padded to the step."""
    if censored is None:
        return noisy
    height, width = plane_shape(censored.values)
    return padded_to_grid(censored.completed(pilot[:, :height, :width], of_stored), step)


def _pilot(noisy: Real, sigma: Array, runner: Runner, how: tuple[int, float] = PASS) -> Real:
    """A first estimate of each channel, by the mixture of photographs."""
    pilot, n = np.empty_like(noisy), len(noisy)
    for c, s in enumerate(sigma.tolist()):
        with runner.stage(c / n, (c + 1) / n):
            pilot[c] = _by_mixture(noisy[c], photographs(), s, *how, n, runner)
    return pilot


def denoise_mixture(planes: Real, sigma: Array, runner: Runner, fast: bool) -> tuple[Real, Fit[PatchMixture] | None]:
    """One mixture for all patches: that of photographs, or the same fitted to the image by EM.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
        White is at 255. The mixture is fitted to the first channel.
    sigma : ndarray, shape (C,)
    runner : Runner
    fast : bool
        Do not fit the mixture, and use patches every 2 pixels.

    Returns
    -------
    planes : ndarray of float32, shape (C, H, W)
    fit : Fit or None
    """
    height, width = plane_shape(planes)
    noisy, sigma = padded_to_grid(planes, 1), np.maximum(sigma, QUIET * sigma.max())
    mixture, fit = photographs(), None
    scale = _scale(noisy[0], float(sigma[0]), len(planes))
    if not fast:
        x = _sample(noisy[0]) * np.float32(scale)
        noise = max(scale * float(sigma[0]), LEAST_FITTED) ** 2
        start = replace(mixture, noise=noise)
        fit = fit_patch_mixture(PatchProblem(x, noise, STRENGTH, start), start, STOP)
        mixture = fit.mixture
    how = FAST if fast else (1, LEAST)
    out = []
    for c, (plane, s) in enumerate(zip(noisy, sigma.tolist(), strict=True)):
        with runner.stage(c / len(planes), (c + 1) / len(planes)):
            out.append(_by_mixture(plane, mixture, s, *how, len(planes), runner, scale))
    return np.stack(out)[:, :height, :width], fit


def _by_mixture(
    plane: Real,
    mixture: PatchMixture,
    sigma: float,
    step: int,
    least: float,
    channels: int,
    runner: Runner,
    scale: float | None = None,
) -> Real:
    """`conditional_means` in the units of the mixture."""
    unit = _scale(plane, sigma, channels) if scale is None else scale
    scaled = conditional_means(plane * np.float32(unit), mixture, unit * sigma, step, runner, least)
    found: Real = scaled / np.float32(unit)
    return found


def _scale(plane: Real, sigma: float, channels: int) -> float:
    """The factor that brings a channel to the units of the mixture of photographs.

    An orthonormal luminance is √C times too large. Images of a very different contrast, such as floating point numbers
    from 0 to 1, are brought to that of photographs.
    """
    unit = 1 / np.sqrt(channels)
    x = _sample(plane)
    energy = float(np.einsum("dn,dn->", x, x, dtype=np.float64)) / x.shape[1] - len(x) * sigma**2
    mixture = photographs()
    usual = float(mixture.weights @ mixture.variances.sum(1))
    contrast = unit * np.sqrt(max(energy, 1e-3 * len(x) * sigma**2) / usual)
    return float(unit if USUAL_CONTRAST[0] < contrast < USUAL_CONTRAST[1] else unit / contrast)


def _sample(plane: Real) -> Real:
    """Coordinates (D, N) of patches on a grid and of their transposes, about `FITTED` of them."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))
    step = max(1, int(np.ceil(np.sqrt(2 * windows.shape[0] * windows.shape[1] / FITTED))))
    chosen = windows[::step, ::step].reshape(-1, SIDE, SIDE)
    both = np.concatenate([chosen, chosen.swapaxes(1, 2)]).reshape(-1, AREA)
    return np.ascontiguousarray(coordinates(both)[1:])
