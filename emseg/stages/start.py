"""Where a fit starts: a file, the winner of a search, or that of a search for the number of components too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from emseg.em.problem import Problem
from emseg.em.starts.tournament import search
from emseg.errors import UsageError, shown
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.options.segmentation import SegmentOptions

if TYPE_CHECKING:
    from emseg.em.starts.number_of_components import Candidate
    from emseg.regions.scene import Scene


@dataclass(frozen=True, eq=False)
class Start:
    """A mixture to start from, the E-steps it took to find, and how K was chosen (None where it was given)."""

    mixture: Mixture
    e_steps: int = 0
    selection: dict[str, Any] | None = None


def find_start(
    problem: Problem,
    image: Image,
    features: Features,
    asked: SegmentOptions,
    rng: np.random.Generator,
    view: Scene | None = None,
) -> Start:
    """The start that the options ask for; a view is what regions are compared by, if they are to be merged.

    Raises
    ------
    UsageError, DataError
        As `start_from_file`; a file does not go with a range of K.
    """
    low, high = asked.k_range
    high = min(high, features.n_distinct(high))  # of what auto offers, what is possible
    several = isinstance(asked.k, str)
    if asked.searches:
        if several:
            return ranged(problem, features, low, high, asked, rng, view, image.metadata.get("volume"))
        return searched(problem, low, asked, rng)
    if several:
        raise UsageError(f"--init {shown(asked.init)}: sets the number of components; give it, not -k {asked.k}")
    from emseg.stages.start_from_file import start_from_file

    return Start(start_from_file(asked.init, image, features, problem, asked))


def searched(problem: Problem, k: int, asked: SegmentOptions, rng: np.random.Generator) -> Start:
    """The winner of a search with K components."""
    return Start(*search(problem, k, rng, asked.init, asked.restarts))


def ranged(
    problem: Problem,
    features: Features | None,
    low: int,
    high: int,
    asked: SegmentOptions,
    rng: np.random.Generator,
    view: Scene | None = None,
    volume: tuple[int, ...] | None = None,
) -> Start:
    """The best candidate, or the winner of a full search with as many components if that has come higher.

    Without features, samples have no places, and --criterion auto is icl. A view is what regions are compared by, if
    they are to be merged; the shape of a volume is that in space.
    """
    from emseg.em.starts.number_of_components import candidates  # a fixed K does without

    given = "icl" if asked.criterion == "auto" else asked.criterion
    found, e_steps = candidates(problem, low, high, given, rng, asked.init, asked.restarts)
    facts: dict[str, Any] = {"criterion": asked.criterion}
    if asked.criterion == "auto" and features is not None:
        found, area = _spatial(found, problem, features, view, volume)
        facts["independent_area"] = area
    best = min(found, key=lambda candidate: candidate.value)
    rival = searched(problem, _k(best.mixture), asked, rng)
    higher = max(best.mixture, rival.mixture, key=lambda mixture: float(problem.e_step(mixture).objective))
    table = [
        {
            "k": _k(candidate.mixture),
            "n_parameters": candidate.mixture.n_parameters,
            "log_likelihood": candidate.log_likelihood,
            "value": candidate.value,
        }
        for candidate in found
    ]
    selection = facts | {"chosen": _k(best.mixture), "table": table}
    return Start(higher, e_steps + rival.e_steps + 2, selection)


def _spatial(
    found: list[Candidate],
    problem: Problem,
    features: Features,
    view: Scene | None,
    volume: tuple[int, ...] | None,
) -> tuple[list[Candidate], float]:
    """Candidates judged as labels of an image, and how many pixels an independent sample takes.

    With a view, by how long the shortest description by regions is; else by icl of as many samples as are independent:
    -2 (ℓ + Σ log max r) / A + p log(N / A).
    """
    from emseg.regions.scene import lengths, sample_area  # a fixed K does without

    if view is not None:
        nats, area = lengths([candidate.mixture for candidate in found], features, view)
        return [replace(candidate, value=2 * length) for candidate, length in zip(found, nats, strict=True)], area
    area = min(sample_area(features, found[-1].mixture, volume), problem.n)
    judged = []
    for candidate in found:
        p = candidate.mixture.n_parameters
        value = (candidate.value - p * log(problem.n)) / area + p * log(problem.n / area)
        judged.append(replace(candidate, value=value))
    return judged, area


def _k(mixture: Mixture) -> int:
    """Components, the noise left out."""
    return mixture.n_classes
