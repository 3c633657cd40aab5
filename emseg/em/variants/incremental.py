"""Incremental EM: Neal & Hinton (1998), A view of the EM algorithm that justifies incremental and other variants.

S = Σ_b S_b over blocks of rows, each with the statistics and entropy of its own assignment q_b. To visit block b is

E-step   q_b = posterior of the block's rows at θ,   S ← S + new S_b - old S_b
M-step   θ = argmax_θ from S

An M-step follows every block, so later blocks see what earlier ones have taught. The bound
F(q, θ) = Σ_ik c_i q_ik log π_k f_k(x_i) + H(q), plus log p(θ), never falls. A step visits every block and then
evaluates ℓ for the log, block by block; these posteriors are where the next step begins, with one M-step for all. It
costs two E-steps, or one where there is but one block: that is EM.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np

from emseg.em.algorithm import Info, State, bound_info, exact_info
from emseg.em.expectation import Expectation
from emseg.em.kernel import all_log_density
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.records import record


@record(frozen=True, eq=False)
class IncrementalState(State[Mixture]):
    """With the blocks, and the E-step of each at θ."""

    blocks: tuple[Problem, ...]
    found: tuple[Expectation, ...]


@record(frozen=True)
class Incremental:
    """EM block by block.

    Attributes
    ----------
    blocks : int
        Number of blocks; every so many-th row belongs to one.
    """

    blocks: int = 10
    monotone = True

    def __post_init__(self) -> None:
        if self.blocks < 1:
            raise ValueError("blocks must be 1 or more")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[IncrementalState, Info]:
        """All blocks at a starting mixture."""
        state = self._evaluate(problem, start, _split(problem, self.blocks))
        return state, exact_info(state, 1)

    def step(
        self, problem: Problem, state: IncrementalState, rng: np.random.Generator
    ) -> tuple[IncrementalState, Info]:
        """A visit to every block, and ℓ."""
        total, entropies = state.expectation.stats, [float(one.entropy + one.hidden) for one in state.found]
        mixture = problem.m_step(total, state.mixture)
        if len(state.blocks) == 1:
            new = self._evaluate(problem, mixture, state.blocks)
            return new, exact_info(new, 1)
        for b, (block, old) in enumerate(zip(state.blocks, state.found, strict=True)):
            fresh = block.e_step(mixture)
            total, entropies[b] = total + fresh.stats + -1.0 * old.stats, float(fresh.entropy + fresh.hidden)
            mixture = problem.m_step(total, mixture)
        eta, log_prior = problem.scores(mixture)
        elbo = all_log_density(eta, problem.tilted(mixture).weights, total) + sum(entropies) + problem.shift
        new = self._evaluate(problem, mixture, state.blocks)
        # The statistics were summed in two additions a block, and each may round once more.
        rounding = new.expectation.rounding * (1 + len(state.blocks) / 4)
        new = replace(new, expectation=replace(new.expectation, rounding=rounding))
        return new, bound_info(new, float(elbo + log_prior), 2, float(elbo))

    def _evaluate(self, problem: Problem, mixture: Mixture, blocks: tuple[Problem, ...]) -> IncrementalState:
        found = tuple(block.e_step(mixture) for block in blocks)
        whole = replace(reduce(add, found), log_prior=problem.scores(mixture)[1])  # its floor counts all samples
        return IncrementalState(mixture, whole, blocks, found)


def _split(problem: Problem, blocks: int) -> tuple[Problem, ...]:
    count = min(blocks, problem.samples.n_rows)
    if count == 1:
        return (problem,)
    return tuple(replace(problem, samples=lot) for lot in problem.samples.dealt(count))
