"""Stochastic EM: Celeux & Diebolt (1985), The SEM algorithm, Computational Statistics Quarterly 2.

S-step   z_i ~ posterior at θ_t,   S_t = Σ_i c_i T(x_i) by drawn label
M-step   θ_{t+1} = argmax_θ Σ_i c_i log π_{z_i} f_{z_i}(x_i) + log p(θ)

θ_t is a Markov chain that wanders about the maximum of the likelihood, and out of poor ones. The answer is the M-step
from the mean of S_t after the burn-in, so the last iteration is exact. Components that have changed places are put
back first: in the order that gives S_t the largest complete log-likelihood at the mixture where averaging began.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.assignments import Drawn, free_energy, seed_of
from emseg.em.convergence import Status
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record


@record(frozen=True, eq=False)
class SEMState(State[Mixture]):
    """With the number of steps so far, the scores η where averaging began and the sum of statistics since."""

    t: int = 0
    pivot: NDArray[np.float64] | None = None
    total: Stats | None = None


@record(frozen=True)
class SEM:
    """Stochastic EM.

    Attributes
    ----------
    burn_in : int
        Draws that are forgotten.
    draws : int
        Draws after those, which are averaged.
    """

    burn_in: int = 50
    draws: int = 200
    monotone = False

    def __post_init__(self) -> None:
        if self.burn_in < 0 or self.draws < 1:
            raise ValueError("burn_in must be 0 or more, and draws 1 or more")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[SEMState, Info]:
        """Labels drawn at a starting mixture."""
        state = SEMState(start, problem.e_step(start, Drawn(seed_of(rng))))
        return state, free_energy(state)

    def step(self, problem: Problem, state: SEMState, rng: np.random.Generator) -> tuple[SEMState, Info]:
        """M-step and S-step; in the end, the answer."""
        t, pivot, total, stats = state.t + 1, state.pivot, state.total, state.expectation.stats
        if t > self.burn_in:
            pivot = problem.scores(state.mixture)[0] if pivot is None else pivot
            matched = _matched(stats, pivot)
            total = total + matched if total else matched
        if total and t == self.burn_in + self.draws:
            answer = problem.m_step(total * (1 / self.draws))
            end = SEMState(answer, problem.e_step(answer), t, pivot, total)
            return end, replace(exact_info(end, 1), comparable=False, ending=Status.AVERAGED)
        mixture = problem.m_step(stats, state.mixture)
        new = SEMState(mixture, problem.e_step(mixture, Drawn(seed_of(rng))), t, pivot, total)
        return new, free_energy(new, comparable=False)


def _matched(stats: Stats, eta: NDArray[np.float64]) -> Stats:
    """The statistics with their components in the order that suits scores η (K, P) best."""
    from scipy.optimize import linear_sum_assignment

    _, order = linear_sum_assignment(-eta @ stats.t.T)
    return Stats(stats.n[order], stats.t[order])
