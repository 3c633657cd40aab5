"""Multi-cycle ECM: Meng & Rubin (1993), Maximum likelihood estimation via the ECM algorithm, Biometrika 80.

E-step, CM-step 1   π_k = n_k / N,   μ_k = argmax Q given the other parameters: weighted means of the samples
E-step, CM-step 2   Σ_k = argmax Q given the means: scatter about μ_k, plus the penalty

and so on for the parts that a family's parameters have: shapes for gamma, concentrations for von Mises, degrees of
freedom for Student. Each cycle's responsibilities are those of the newest parameters, so an iteration costs an E-step a
part and often does more than as many of EM. Each cycle raises Q for its own E-step, so ℓ + log p never falls.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import Problem
from emseg.errors import UsageError, option
from emseg.mixture.mixture import Mixture
from emseg.records import record


@record(frozen=True)
class ECM:
    """Expectation, then conditional maximisation; once for every part of the parameters."""

    monotone = True

    def evaluate(self, problem: Problem, mixture: Mixture) -> State[Mixture]:
        """The E-step at θ."""
        return State(mixture, problem.e_step(mixture))

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """The state at a starting mixture."""
        if len(problem.family.free) == 1:
            raise UsageError(
                f"{option('algorithm', 'ecm')}: {problem.family.name} has one part to maximise; "
                f"use {option('algorithm', 'em')}"
            )
        state = self.evaluate(problem, start)
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: State[Mixture], rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """A cycle for every part; the first one also finds the weights."""
        parts = problem.family.free
        mixture = replace(state.mixture, weights=problem.weights(state.expectation.stats))
        for part in parts:
            mixture = problem.conditional(part, state.expectation.stats, mixture)
            state = self.evaluate(problem, mixture)
        return state, exact_info(state, len(parts))
