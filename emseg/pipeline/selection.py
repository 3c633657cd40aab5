"""Where a fit starts: a file, the winner of a search, or that of a search for the number of components too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from emseg.em.problem import Problem
from emseg.em.search import search
from emseg.errors import UsageError, shown
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.pipeline.options import SegmentOptions


@dataclass(frozen=True, eq=False)
class Start:
    """A mixture to start from, the E-steps it took to find, and how K was chosen (None where it was given)."""

    mixture: Mixture
    e_steps: int = 0
    selection: dict[str, Any] | None = None


def find_start(
    problem: Problem, image: Image, features: Features, asked: SegmentOptions, rng: np.random.Generator
) -> Start:
    """The start that the options ask for.

    Raises
    ------
    UsageError, DataError
        As `start_from_file`; a file does not go with a range of K.
    """
    low, high = asked.k_range
    high = min(high, features.n_distinct(high))  # of what auto offers, what is possible
    several = isinstance(asked.k, str)
    if asked.searches:
        return ranged(problem, low, high, asked, rng) if several else searched(problem, low, asked, rng)
    if several:
        raise UsageError(f"--init {shown(asked.init)}: sets the number of components; give it, not -k {asked.k}")
    from emseg.pipeline.start import start_from_file

    return Start(start_from_file(asked.init, image, features, problem, asked))


def searched(problem: Problem, k: int, asked: SegmentOptions, rng: np.random.Generator) -> Start:
    """The winner of a search with K components."""
    return Start(*search(problem, k, rng, asked.init, asked.restarts))


def ranged(problem: Problem, low: int, high: int, asked: SegmentOptions, rng: np.random.Generator) -> Start:
    """The best candidate, or the winner of a full search with as many components if that has come higher."""
    from emseg.em.selection import candidates  # a fixed K does without

    found, e_steps = candidates(problem, low, high, asked.criterion, rng, asked.init, asked.restarts)
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
    selection = {"criterion": asked.criterion, "chosen": _k(best.mixture), "table": table}
    return Start(higher, e_steps + rival.e_steps + 2, selection)


def _k(mixture: Mixture) -> int:
    """Components, the noise left out."""
    return mixture.k - mixture.family.noisy
