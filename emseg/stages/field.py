"""From a fitted mixture to a mixture with a Markov random field on its labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.assign import assign
from emseg.mixture.mixture import Mixture
from emseg.mrf import potts
from emseg.mrf.emission import NOTHING, Emission, Known
from emseg.mrf.fit import ALONE, FieldFit, fit_field, label
from emseg.mrf.inference.protocol import Inference
from emseg.mrf.inference.registry import inference
from emseg.mrf.lattice import NEIGHBOURHOODS, Lattice, lattice, scaled
from emseg.mrf.potts import state
from emseg.mrf.smoothed_start import best_start
from emseg.mrf.strength import critical
from emseg.mrf.tiles import choose, stacked
from emseg.options.segmentation import SegmentOptions
from emseg.stages.prior_map import read_prior
from emseg.stages.scribbles import marked, read_scribbles

# Smallest variance relative to that of the image. Sums over the field are in single precision, and rounding to 256 grey
# levels leaves a variance of about this size.
FLOOR = 2e-5
SAMPLE = 1 << 18  # pixels of all tiles


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
    photo: Image,
    features: Features,
    problem: Problem,
    plain: Mixture,
    asked: SegmentOptions,
    rng: np.random.Generator,
) -> Smoothed:
    """Fit mixture and field together, from the best of three starts.

    With scribbles or a prior map but no field, β is 0: mean field is then plain EM on what the values and these say of
    each pixel, semi-supervised with scribbles.

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
    if asked.truncated:
        raise UsageError(f"--mrf {asked.mrf}: does not go with --truncated; leave one of them out")
    if asked.noise and (asked.scribbles or asked.prior_map):
        other = "--scribbles" if asked.scribbles else "--prior-map"
        raise UsageError(f"--noise: does not go with {other}, which says nothing of noise; leave one of them out")
    require_field(photo, features, plain)
    shape = photo.metadata.get("volume", features.shape)  # the slices of a volume lie below one another
    index = features.on_grid(np.arange(features.x.shape[1], dtype=np.int32)).reshape(shape)
    valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)).reshape(shape) > 0
    task = _Task(
        replace(problem, floor=max(problem.floor, FLOOR)), features.x, asked, voxel(photo), held(problem, plain)
    )
    known = NOTHING
    if asked.scribbles:
        marks = read_scribbles(asked.scribbles, photo, features, asked.k)
        plain, known = marked(photo, features, task.problem, marks), Known(marks.reshape(shape))
    if asked.prior_map:
        log_prior = read_prior(asked.prior_map, photo, asked.k)
        known = known._replace(log_prior=log_prior.reshape(-1, *shape))
    try:
        large = valid.size > task.method.largest_whole
        found, emission = (_by_tiles if large else _whole)(task, index, valid, plain, rng, known)
    except np.linalg.LinAlgError as error:
        raise DataError(f"{photo.name}: a class became singular under the field; give a --floor above 0") from error
    return _finished(emission, found, task, features.shape)


@dataclass(frozen=True, eq=False)
class _Task:
    """What stays the same for the whole and for tiles."""

    problem: Problem
    x: NDArray[np.float64]
    asked: SegmentOptions
    spacing: tuple[float, ...] | None
    hold: NDArray[np.float32] | None  # what neighbours have on each sample, 1 unless given

    @property
    def beta(self) -> float | None:
        if self.asked.mrf == "none":
            return 0.0
        return None if self.asked.beta == "auto" else float(self.asked.beta)

    @property
    def method(self) -> type[Inference]:
        return inference("mean-field" if self.asked.mrf == "none" else self.asked.mrf)

    def weighted(self, known: Known) -> bool:
        """Whether the weights of the mixture count: where neither a field nor a prior says how frequent classes are."""
        return self.asked.mrf == "none" and known.log_prior is None

    def planes(self, index: NDArray[np.int32]) -> NDArray[np.float32]:
        """Samples on the grid, (D, ...)."""
        return np.stack([row.astype(np.float32)[index] for row in self.x])

    def grid(self, valid: NDArray[np.bool_], index: NDArray[np.int32]) -> Lattice:
        """The neighbourhood that the options ask for."""
        kinds = NEIGHBOURHOODS[valid.ndim]
        count = min(kinds) if self.asked.neighbours == "auto" else int(self.asked.neighbours)
        if count not in kinds:
            wanted = " or ".join(map(str, kinds))
            raise UsageError(f"--neighbours {count}: does not go with {valid.ndim} dimensions; use {wanted}")
        everywhere, guide = None if valid.all() else valid, self.planes(index) if self.asked.contrast else None
        plain = lattice(valid.shape, count, spacing=self.spacing, valid=everywhere, guide=guide)
        return plain if self.hold is None else scaled(plain, self.hold[index])


def held(problem: Problem, plain: Mixture) -> NDArray[np.float32] | None:
    """What neighbours have on samples that may be mixed: ½ on those that certainly are, 1 on pure ones.

    The label of a mixed pixel says which half of it is the larger, of which neighbours know little: between halves
    that are on average ¾ one class and ¼ the other, the difference they make is half of that between pure pixels.
    """
    pure = plain.purity(problem.rows.x)
    return None if pure is None else np.asarray((1 + pure) / 2, np.float32)


def _whole(
    task: _Task,
    index: NDArray[np.int32],
    valid: NDArray[np.bool_],
    plain: Mixture,
    rng: np.random.Generator,
    known: Known,
) -> tuple[FieldFit, Emission]:
    """Fit to all pixels."""
    emission = Emission(task.problem, task.grid(valid, index), index, known=known, weighted=task.weighted(known))
    fit = partial(fit_field, emission, method=task.method, rng=rng, beta=task.beta, watched=True)
    if known.marks is not None or known.log_prior is not None:
        if known.marks is None and emission.log_prior is not None:
            plain = task.problem.m_step(emission.of_shares(np.exp(emission.log_prior)))
        first = state(emission.lattice, potts.best_label(emission.log_densities(plain)))
        schedule = ALONE if task.asked.mrf == "none" else None
        return fit(plain, first, schedule=schedule), emission
    if not plain.family.refitted_in_field:  # a pixel's own value decides where the labels start, too
        log_f = emission.log_densities(plain) + np.log(plain.weights).astype(np.float32)[:, None]
        first = state(emission.lattice, potts.best_label(log_f))
        return fit(plain, first), emission
    mixture, labels = best_start(emission, task.planes(index), valid, plain, task.beta, rng)
    return fit(mixture, labels), emission


def _by_tiles(
    task: _Task,
    index: NDArray[np.int32],
    valid: NDArray[np.bool_],
    plain: Mixture,
    rng: np.random.Generator,
    known: Known,
) -> tuple[FieldFit, Emission]:
    """Fit to tiles, and label all pixels by that."""
    grid = task.grid(valid, index)  # a wrong neighbourhood is answered before any work
    guess = np.where(valid, (assign(plain, task.x, np.ones(task.x.shape[1]))[0] - 1)[index], plain.k)
    parts = choose(guess, plain.k, SAMPLE, rng)
    del guess
    sample, _ = _whole(task, stacked(index, parts), stacked(valid, parts), plain, rng, known.of_tiles(parts))
    emission = Emission(task.problem, grid, index, keep=False, known=known, weighted=task.weighted(known))
    method = inference(task.method.labels_large)
    found = label(emission, sample.mixture, sample.beta, method, rng, sample.betas)
    return replace(found, free_energies=sample.free_energies), emission


def require_field(photo: Image, features: Features, plain: Mixture) -> None:
    """Raise unless there are neighbours, complete samples, and no more classes than a field can hold."""
    if features.n_pixels < 2:
        raise DataError(f"{photo.name}: a field needs two pixels or more; use --mrf none")
    if plain.k > potts.MOST:
        raise DataError(f"{photo.name}: a field holds up to {potts.MOST} classes; use a smaller -k, or --mrf none")
    if not np.isfinite(features.x).all():
        raise DataError(f"{photo.name}: a field needs all channels of a pixel; use --missing drop, or --mrf none")


def voxel(photo: Image) -> tuple[float, ...] | None:
    """Size of a voxel along Z, Y and X, where the file says it."""
    if "volume" not in photo.metadata or "nifti" not in photo.metadata:
        return None
    size = tuple(float(length) for length in photo.metadata["nifti"]["header"].get_zooms()[2::-1])
    return size if len(size) == 3 and all(0 < length < np.inf for length in size) else None


def _finished(emission: Emission, found: FieldFit, task: _Task, shape: tuple[int, int]) -> Smoothed:
    """Put components in canonical order, and pixels back on the grid."""
    grid, k = emission.lattice, found.mixture.k
    order = np.arange(k) if task.asked.scribbles or task.asked.prior_map else found.mixture.canonical_order()
    names = np.zeros(256, np.uint8)
    names[order] = np.arange(1, k + 1)
    log_f, total = emission.with_level(found.mixture)
    energy = potts.energy(grid, found.labels, log_f, found.beta) - total
    facts = {
        "method": task.method.name if task.asked.mrf != "none" else "none",
        "beta": found.beta,
        "sweeps": found.sweeps,
        "energy": energy,
        "neighbours": grid.neighbours,
        "contrast": task.asked.contrast,
        "critical_beta": critical(grid, k),
        "beta_trace": list(found.betas),
        "free_energy_trace": list(found.free_energies),
    }
    return Smoothed(
        found.mixture.permuted(order),
        grid.join(names[grid.core(found.labels)]).reshape(shape),
        grid.join(np.ascontiguousarray(found.shares[:, order])).reshape(k, *shape),
        facts,
    )
