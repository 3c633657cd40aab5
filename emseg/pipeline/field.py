"""From a fitted mixture to a mixture with a Markov random field on its labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.mrf import potts
from emseg.mrf.beta import CENTRE, critical
from emseg.mrf.emission import Emission
from emseg.mrf.hmrf import FieldFit, Schedule, fit_field, state
from emseg.mrf.lattice import NEIGHBOURHOODS, Lattice, lattice
from emseg.mrf.meanfield import free_energy
from emseg.mrf.start import smoothed_labels
from emseg.pipeline.options import SegmentOptions

WIDTHS = (1.0, 2.0)  # standard deviations of the Gaussian for starts, in pixels
# Smallest variance relative to that of the image. Sums over the field are in single precision, and rounding to 256 grey
# levels leaves a variance of about this size.
FLOOR = 2e-5
TRIAL = Schedule(iterations=10, hold=10, sweeps=1, answer=1)  # of mean-field EM, by which starts are judged


@dataclass(frozen=True, eq=False)
class Smoothed:
    """What a field makes of an image.

    Attributes
    ----------
    mixture : Mixture
        Standardised, components in canonical order.
    labels : ndarray of uint8, shape (H, W)
        1…K; 0 where there is no data.
    posterior : ndarray of float32, shape (K, H, W)
    facts : dict
        `mrf` of the report.
    """

    mixture: Mixture
    labels: NDArray[np.unsignedinteger[Any]]
    posterior: NDArray[np.float32]
    facts: dict[str, Any]


def smooth(
    photo: Image, features: Features, problem: Problem, plain: Mixture, asked: SegmentOptions, rng: np.random.Generator
) -> Smoothed:
    """Fit mixture and field together, from the best of three starts.

    Parameters
    ----------
    photo : Image
    features : Features
    problem : Problem
    plain : Mixture
        The fit without a field.
    asked : SegmentOptions
    rng : numpy.random.Generator

    Raises
    ------
    UsageError, DataError
        If there is no such neighbourhood, or there are too few pixels or too many classes.
    """
    require_field(photo, features, plain.k)
    shape = photo.metadata.get("volume", features.shape)  # the slices of a volume lie below one another
    index = features.on_grid(np.arange(features.x.shape[1])).reshape(shape)
    valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)).reshape(shape) > 0
    planes = features.x.astype(np.float32)[:, index]
    grid = layout(shape, valid, planes, asked, voxel(photo))
    emission = Emission(replace(problem, floor=max(problem.floor, FLOOR)), grid, index)
    method = "gibbs" if asked.mrf == "auto" else asked.mrf
    beta = None if asked.beta == "auto" else float(asked.beta)
    try:
        mixture, labels = _best_start(emission, planes, valid, plain, beta, rng)
        found = fit_field(emission, mixture, labels, method, rng, beta)
    except np.linalg.LinAlgError as error:
        raise DataError(f"{photo.name}: a class became singular under the field; give a --floor above 0") from error
    return _finished(emission, found, method, asked, features.shape)


def require_field(photo: Image, features: Features, k: int) -> None:
    """Raise DataError unless there are neighbours, and no more classes than a field can hold."""
    if np.isnan(features.x).any():
        raise DataError(f"{photo.name}: a field needs all channels of a pixel; use --missing drop, or --mrf none")
    if features.n_pixels < 2:
        raise DataError(f"{photo.name}: a field needs two pixels or more; use --mrf none")
    if k > potts.MOST:
        raise DataError(f"{photo.name}: a field holds up to {potts.MOST} classes; use a smaller -k, or --mrf none")


def voxel(photo: Image) -> tuple[float, ...] | None:
    """Size of a voxel along Z, Y and X, where the file says it."""
    if "volume" not in photo.metadata or "nifti" not in photo.metadata:
        return None
    size = tuple(float(length) for length in photo.metadata["nifti"]["header"].get_zooms()[2::-1])
    return size if len(size) == 3 and all(0 < length < np.inf for length in size) else None


def layout(
    shape: tuple[int, ...],
    valid: NDArray[np.bool_],
    planes: NDArray[np.float32],
    asked: SegmentOptions,
    spacing: tuple[float, ...] | None = None,
) -> Lattice:
    """The neighbourhood that the options ask for."""
    kinds = NEIGHBOURHOODS[len(shape)]
    count = min(kinds) if asked.neighbours == "auto" else int(asked.neighbours)
    if count not in kinds:
        raise UsageError(
            f"--neighbours {count}: does not go with {len(shape)} dimensions; use {' or '.join(map(str, kinds))}"
        )
    everywhere, guide = None if valid.all() else valid, planes if asked.contrast else None
    return lattice(shape, count, spacing=spacing, valid=everywhere, guide=guide)


def _best_start(
    emission: Emission,
    planes: NDArray[np.float32],
    valid: NDArray[np.bool_],
    plain: Mixture,
    beta: float | None,
    rng: np.random.Generator,
) -> tuple[Mixture, potts.Labels]:
    """The start from which a few iterations come to the lowest free energy: smoothed pixels, or the plain mixture."""
    grid, k, problem = emission.lattice, plain.k, emission.problem
    everywhere = None if valid.all() else valid
    starts = [grid.split(smoothed_labels(problem, planes, everywhere, k, rng, width)) for width in WIDTHS]
    log_f, _ = emission.log_densities(plain)
    starts.append((log_f + np.log(plain.weights).astype(np.float32)[:, None]).argmax(1).astype(np.uint8))
    level = CENTRE * critical(grid, k) if beta is None else beta
    trials = []
    for cells in starts:
        labels = state(grid, cells)
        mixture = problem.m_step(emission.of_labels(grid.core(labels), k))
        trial = fit_field(emission, mixture, labels, "mean-field", rng, level, TRIAL)
        log_f, total = emission.log_densities(trial.mixture)
        value = free_energy(grid, grid.with_margin(trial.shares), log_f, level) - total
        trials.append((value, trial))
    best = min(trials, key=lambda pair: pair[0])[1]
    return best.mixture, best.labels


def _finished(
    emission: Emission, found: FieldFit, method: str, asked: SegmentOptions, shape: tuple[int, int]
) -> Smoothed:
    """Put components in canonical order, and pixels back on the grid."""
    grid, k = emission.lattice, found.mixture.k
    order = found.mixture.canonical_order()
    names = np.zeros(256, np.uint8)
    names[order] = np.arange(1, k + 1)
    log_f, total = emission.log_densities(found.mixture)
    energy = potts.energy(grid, found.labels, log_f, found.beta) - total
    facts = {
        "method": method,
        "beta": found.beta,
        "sweeps": found.sweeps,
        "energy": energy,
        "neighbours": grid.neighbours,
        "contrast": asked.contrast,
        "critical_beta": critical(grid, k),
        "beta_trace": list(found.betas),
    }
    return Smoothed(
        found.mixture.permuted(order),
        grid.join(names[grid.core(found.labels)]).reshape(shape),
        grid.join(np.ascontiguousarray(found.shares[:, order])).reshape(k, *shape),
        facts,
    )
