"""Q(θ′ | θ), the expected complete log-likelihood plus the penalty, from the statistics alone: no pass over samples.

By Fisher's identity the gradient of ℓ + log p at θ is that of Q(· | θ) there, so its component along a direction costs
no E-step either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import State
from emseg.em.kernel import all_log_density
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats

NUDGE = 0.045  # change of the coordinate that changes most: large, since rounding is divided by it
WEIGHTS = (672, -168, 32, -3)  # of the differences at one to four nudges: exact for polynomials of eighth degree


def expected(problem: Problem, mixture: Mixture, stats: Stats) -> float:
    """Q at a mixture, but for a constant; -inf where it is singular or overflows."""
    with np.errstate(all="ignore"):
        try:
            eta, log_prior = problem.scores(mixture)
        except np.linalg.LinAlgError:
            return -np.inf
        value = float(all_log_density(eta, mixture.weights, stats) + log_prior)
    return value if np.isfinite(value) else -np.inf


def slope(problem: Problem, state: State[Mixture], direction: NDArray[np.float64]) -> float:
    """Derivative of ℓ + log p at the state's θ along a direction; not finite where θ has singular neighbours."""
    theta, stats = state.mixture.pack(), state.expectation.stats
    h = NUDGE / max(float(np.abs(direction).max()), np.finfo(float).tiny)
    with np.errstate(all="ignore"):
        rises = (
            expected(problem, state.mixture.unpack(theta + step * h * direction), stats)
            - expected(problem, state.mixture.unpack(theta - step * h * direction), stats)
            for step in (1, 2, 3, 4)
        )
        return sum(weight * rise for weight, rise in zip(WEIGHTS, rises, strict=True)) / (840 * h)
