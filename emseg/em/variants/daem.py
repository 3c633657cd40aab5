"""Deterministic annealing EM: Ueda & Nakano (1998), Deterministic annealing EM algorithm, Neural Networks 11.

E-step   q_ik ∝ (π_k f_k(x_i))^β,   S = Σ_i c_i q_ik T(x_i)
M-step   as in EM

At each β both steps raise Σ_ik c_i q_ik log π_k f_k(x_i) + H(q)/β + log p(θ), the negative of the paper's free energy,
which for β < 1 is smoother than the likelihood. β grows by a factor every few steps until it is 1: EM, from where
annealing has led, and the only β at which the fit may stop. A start in a poor basin can so be left; components that a
low β has merged do not always part again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.algorithm import Info, State, bound_info, exact_info
from emseg.em.assignments import Tempered
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.records import record


@record(frozen=True, eq=False)
class DAEMState(State[Mixture]):
    """With the inverse temperature, the steps taken at it, and whether they have been enough."""

    beta: float
    taken: int
    objective: float
    settled: bool


@record(frozen=True)
class DAEM:
    """EM by way of flatter likelihoods.

    Attributes
    ----------
    beta : float
        First inverse temperature, above 0; 1 is EM.
    rate : float
        By which it is multiplied, above 1.
    steps : int
        Most steps at one temperature; fewer where they gain nothing.
    """

    beta: float = 0.7
    rate: float = 1.2
    steps: int = 10
    monotone = True

    def __post_init__(self) -> None:
        if not (0 < self.beta <= 1 and self.rate > 1 and self.steps >= 1):
            raise ValueError("beta must be above 0 and at most 1, rate above 1, and steps 1 or more")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[DAEMState, Info]:
        """The state at a starting mixture and the first temperature."""
        return self._anneal(problem, start, self.beta)

    def step(self, problem: Problem, state: DAEMState, rng: np.random.Generator) -> tuple[DAEMState, Info]:
        """M-step, and E-step at this temperature or the next."""
        mixture = problem.m_step(state.expectation.stats, state.mixture)
        if state.beta < 1 and state.settled:
            new, info = self._anneal(problem, mixture, min(state.beta * self.rate, 1.0))
            return new, replace(info, comparable=False)
        return self._anneal(problem, mixture, state.beta, state)

    def _anneal(
        self, problem: Problem, mixture: Mixture, beta: float, last: DAEMState | None = None
    ) -> tuple[DAEMState, Info]:
        expectation = problem.e_step(mixture, Tempered(beta) if beta < 1 else None)
        taken = last.taken + 1 if last else 0
        if beta == 1:
            state = DAEMState(mixture, expectation, beta, taken, float(expectation.objective), True)
            return state, exact_info(state, 1)
        energy = float(expectation.complete + expectation.entropy / beta + expectation.log_prior)
        settled = taken == self.steps or (last is not None and energy - last.objective <= expectation.rounding)
        state = DAEMState(mixture, expectation, beta, taken, energy, bool(settled))
        return state, replace(bound_info(state, energy, 1), comparable=False)
