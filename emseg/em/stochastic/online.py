"""Stepwise EM: Cappé & Moulines (2009), On-line expectation-maximization algorithm for latent data models, JRSS B 71.

S ← (1 - γ_t) S + γ_t N/|B_t| Σ_{i in B_t} r_i(θ) T(x_i),   γ_t = (t + t0)^-alpha,   θ = argmax_θ from S

for one minibatch B_t of samples after the other. A minibatch is drawn by count, one sample from each of equal shares of
the rows, so that a row of weight 7 comes seven times as often. A pass draws as many as there are rows. One iteration is
a pass and the E-step that evaluates its end for the log: two E-steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.convergence import Status
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record


@record(frozen=True, eq=False)
class OnlineState(State[Mixture]):
    """With the running statistics, and the passes and minibatches so far."""

    stats: Stats
    passes: int = 0
    t: int = 0


@record(frozen=True)
class Online:
    """Stepwise EM over minibatches.

    Attributes
    ----------
    batch : int
        Rows in a minibatch.
    passes : int
        Passes over the data.
    alpha : float
        How fast γ falls, above ½ and at most 1.
    t0 : float
        Delays its fall, 0 or more.
    """

    batch: int = 256
    passes: int = 10
    alpha: float = 0.7
    t0: float = 2.0
    monotone = False

    def __post_init__(self) -> None:
        if self.batch < 1 or self.passes < 1:
            raise ValueError("batch and passes must be 1 or more")
        if not (0.5 < self.alpha <= 1 and 0 <= self.t0 < np.inf):
            raise ValueError("alpha must be above 0.5 and at most 1, and t0 0 or more")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[OnlineState, Info]:
        """The statistics at a starting mixture."""
        expectation = problem.e_step(start)
        state = OnlineState(start, expectation, expectation.stats)
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: OnlineState, rng: np.random.Generator) -> tuple[OnlineState, Info]:
        """A pass, and ℓ at its end."""
        rows, stats, mixture = problem.samples, state.stats, state.mixture
        batches = -(-rows.n_rows // self.batch)
        size = -(-rows.n_rows // batches)
        for t in range(state.t + 1, state.t + 1 + batches):
            part = replace(problem, samples=rows.draw(size, rng))
            gamma = (t + self.t0) ** -self.alpha
            stats = (1 - gamma) * stats + gamma * part.e_step(mixture).stats
            mixture = problem.m_step(stats, mixture)
        passes = state.passes + 1
        new = OnlineState(mixture, problem.e_step(mixture), stats, passes, state.t + batches)
        ending = Status.PASSED if passes == self.passes else None
        return new, replace(exact_info(new, 2), comparable=False, ending=ending)
