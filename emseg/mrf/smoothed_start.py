"""Starts for images with so much noise that classes overlap.

Then the histogram of the pixels has no valleys, and their likeliest mixture need not have a component for every class.
In means over a few pixels the classes are apart. So the planes are smoothed, and pixels with steep gradients left out,
since smoothing mixes classes at borders. A mixture is fitted to the rest, and labels the smoothed pixels. The raw
pixels under those labels say what the classes look like.
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
from emseg.mrf.potts import Labels, best_label, haloed_labels
from emseg.mrf.strength import ONSET, critical_beta
from emseg.numerics.masked_blur import MaskedBlur

#: Standard deviations of the Gaussian, in pixels. Mean errors on eight noisy images, six of them Potts samples: 5.6 %
#: with both, 5.6 with 1 alone, 5.8 with 2 alone, 6.5 with 3 alone. Large smooth shapes gain from 2.
WIDTHS = (1.0, 2.0)
TRIAL = Schedule(iterations=10, hold=10, sweeps=1, answer=1)  # of mean field, by which starts are compared
STEEP = 0.3  # share of the pixels that are left out; errors on the same images are the same from .1 to .5
LARGEST_SAMPLE = 60_000  # pixels, at least, that mixtures are fitted to on large images; tournaments use fewer still
BLOCK = 8192  # pixels that are labelled at once


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
    for first in range(0, steep.size, BLOCK):
        part = slice(first, first + BLOCK)
        labels[part] = mixture.log_joint(samples[:, part].astype(np.float64)).argmax(0)
    return labels.reshape(steep.shape)


def best_start(
    emission: Emission,
    planes: NDArray[np.float32],
    valid: NDArray[np.bool_],
    mixture: Mixture,
    beta: float | None,
    rng: np.random.Generator,
) -> tuple[Mixture, Labels]:
    """The start from which a few iterations of mean field reach the lowest free energy.

    Candidates are the labels of smoothed pixels, for each of `WIDTHS`, and those of a mixture fitted without a field.

    Parameters
    ----------
    emission : Emission
    planes : ndarray of float32, shape (D, ...)
        The samples on the grid; finite.
    valid : ndarray of bool, shape (...)
        Which pixels take part.
    mixture : Mixture
        Fitted without a field.
    beta : float, optional
        Strength of the field; unless given, that at which its prior begins.
    rng : numpy.random.Generator

    Returns
    -------
    mixture : Mixture
    labels : ndarray of uint8, shape (S, halo + M + halo)

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class becomes singular.
    """
    grid, k, problem = emission.lattice, mixture.k, emission.problem
    everywhere = None if valid.all() else valid
    starts = [grid.split(smoothed_labels(problem, planes, everywhere, k, rng, width)) for width in WIDTHS]
    log_f = emission.without_grain().log_densities(mixture)  # its classes may be narrower than a field's
    starts.append(best_label(log_f + np.log(mixture.weights).astype(np.float32)[:, None]))
    strength = ONSET * critical_beta(grid, k) if beta is None else beta
    trials = []
    for cells in starts:
        labels = haloed_labels(grid, cells)
        first = problem.m_step(emission.stats_of_labels(grid.core(labels), k))
        trial = fit_field(emission, first, labels, MeanField, rng, strength, TRIAL)
        log_f, level = emission.log_densities_and_level(trial.mixture)
        value = free_energy(grid, grid.with_halo(trial.probabilities), log_f, strength) - level
        trials.append((value, trial))
    best = min(trials, key=lambda pair: pair[0])[1]
    return best.mixture, best.labels
