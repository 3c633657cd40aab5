"""Monte-Carlo EM: Wei & Tanner (1990), J. Am. Stat. Assoc. 85.

S-step   z_i1 … z_im ~ posterior at θ_t,   S_t = Σ_i c_i (1/m) Σ_j T(x_i) by drawn label
M-step   θ_{t+1} = argmax_θ of the complete log-likelihood of the draws, plus log p(θ)

A count n_k has variance Σ_i c_i r_ik (1 - r_ik) / m. With m = 1 this is stochastic EM; as m grows, which is an
annealing, it becomes EM, and its increments can be judged. Labels are drawn as multinomial counts: m costs no time.
"""

from __future__ import annotations

import numpy as np

from emseg.em.algorithm import Info, State
from emseg.em.assignments import Drawn, free_energy, seed_of
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.records import record

ENOUGH = 10**6  # draws a sample, from which on the noise of ℓ, some p / 2m, is no more than any tolerance
MOST = 10**9  # of which a billion equal samples can still be counted in 64 bits


@record(frozen=True, eq=False)
class MCEMState(State[Mixture]):
    """With the number of draws a sample that comes next, before it is rounded down."""

    m: float


@record(frozen=True)
class MCEM:
    """Monte-Carlo EM.

    Attributes
    ----------
    draws : int
        m at the start.
    growth : float
        By which m is multiplied at every step; 1 keeps it, and then only `max_iter` ends the chain.
    """

    draws: int = 1
    growth: float = 1.2
    monotone = False

    def __post_init__(self) -> None:
        if not 1 <= self.draws <= MOST or not self.growth >= 1:
            raise ValueError("draws must be from 1 to a billion, and growth 1 or more")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[MCEMState, Info]:
        """The first draws, at a starting mixture."""
        return self._draw(problem, start, rng, float(self.draws))

    def step(self, problem: Problem, state: MCEMState, rng: np.random.Generator) -> tuple[MCEMState, Info]:
        """M-step, and more draws than before."""
        return self._draw(problem, problem.m_step(state.expectation.stats, state.mixture), rng, state.m)

    def _draw(self, problem: Problem, mixture: Mixture, rng: np.random.Generator, m: float) -> tuple[MCEMState, Info]:
        state = MCEMState(mixture, problem.e_step(mixture, Drawn(seed_of(rng), int(m))), min(m * self.growth, MOST))
        return state, free_energy(state, comparable=m >= ENOUGH)
