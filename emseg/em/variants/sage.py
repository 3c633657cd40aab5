"""Component-wise EM: Celeux, Chrétien, Forbes & Mkhadri (2001), JCGS 10; after Fessler & Hero's SAGE.

For each component k in turn: an E-step at the newest θ, then

π_k = n_k / N,   π_j ← π_j (1 - n_k / N) / (1 - π_k)   for j ≠ k,   μ_k and Σ_k by the M-step

The other components keep their proportions, so the hidden data of a sub-step are only "k or not k": they hide less than
EM's, which makes it faster, and π is a distribution after every sub-step, which makes ℓ + log p rise in each of them.
What covariances share is updated in each sub-step, given the means of the others. A sweep costs K E-steps.
"""

from __future__ import annotations

import numpy as np

from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import EMPTY, Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record


@record(frozen=True)
class SAGE:
    """One component at a time."""

    monotone = True

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """The state at a starting mixture."""
        state = State(start, problem.e_step(start))
        return state, exact_info(state, 1)

    def step(self, problem: Problem, state: State[Mixture], rng: np.random.Generator) -> tuple[State[Mixture], Info]:
        """One sweep, darkest component first: an order that does not depend on how components are numbered."""
        for k in state.mixture.canonical_order():
            mixture = self._update(problem, state, int(k))
            state = State(mixture, problem.e_step(mixture))
        return state, exact_info(state, state.mixture.k)

    def _update(self, problem: Problem, state: State[Mixture], k: int) -> Mixture:
        """θ with component k improved."""
        stats, family = state.expectation.stats, problem.family
        t = family.holding_locations(stats, state.mixture.components).t.copy()
        t[k] = stats.t[k]
        best = problem.m_step(Stats(stats.n, t), state.mixture).components
        weights = state.mixture.weights.copy()
        weights[k] = 0
        share = min(max(stats.n[k] / problem.n, EMPTY), 1 - EMPTY) if len(weights) > 1 else 1.0
        weights *= (1 - share) / max(float(weights.sum()), EMPTY)
        weights[k] = share
        return Mixture(weights, state.mixture.components.updated(best, k, family.shared), family)
