"""From a fitted mixture to a mixture with a Markov random field on its labels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError, option
from emseg.execution import steps
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.assign import assign
from emseg.mixture.mixture import Mixture
from emseg.mrf import potts
from emseg.mrf.emission import NOTHING, Emission, Known
from emseg.mrf.fit import WITHOUT_FIELD, FieldFit, fit_field, label_pixels
from emseg.mrf.inference.protocol import Inference
from emseg.mrf.inference.registry import inference
from emseg.mrf.lattice import NEIGHBOURHOODS, Lattice, build_lattice, with_influence
from emseg.mrf.potts import haloed_labels
from emseg.mrf.smoothed_start import best_start
from emseg.mrf.strength import critical_beta
from emseg.mrf.tiles import choose_tiles, stack_tiles
from emseg.records import record
from emseg.stages.inputs.given_files import GivenFiles
from emseg.stages.inputs.maps.scribbles import marked_mixture

#: Smallest variance of a class, relative to that of the image. Sums over the field are in single precision, and
#: rounding to 256 grey levels leaves a variance of about this size: (1/12) / 64² for values that spread over 64 levels.
FLOOR = 2e-5
#: Pixels of all tiles together: 16 tiles of 128 × 128 pixels.
SAMPLE = 1 << 18


@record(frozen=True)
class FieldOptions:
    """What field is asked for.

    Attributes
    ----------
    method : str
        A key of `emseg.mrf.inference.registry.METHODS`; ``"none"`` is no field, β = 0.
    beta : float or "auto"
        Strength of the field.
    neighbours : str
        Number of neighbours of a pixel, or ``"auto"``.
    contrast : bool
        Whether neighbours with unlike values count less.
    """

    method: str
    beta: float | str
    neighbours: str
    contrast: bool


@record(frozen=True, eq=False)
class Smoothed:
    """Mixture and labels of an image with a field.

    Attributes
    ----------
    mixture : Mixture
        Standardised, components in canonical order.
    labels : ndarray of uint8, shape (H, W)
        1…K; 0 where there is no data.
    posterior : ndarray of float32, shape (K, H, W)
    report : dict
        `mrf` of the report.
    notices : tuple of str
        What the user should know of how the labels were found.
    """

    mixture: Mixture
    labels: NDArray[np.unsignedinteger[Any]]
    posterior: NDArray[np.float32]
    report: dict[str, Any]
    notices: tuple[str, ...] = ()


def smooth(
    photo: Image,
    features: Features,
    problem: Problem,
    mixture: Mixture,
    field: FieldOptions,
    given: GivenFiles,
    rng: np.random.Generator,
) -> Smoothed:
    """Fit mixture and field together, from the best of three starts.

    With scribbles or a prior map but no field, β is 0. Mean field is then EM on what the values and these files say of
    each pixel; with scribbles, it is semi-supervised.

    Parameters
    ----------
    photo : Image
    features : Features
    problem : Problem
    mixture : Mixture
        The fit without a field, standardised.
    field : FieldOptions
    given : GivenFiles
        Scribbles, as `usable_marks` returns them, and prior probabilities.
    rng : numpy.random.Generator

    Raises
    ------
    DataError
        If there are too many classes, or one has no extent.
    """
    steps.step("smoothing labels")
    require_classes(photo, mixture.k)
    shape = photo.metadata.get("volume", features.shape)  # the slices of a volume lie below one another
    index = features.on_grid(np.arange(features.x.shape[1], dtype=np.int32)).reshape(shape)
    valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)).reshape(shape) > 0
    task = _Task(
        problem.at_least(FLOOR),
        features.x,
        field,
        voxel_size(photo),
        neighbour_weights(problem, mixture),
    )
    known = NOTHING
    if given.scribbles is not None:
        marks = given.scribbles.astype(np.uint8)
        mixture, known = marked_mixture(marks, features, task.problem), Known(marks.reshape(shape))
    if given.log_prior is not None:
        known = known._replace(log_prior=given.log_prior.reshape(-1, *shape))
    try:
        large = valid.size > task.method.largest_whole
        found, emission = (_by_tiles if large else _whole)(task, index, valid, mixture, rng, known)
    except np.linalg.LinAlgError as error:
        remedy = f"give a {option('floor')} above 0"
        raise DataError(f"{photo.name}: a class became singular under the field; {remedy}") from error
    return _finished(emission, found, task, features.shape, given.names_classes)


@record(frozen=True, eq=False)
class _Task:
    """What a fit to all pixels and one to tiles have in common."""

    problem: Problem
    x: NDArray[np.float64]
    field: FieldOptions
    spacing: tuple[float, ...] | None
    neighbour_weights: NDArray[np.float32] | None

    @property
    def beta(self) -> float | None:
        """The strength that is given; None if it is to be estimated."""
        if self.field.method == "none":
            return 0.0
        return None if self.field.beta == "auto" else float(self.field.beta)

    @property
    def method(self) -> type[Inference]:
        """The method of inference."""
        return inference("mean-field" if self.field.method == "none" else self.field.method)

    def weighted(self, known: Known) -> bool:
        """Whether the weights of the mixture count: where neither a field nor a prior says how frequent classes are."""
        return self.field.method == "none" and known.log_prior is None

    def planes(self, index: NDArray[np.int32]) -> NDArray[np.float32]:
        """Samples on the grid, (D, ...)."""
        return np.stack([row.astype(np.float32)[index] for row in self.x])

    def grid(self, valid: NDArray[np.bool_], index: NDArray[np.int32]) -> Lattice:
        """The neighbourhood that the options ask for."""
        count = neighbour_count(self.field.neighbours, valid.ndim)
        everywhere, guide = None if valid.all() else valid, self.planes(index) if self.field.contrast else None
        found = build_lattice(valid.shape, count, spacing=self.spacing, valid=everywhere, guide=guide)
        return found if self.neighbour_weights is None else with_influence(found, self.neighbour_weights[index])


def neighbour_count(neighbours: str, dimensions: int) -> int:
    """Number of neighbours of a pixel in so many dimensions; the smallest one for ``"auto"``.

    Raises
    ------
    UsageError
        If there is no such neighbourhood.
    """
    kinds = NEIGHBOURHOODS[dimensions]
    count = min(kinds) if neighbours == "auto" else int(neighbours)
    if count not in kinds:
        wanted = " or ".join(map(str, kinds))
        raise UsageError(f"{option('neighbours', count)}: does not go with {dimensions} dimensions; use {wanted}")
    return count


def neighbour_weights(problem: Problem, mixture: Mixture) -> NDArray[np.float32] | None:
    """Weight of the neighbours of each sample (N,): ½ for one that is certainly mixed, 1 for a pure one.

    The label of a mixed pixel says which of its two classes is the larger part, of which neighbours say little. Between
    parts that are on average ¾ and ¼ of the pixel, the difference that neighbours make is half of that between pure
    pixels. None where no sample is mixed.
    """
    pure = mixture.purity(problem.rows.x)
    return None if pure is None else np.asarray((1 + pure) / 2, np.float32)


def _whole(
    task: _Task,
    index: NDArray[np.int32],
    valid: NDArray[np.bool_],
    mixture: Mixture,
    rng: np.random.Generator,
    known: Known,
) -> tuple[FieldFit, Emission]:
    """Fit to all pixels."""
    emission = Emission(task.problem, task.grid(valid, index), index, known=known, weighted=task.weighted(known))
    fit = partial(fit_field, emission, method=task.method, rng=rng, beta=task.beta, watched=True)
    own = emission.without_grain()  # classes that were found without a field may be narrower than a field's
    if known.marks is not None or known.log_prior is not None:
        if known.marks is None and emission.log_prior is not None and emission.prior_tells_classes_apart:
            mixture = task.problem.m_step(emission.stats_of_probabilities(np.exp(emission.log_prior)))
        first = haloed_labels(emission.lattice, potts.best_label(own.log_densities(mixture)))
        schedule = WITHOUT_FIELD if task.field.method == "none" else None
        return fit(mixture, first, schedule=schedule), emission
    if not mixture.family.refitted_in_field:  # a pixel's own value decides where the labels start, too
        log_f = own.log_densities(mixture) + np.log(mixture.weights).astype(np.float32)[:, None]
        first = haloed_labels(emission.lattice, potts.best_label(log_f))
        return fit_field(own, mixture, first, task.method, rng, beta=task.beta, watched=True), own
    mixture, labels = best_start(emission, task.planes(index), valid, mixture, task.beta, rng)
    return fit(mixture, labels), emission


def _by_tiles(
    task: _Task,
    index: NDArray[np.int32],
    valid: NDArray[np.bool_],
    mixture: Mixture,
    rng: np.random.Generator,
    known: Known,
) -> tuple[FieldFit, Emission]:
    """Fit to tiles, and label all pixels by that."""
    guess = np.where(valid, (assign(mixture, task.x, np.ones(task.x.shape[1]))[0] - 1)[index], mixture.k)
    parts = choose_tiles(guess, mixture.k, SAMPLE, rng)
    del guess
    sample, _ = _whole(task, stack_tiles(index, parts), stack_tiles(valid, parts), mixture, rng, known.of_tiles(parts))
    emission = Emission(
        task.problem, task.grid(valid, index), index, keep=False, known=known, weighted=task.weighted(known)
    )
    if not mixture.family.refitted_in_field:
        emission = emission.without_grain()
    method = inference(task.method.labels_large)
    found = label_pixels(emission, sample.mixture, sample.beta, method, rng, sample.betas)
    return replace(found, free_energies=sample.free_energies), emission


def require_classes(photo: Image, k: int) -> None:
    """Raise DataError if there are more classes than a field can hold."""
    if k > potts.MOST_CLASSES:
        remedy = f"use a smaller {option('k')}, or {option('mrf', 'none')}"
        raise DataError(f"{photo.name}: a field holds up to {potts.MOST_CLASSES} classes; {remedy}")


def voxel_size(photo: Image) -> tuple[float, ...] | None:
    """Lengths of a voxel along Z, Y and X, in the unit of the file (mostly mm); None where the file does not say."""
    if "volume" not in photo.metadata:
        return None
    if "nifti" not in photo.metadata:
        told = photo.pixel_size
        return told.lengths if told and len(told.lengths) == 3 else None
    size = tuple(float(length) for length in photo.metadata["nifti"]["header"].get_zooms()[2::-1])
    return size if len(size) == 3 and all(0 < length < np.inf for length in size) else None


def _finished(emission: Emission, found: FieldFit, task: _Task, shape: tuple[int, int], named: bool) -> Smoothed:
    """Put components in canonical order, unless the user has named them, and pixels back on the grid."""
    grid, k = emission.lattice, found.mixture.k
    order = np.arange(k) if named else found.mixture.canonical_order()
    names = np.zeros(256, np.uint8)
    names[order] = np.arange(1, k + 1)
    log_f, total = emission.without_grain().log_densities_and_level(found.mixture)
    energy = potts.energy(grid, found.labels, log_f, found.beta) - total
    report = {
        "method": task.method.name if task.field.method != "none" else "none",
        "beta": found.beta,
        "sweeps": found.sweeps,
        "energy": energy,
        "neighbours": grid.neighbours,
        "contrast": task.field.contrast,
        "critical_beta": critical_beta(grid, k),
        "beta_trace": list(found.betas),
        "free_energy_trace": list(found.free_energies),
    }
    return Smoothed(
        found.mixture.permuted(order),
        grid.join(names[grid.core(found.labels)]).reshape(shape),
        grid.join(np.ascontiguousarray(found.probabilities[:, order])).reshape(k, *shape),
        report,
    )
