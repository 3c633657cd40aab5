"""Classification EM: Celeux & Govaert (1992), A classification EM algorithm for clustering, CSDA 14.

C-step   z_i = argmax_k π_k f_k(x_i),   S = Σ_i c_i T(x_i) by label
M-step   θ' = argmax_θ Σ_i c_i log π_{z_i} f_{z_i}(x_i) + log p(θ)

Both raise the classification likelihood Σ_i c_i log π_{z_i} f_{z_i}(x_i) + log p(θ), so it never falls, and as labels
are finitely many it stops rising. With equal weights and one spherical covariance this is Lloyd's k-means.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.algorithm import Info, State
from emseg.em.assignments import Hard, free_energy
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.records import record


@record(frozen=True)
class CEM:
    """Classification EM.

    Attributes
    ----------
    equal_weights : int
        1 to hold every π_k at 1/K, 0 to estimate them.
    """

    equal_weights: int = 0
    monotone = True

    def __post_init__(self) -> None:
        if self.equal_weights not in (0, 1):
            raise ValueError("equal_weights must be 0 or 1")

    def evaluate(self, problem: Problem, mixture: Mixture) -> State[Mixture]:
        """The C-step at θ."""
        if self.equal_weights:
            mixture = replace(mixture, weights=np.full(mixture.k, 1 / mixture.k))
        return State(mixture, problem.e_step(mixture, Hard()))

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """The labels at a starting mixture."""
        state = self.evaluate(problem, start)
        return state, free_energy(state)

    def step(self, problem: Problem, state: State[Mixture], rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """M-step and C-step."""
        return self.init(problem, problem.m_step(state.expectation.stats, state.mixture), rng)
