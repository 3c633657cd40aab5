"""Component annihilation: Figueiredo & Jain (2002), Unsupervised learning of finite mixture models, IEEE TPAMI 24.

The message length of a mixture of K components with T parameters each, in nats (their eq. 15), is

L = T/2 Σ_k log(N π_k / 12) + K/2 log(N / 12) + K (T + 1)/2 - ℓ

Its minimum over the weights is π_k ∝ max(0, n_k - T/2): a component that less than T/2 samples support is annihilated.
Components are updated one after another, so that the weight of one that dies goes to the others at once. Where no more
die by themselves, one is removed, and so the path leads down to any number of components: here the one whose removal
costs least, where the paper takes the one of least weight, which loses small regions before the halves of large ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import EMPTY, Problem
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
SWEEPS = 12  # over all components, for each K; the candidates are polished afterwards


def message_length(mixture: Mixture, log_likelihood: float, n: float) -> float:
    """L in nats; shared covariance parameters count in equal parts."""
    k = mixture.k
    t = (mixture.n_parameters - (k - 1)) / k
    weights = float(np.log(n * mixture.weights / 12).sum())
    return t / 2 * weights + k / 2 * float(np.log(n / 12)) + k * (t + 1) / 2 - log_likelihood


def annihilate(problem: Problem, start: Mixture, low: int, draws: float) -> Iterator[tuple[Mixture, int]]:
    """Mixtures of ever fewer components, K falling from that of the start to `low`, and the E-steps each one took.

    Parameters
    ----------
    problem : Problem
        On a sample.
    start : Mixture
    low : int
    draws : float
        Number of independent draws in the sample, of which a component needs T/2.
    """
    cost = (start.n_parameters - (start.k - 1)) / start.k / 2 * problem.n / draws
    mixture, e_steps = start, 0
    while True:
        for _ in range(SWEEPS):
            e_steps += mixture.k
            mixture = _sweep(problem, mixture, cost, low)
        yield mixture, e_steps
        if mixture.k <= low:
            return
        fewer = [_without(mixture, k) for k in range(mixture.k)]
        mixture, e_steps = max(fewer, key=lambda rest: float(problem.e_step(rest).objective)), mixture.k


def _sweep(problem: Problem, mixture: Mixture, cost: float, low: int) -> Mixture:
    """Update every component in turn, or annihilate it."""
    k = 0
    while k < mixture.k:
        stats = problem.e_step(mixture).stats
        support = np.maximum(stats.n - cost, 0)
        if support[k] == 0 and mixture.k > low:
            mixture = _without(mixture, k)
            continue
        moved = problem.m_step(stats, mixture)
        mixture = _updated(mixture, moved, k, np.maximum(support, EMPTY * problem.n))
        k += 1
    return mixture


def _updated(mixture: Mixture, moved: Mixture, k: int, support: Array) -> Mixture:
    """With new weights and a new component k; all of them are new where they share parameters."""
    components = moved.components if mixture.family.shared else mixture.components.updated(moved.components, k)
    return Mixture(support / support.sum(), components, mixture.family)


def _without(mixture: Mixture, k: int) -> Mixture:
    kept = mixture[np.flatnonzero(np.arange(mixture.k) != k)]
    return replace(kept, weights=kept.weights / kept.weights.sum())
