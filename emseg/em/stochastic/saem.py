"""Simulated annealing and stochastic approximation EM: between EM, which stays in its basin, and SEM, which does not.

form=celeux-diebolt (Celeux & Diebolt 1992, Stochastics and Stochastics Reports 41):
    S_t = (1 - γ_t) E[S | θ_t] + γ_t S(z_t),   γ_t = 1 for `hold` steps, falling to 0 in `steps` more, then EM
form=robbins-monro (Delyon, Lavielle & Moulines 1999, Annals of Statistics 27):
    S_t = S_{t-1} + γ_t (S(z_t) - S_{t-1}),   γ_t = 1 for `hold` steps, then j^-exponent for j = 1 … `steps`

θ_{t+1} is the M-step from S_t in both. The first ends where EM does, by the same rule; the second is an average of
draws with decreasing weights, and its last iteration evaluates the answer exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.assignments import Blended, Drawn, free_energy, seed_of
from emseg.em.convergence import Status
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record

FORMS = ("celeux-diebolt", "robbins-monro")


@record(frozen=True, eq=False)
class SAEMState(State[Mixture]):
    """With the number of steps so far, and the statistics of the next M-step."""

    stats: Stats
    t: int = 0


@record(frozen=True)
class SAEM:
    """EM with a share of randomness that falls to zero.

    Attributes
    ----------
    form : {"celeux-diebolt", "robbins-monro"}
    hold : int
        Steps of plain SEM at first.
    steps : int
        Steps in which γ falls; 0 for none.
    exponent : float
        How fast it falls in the Robbins-Monro form, above ½ and at most 1.
    """

    form: str = "celeux-diebolt"
    hold: int = 10
    steps: int = 100
    exponent: float = 0.7
    monotone = False

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"form must be {' or '.join(FORMS)}")
        if min(self.hold, self.steps) < 0 or not 0.5 < self.exponent <= 1:
            raise ValueError("hold and steps must be 0 or more, and exponent above 0.5 and at most 1")

    def gamma(self, t: int) -> float:
        """γ_t, from t = 0 on."""
        j = t - self.hold + 1
        if j <= 0:
            return 1.0
        return max(1 - j / (self.steps + 1), 0.0) if self.form == FORMS[0] else float(j**-self.exponent)

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[SAEMState, Info]:
        """The first statistics, at a starting mixture."""
        return self._respond(problem, start, rng, 0, None)

    def step(self, problem: Problem, state: SAEMState, rng: np.random.Generator) -> tuple[SAEMState, Info]:
        """M-step from S_t, and S_{t+1}."""
        t, mixture = state.t + 1, problem.m_step(state.stats, state.mixture)
        if self.form == FORMS[1] and t == self.hold + self.steps + 1:
            expectation = problem.e_step(mixture)
            end = SAEMState(mixture, expectation, expectation.stats, t)
            return end, replace(exact_info(end, 1), comparable=False, ending=Status.AVERAGED)
        return self._respond(problem, mixture, rng, t, state.stats)

    def _respond(
        self, problem: Problem, mixture: Mixture, rng: np.random.Generator, t: int, last: Stats | None
    ) -> tuple[SAEMState, Info]:
        gamma = self.gamma(t)
        if self.form == FORMS[1]:
            expectation = problem.e_step(mixture, Drawn(seed_of(rng)))
            fresh = expectation.stats
            stats = fresh if last is None or gamma == 1 else (1 - gamma) * last + gamma * fresh
            state = SAEMState(mixture, expectation, stats, t)
            return state, free_energy(state, comparable=False)
        expectation = problem.e_step(mixture, Blended(seed_of(rng), gamma) if gamma else None)
        state = SAEMState(mixture, expectation, expectation.stats, t)
        if gamma:
            return state, free_energy(state, comparable=False)
        return state, replace(exact_info(state, 1), comparable=t > 0 and not self.gamma(t - 1))
