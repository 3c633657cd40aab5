"""Where a fit starts: at the winner of a search, with K given or chosen from a range."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from emseg.em.problem import Problem
from emseg.em.starts.tournament import search
from emseg.errors import DataError, option
from emseg.execution import steps
from emseg.features.model import Features
from emseg.mixture.mixture import Mixture
from emseg.options.kinds.text_kinds import k_range
from emseg.records import NamedRecord, replace

if TYPE_CHECKING:
    from emseg.em.starts.number_of_components import Candidate
    from emseg.regions.described_image import DescribedImage


#: Share of the pixels that hot ones are at most. Sensors have some in a hundred thousand; salt on a drawing is more.
MOST = 0.001
#: Distance from a class, in its standard deviations, from which on a pixel is far from it. Of a hundred million pixels
#: of a Gaussian with three features, none is farther than 7.
FAR = 8.0


class Start(NamedRecord):
    """A mixture to start from, and how it was found.

    Attributes
    ----------
    mixture : Mixture
    e_steps : int
        E-steps that the search took.
    selection : dict or None
        How K was chosen, as the report has it; None where it was given.
    """

    mixture: Mixture
    e_steps: int = 0
    selection: dict[str, Any] | None = None

    @property
    def independent_area(self) -> float | None:
        """Pixels that one independent sample takes, if the choice of K has measured it."""
        return (self.selection or {}).get("independent_area")


def searched_start(
    problem: Problem,
    rng: np.random.Generator,
    *,
    k: int | str,
    most: int,
    criterion: str,
    init: str,
    restarts: int,
    features: Features | None = None,
    description: DescribedImage | None = None,
    volume: tuple[int, ...] | None = None,
) -> Start:
    """The winner of a search, with K components or the best number of a range.

    Parameters
    ----------
    problem : Problem
    rng : numpy.random.Generator
    k : int or str
        Number of components, or a range.
    most : int
        Largest number of components that the samples allow; a range ends there.
    criterion : str
        What chooses from a range, see `emseg.em.starts.number_of_components`. ``"auto"`` looks at the places of the
        samples.
    init : {"auto", "kmeans++", "random"}
    restarts : int
        Number of starts; 0 leaves it to emseg.
    features : Features, optional
        Where the samples lie in the image; without, samples have no places, and ``"auto"`` is ``"icl"``.
    description : DescribedImage, optional
        What regions are compared by, if they are to be merged.
    volume : tuple of int, optional
        Shape of a volume, whose slices lie below one another.

    Raises
    ------
    DataError
        If components of the family cannot be told from points.
    """
    with sound_start(problem):
        steps.step("looking for a start")
        low, high = k_range(k)
        if not isinstance(k, str):
            return Start(*search(problem, low, rng, init, restarts))
        from emseg.em.starts.number_of_components import candidates  # a fixed K does without

        given = "icl" if criterion == "auto" else criterion
        found, e_steps = candidates(problem, low, min(high, most), given, rng, init, restarts)
        area: dict[str, Any] = {}
        in_noise = False
        if criterion == "auto" and features is not None:
            found, area["independent_area"], in_noise = _judged_in_place(
                found, problem, features, description, volume, rng
            )
        best = min(found, key=lambda candidate: candidate.value)
        higher = best.mixture
        if not in_noise:  # where the likeliest mixture of the values need not be that of the classes
            rival, cost = search(problem, best.mixture.n_classes, rng, init, restarts)
            higher = max(best.mixture, rival, key=lambda mixture: float(problem.e_step(mixture).objective))
            e_steps += cost + 2
        table = [
            {
                "k": candidate.mixture.n_classes,
                "n_parameters": candidate.mixture.n_parameters,
                "log_likelihood": candidate.log_likelihood,
                "value": candidate.value,
            }
            for candidate in found
        ]
        selection = {"criterion": criterion, **area, "chosen": best.mixture.n_classes, "table": table}
        return Start(higher, e_steps, selection)


@contextmanager
def sound_start(problem: Problem) -> Iterator[None]:
    """Turn a start that has no density into one line.

    Raises
    ------
    DataError
        In the place of what linear algebra raises.
    """
    try:
        yield
    except np.linalg.LinAlgError as error:
        if problem.family.location_scale:
            raise DataError(f"a start has a component without extent; give a {option('floor')} above 0") from error
        remedy = f"use {option('family', 'gaussian')}, or take off what all values have in common"
        line = f"values differ too little beside their distance from 0 for components of {problem.family.name}"
        raise DataError(f"{line}; {remedy}") from error


class _InPlace(NamedRecord):
    """Candidates judged as labels of an image.

    Attributes
    ----------
    candidates : list of Candidate
    area : float
        A, the pixels that one independent sample takes.
    in_noise : bool
        Whether the image is one of classes in white noise.
    """

    candidates: list[Candidate]
    area: float
    in_noise: bool = False


def _judged_in_place(
    found: list[Candidate],
    problem: Problem,
    features: Features,
    description: DescribedImage | None,
    volume: tuple[int, ...] | None,
    rng: np.random.Generator,
) -> _InPlace:
    """Candidates judged as labels of an image.

    With a description, the value is the length of the shortest one by regions. Without, and in white noise, it is that
    of `choice_in_noise`, whose mixtures the candidates then have. Else it is icl of as many samples as are independent:
    -2 (ℓ + Σ log max r) / A + p log(N / A), for p parameters and N pixels.
    """
    from emseg.regions.described_image import description_lengths, independent_area_of_mixture  # a fixed K does without

    mixtures = [candidate.mixture for candidate in found]
    if description is not None:
        nats, area = description_lengths(mixtures, features, description)
        judged = [replace(candidate, value=2 * length) for candidate, length in zip(found, nats, strict=True)]
        return _InPlace(judged, area)
    from emseg.stages.noisy_classes import choice_in_noise

    seen = choice_in_noise(mixtures, problem, features, volume, rng)
    if seen is not None:
        told = zip(found, seen.mixtures, seen.values, strict=True)
        judged = [replace(candidate, mixture=mixture, value=value) for candidate, mixture, value in told]
        return _InPlace(judged, seen.area, in_noise=True)
    area, judged = min(independent_area_of_mixture(features, mixtures[-1], volume), problem.n), []
    for candidate in found:
        p = candidate.mixture.n_parameters
        value = (candidate.value - p * log(problem.n)) / area + p * log(problem.n / area)
        judged.append(replace(candidate, value=value))
    return _InPlace(judged, area)


def may_be_hot(features: Features, mixture: Mixture) -> bool:
    """Whether pixels may be far from all classes, or a class may hold next to none, as the ends of the values tell."""
    if features.x.shape[1] <= mixture.k:  # a class for each value, as is asked for
        return False
    if float(mixture.weights.min()) < MOST:
        return True
    means, spread = mixture.components.means, FAR * np.sqrt(np.einsum("kdd->kd", mixture.components.covariances))
    x = features.x
    return bool((x.max(1) > (means + spread).max(0)).any() or (x.min(1) < (means - spread).min(0)).any())
