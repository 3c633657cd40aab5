"""Generalised EM: Dempster, Laird & Rubin (1977), section 3; Salakhutdinov & Roweis (2003) for the growing step.

θ' = θ + ρ (Φ(θ) - θ)   with   Q(θ' | θ) ≥ Q(θ | θ),   Q the expected complete log-likelihood plus the penalty

Any such θ' raises ℓ + log p as well, since the bound that Q belongs to touches it at θ. Where Q is quadratic, it does
not fall up to ρ = 2, and a step beyond the M-step's gets on faster along directions in which EM crawls. So ρ grows
after every step and is halved until Q agrees. Q needs no samples, only their statistics: each step costs one E-step.
"""

from __future__ import annotations

import numpy as np

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import Problem
from emseg.em.q_function import q_value
from emseg.mixture.mixture import Mixture
from emseg.records import record

HALVINGS = 4


@record(frozen=True, eq=False)
class GEMState(State[Mixture]):
    """With the step ρ that is tried next."""

    rho: float = 1.0


@record(frozen=True)
class GEM:
    """Generalised EM along the M-step's direction.

    Attributes
    ----------
    start : float
        ρ of the first step; 1 is the M-step, less falls short of it.
    growth : float
        Factor on ρ after each step; with growth=1, ρ stays at or below its start.
    """

    start: float = 1.0
    growth: float = 1.1
    monotone = True

    def __post_init__(self) -> None:
        if not (0 < self.start < 2 and 1 <= self.growth <= 2):
            raise ValueError("start must lie between 0 and 2, growth from 1 to 2")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[GEMState, Info]:
        """The state at a starting mixture."""
        return self._at(problem, start, self.start)

    def step(self, problem: Problem, state: GEMState, rng: np.random.Generator) -> tuple[GEMState, Info]:
        """The longest of the steps ρ, ρ/2, … that does not lower Q; the M-step where rounding hides that."""
        here, stats, rho = state.mixture, state.expectation.stats, state.rho
        theta = here.pack()
        best = problem.m_step(stats, here)
        direction = best.pack() - theta
        least = q_value(problem, here, stats)
        for _ in range(HALVINGS):
            with np.errstate(over="ignore"):
                there = here.unpack(theta + rho * direction)
            if q_value(problem, there, stats) >= least:
                return self._at(problem, there, self.growth * rho)
            rho /= 2
        return self._at(problem, best, self.start)

    def _at(self, problem: Problem, mixture: Mixture, rho: float) -> tuple[GEMState, Info]:
        state = GEMState(mixture, problem.e_step(mixture), rho)
        return state, exact_info(state, 1)
