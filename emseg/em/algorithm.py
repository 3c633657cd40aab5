"""What an EM variant is: a start, a step, and the two values they hand over.

A variant writes its mathematics and nothing else; the loop, the log and the stopping rule stand in `fit`. `State` is
what the next step needs, `Info` what the log wants. Both are frozen, and randomness enters through the Generator that
is passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Status
from emseg.em.problem import Expectation, Problem
from emseg.mixture.mixture import Mixture


@dataclass(frozen=True, eq=False)
class State:
    """A mixture θ and the E-step at it, from which the next M-step starts."""

    mixture: Mixture
    expectation: Expectation


@dataclass(frozen=True)
class Info:
    """One log row's numbers, in nats summed over samples: log_likelihood = elbo + kl; objective is what is climbed.

    `e_steps` counts the E-steps of this step alone, rejected ones included. The objective is `comparable` with that of
    the row before unless either was drawn or they are different functions; the stopping rule looks at runs of rows that
    are. An algorithm with a schedule may also name its own `ending`.
    """

    objective: float
    log_likelihood: float
    elbo: float
    kl: float
    e_steps: int
    comparable: bool = True
    ending: Status | None = None


class Algorithm(Protocol):
    """A member of the EM family.

    Attributes
    ----------
    monotone : bool
        Whether the objective must never fall; `fit` checks it at every step.
    """

    monotone: bool

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        """The state at a starting mixture."""

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        """One iteration."""


class FixedPoint(Algorithm, Protocol):
    """An algorithm that iterates a map θ → Φ(θ) and can therefore be accelerated."""

    def evaluate(self, problem: Problem, mixture: Mixture) -> State:
        """The E-step at θ."""

    def update(self, problem: Problem, state: State) -> Mixture:
        """Φ(θ), without an E-step at the new point."""

    def posed(self, problem: Problem, k: int) -> Problem:
        """The problem that K components climb: with the prior, where the iteration brings one along."""
        return problem

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        """The state at a starting mixture."""
        state = self.evaluate(problem, start)
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        """θ ← Φ(θ)."""
        return self.init(problem, self.update(problem, state), rng)


def jump(base: FixedPoint, problem: Problem, like: Mixture, theta: NDArray[np.float64]) -> State | None:
    """The E-step at an extrapolated θ; None where θ overflows or its mixture is singular."""
    with np.errstate(all="ignore"):
        try:
            mixture = like.unpack(theta)
        except np.linalg.LinAlgError:
            return None
    return landing(base, problem, mixture)


def landing(base: FixedPoint, problem: Problem, mixture: Mixture) -> State | None:
    """The E-step at a mixture that may be singular: then, None."""
    with np.errstate(all="ignore"):
        try:
            state = base.evaluate(problem, mixture)
        except np.linalg.LinAlgError:
            return None
    return state if np.isfinite(state.expectation.objective) else None


def exact_info(state: State, e_steps: int) -> Info:
    """The log row after an exact E-step: responsibilities are the posterior, so KL is zero and the bound is tight."""
    log_likelihood = float(state.expectation.log_likelihood)
    return Info(float(state.expectation.objective), log_likelihood, log_likelihood, 0.0, e_steps)


def bound_info(state: State, objective: float, e_steps: int) -> Info:
    """The log row after an E-step that stopped short of the posterior, drew from it or sharpened it."""
    log_likelihood, elbo = float(state.expectation.log_likelihood), float(state.expectation.elbo)
    if 0 < elbo - log_likelihood <= state.expectation.rounding:  # the bound cannot be above what it bounds
        elbo = log_likelihood
    return Info(objective, log_likelihood, elbo, max(log_likelihood - elbo, 0.0), e_steps)  # rounding
