"""E-steps at places that an accelerator tries, where there may be no mixture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import FixedPoint, State
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture

Base = FixedPoint[Problem, Mixture]  #: an iteration that can be accelerated


def trial(base: Base, problem: Problem, mixture: Mixture) -> State[Mixture] | None:
    """The E-step at a mixture; None where the mixture is singular."""
    with np.errstate(all="ignore"):
        try:
            state = base.evaluate(problem, mixture)
        except np.linalg.LinAlgError:
            return None
    return state if np.isfinite(state.expectation.objective) else None


def trial_at(base: Base, problem: Problem, like: Mixture, theta: NDArray[np.float64]) -> State[Mixture] | None:
    """The E-step at an predicted_fixed_point θ; None where θ overflows or its mixture is singular.

    Parameters
    ----------
    base : FixedPoint
    problem : Problem
    like : Mixture
        Any mixture of the family and with the K of θ.
    theta : ndarray, shape (p,)
    """
    with np.errstate(all="ignore"):
        try:
            mixture = like.unpack(theta)
        except np.linalg.LinAlgError:
            return None
    return trial(base, problem, mixture)
