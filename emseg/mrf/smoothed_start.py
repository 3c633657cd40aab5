"""Starts that survive noise.

Where classes overlap, the histogram has no valleys, and the likeliest mixture of the pixels need not have a component
for every region. Averaged over a few pixels the regions come apart. So: smooth the planes, leave out pixels with steep
gradients (at borders, smoothing mixes classes), fit the mixture to the rest, label the smoothed pixels by it, and let
the raw pixels under those labels say what the classes look like.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.em.starts.tournament import search
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mrf.emission import Emission
from emseg.mrf.fit import fit_field
from emseg.mrf.inference.mean_field import MeanField, free_energy
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.potts import Labels, best_label, state
from emseg.mrf.strength import ONSET, critical_beta
from emseg.numerics.masked_blur import MaskedBlur

WIDTHS = (1.0, 2.0)  # standard deviations of the Gaussian, in pixels
TRIAL = Schedule(iterations=10, hold=10, sweeps=1, answer=1)  # of mean-field EM, by which starts are judged
STEEP = 0.3  # share of the pixels left out
LARGEST_SAMPLE = 60_000


def smoothed_labels(
    problem: Problem,
    planes: NDArray[np.float32],
    valid: NDArray[np.bool_] | None,
    k: int,
    rng: np.random.Generator,
    width: float,
) -> NDArray[np.uint8]:
    """Labels 0…K-1 to start from, on the grid.

    Parameters
    ----------
    problem : Problem
    planes : ndarray of float32, shape (D, ...)
        The samples on the grid; finite.
    valid : ndarray of bool, shape (...), optional
    k : int
    rng : numpy.random.Generator
    width : float
        Standard deviation of the Gaussian in pixels.
    """
    blur = MaskedBlur(valid)
    smooth = np.stack([blur(plane, width) for plane in planes])
    steep = np.zeros(planes.shape[1:], np.float32)
    for plane in smooth:
        for axis in range(plane.ndim):
            if plane.shape[axis] > 1:
                steep += np.gradient(plane, axis=axis) ** 2
    seen = np.ones(steep.size, np.bool_) if valid is None else valid.ravel()
    flat = np.flatnonzero(seen & (steep.ravel() <= np.quantile(steep.ravel()[seen], 1 - STEEP)))
    kept = flat[:: max(1, flat.size // LARGEST_SAMPLE)]
    samples = smooth.reshape(len(smooth), -1)
    x = np.ascontiguousarray(samples[:, kept].astype(np.float64))
    rows = Rows(x, np.ones(kept.size))
    mixture, _ = search(replace(problem, samples=rows), k, rng, "kmeans++")
    labels = np.empty(steep.size, np.uint8)
    for first in range(0, steep.size, 8192):
        part = slice(first, first + 8192)
        labels[part] = mixture.log_joint(samples[:, part].astype(np.float64)).argmax(0)
    return labels.reshape(steep.shape)


def best_start(
    emission: Emission,
    planes: NDArray[np.float32],
    valid: NDArray[np.bool_],
    plain: Mixture,
    beta: float | None,
    rng: np.random.Generator,
) -> tuple[Mixture, Labels]:
    """The start from which a few iterations come to the lowest free energy: smoothed pixels, or the plain mixture."""
    grid, k, problem = emission.lattice, plain.k, emission.problem
    everywhere = None if valid.all() else valid
    starts = [grid.split(smoothed_labels(problem, planes, everywhere, k, rng, width)) for width in WIDTHS]
    log_f = emission.log_densities(plain)
    starts.append(best_label(log_f + np.log(plain.weights).astype(np.float32)[:, None]))
    level = ONSET * critical_beta(grid, k) if beta is None else beta
    trials = []
    for cells in starts:
        labels = state(grid, cells)
        mixture = problem.m_step(emission.of_labels(grid.core(labels), k))
        trial = fit_field(emission, mixture, labels, MeanField, rng, level, TRIAL)
        log_f, total = emission.log_densities_and_level(trial.mixture)
        value = free_energy(grid, grid.with_halo(trial.shares), log_f, level) - total
        trials.append((value, trial))
    best = min(trials, key=lambda pair: pair[0])[1]
    return best.mixture, best.labels
