"""Multi-cycle ECM: Meng & Rubin (1993), Maximum likelihood estimation via the ECM algorithm, Biometrika 80.

E-step, CM-step 1   π_k = n_k / N,   μ_k = Σ_i c_i r_ik x_i / n_k                 given the covariances
E-step, CM-step 2   Σ_k = argmax Q given the means: scatter about μ_k, plus the penalty

The second cycle's responsibilities are those of the new means, so an iteration costs two E-steps and often does more
than two of EM. Each cycle raises Q for its own E-step, so ℓ + log p never falls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from emseg.em.base import Info, State, exact_info
from emseg.em.conditional import pinned
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture


@dataclass(frozen=True)
class ECM:
    """Expectation, then conditional maximisation; twice."""

    monotone = True

    def evaluate(self, problem: Problem, mixture: Mixture) -> State:
        """The E-step at θ."""
        return State(mixture, problem.e_step(mixture))

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        """The state at a starting mixture."""
        state = self.evaluate(problem, start)
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        """Two cycles."""
        free = problem.m_step(state.expectation.stats, state.mixture)
        covariances = state.mixture.components.covariances
        moved = replace(free, components=replace(free.components, covariances=covariances))
        stats = pinned(problem.e_step(moved).stats, moved.components.means)
        covariances = problem.m_step(stats, moved).components.covariances
        new = self.evaluate(problem, replace(moved, components=replace(moved.components, covariances=covariances)))
        return new, exact_info(new, 2)
