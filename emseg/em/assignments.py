"""Assignments of samples to components other than the posterior: hard, drawn, blended and tempered.

Each is a `respond` of `Problem.e_step`: from posterior probabilities r (S, K, B) and counts c (B,) to c_i q_ik and the
entropy of q. A hard or drawn assignment has none: its ELBO is the complete log-likelihood.

A row of count c stands for c equal samples, and drawing a label for each is one multinomial draw of c trials. Counts
need not be whole, in a sample of the rows or for weighted data: then round(c) labels are drawn, one at least, that
share the count equally, so that the expected statistics stay the posterior's and the total stays c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info, State, bound_info
from emseg.em.problem import Respond
from emseg.mixture.family import Real

Array = NDArray[np.float64]


def hard(r: Real, weight: Real) -> tuple[Real, Array]:
    """All of a sample to its most probable component."""
    chosen = np.arange(r.shape[1])[:, None] == r.argmax(1)[:, None]
    return np.where(chosen, weight, weight.dtype.type(0)), np.zeros(len(r))


def drawn(rng: np.random.Generator, m: int = 1) -> Respond:
    """Frequencies of m labels a sample, drawn from the posterior.

    For m > 1 the equal samples of a row share their draws, and q is their frequency, whose entropy counts.
    """

    def respond(r: Real, weight: Real) -> tuple[Real, Array]:
        counts = _draw(rng, r, weight, m)
        return counts, np.zeros(len(r)) if m == 1 else _entropy(counts / np.where(weight > 0, weight, 1), weight)

    return respond


def blended(rng: np.random.Generator, gamma: float) -> Respond:
    """(1 - γ) r + γ z, z the indicator of one drawn label a sample."""

    def respond(r: Real, weight: Real) -> tuple[Real, Array]:
        z = _draw(rng, r, weight, 1)
        rest = (1 - gamma) * r
        # Samples with the same drawn label share q, which differs from `rest` in that label's entry alone.
        entropy = _entropy(rest, weight) - (z * (_xlogx(rest + gamma) - _xlogx(rest))).sum((1, 2), dtype=np.float64)
        return rest * weight + gamma * z, entropy

    return respond


def tempered(beta: float) -> Respond:
    """Probabilities to the power β, normalised again."""

    def respond(r: Real, weight: Real) -> tuple[Real, Array]:
        q = r**beta
        q /= q.sum(1, keepdims=True)
        return q * weight, _entropy(q, weight)

    return respond


def free_energy(state: State[Any], comparable: bool = True, e_steps: int = 1) -> Info:
    """The log row of an algorithm that climbs the ELBO plus the penalty, or wanders about it."""
    objective = float(state.expectation.elbo + state.expectation.log_prior)
    return replace(bound_info(state, objective, e_steps), comparable=comparable)


def _draw(rng: np.random.Generator, r: Real, weight: Real, m: int) -> Real:
    trials = np.maximum(np.rint(weight.astype(np.float64)), 1).astype(np.int64) * m
    p = np.moveaxis(r, 1, -1).astype(np.float64)
    p /= p.sum(-1, keepdims=True)
    p[~np.isfinite(p).all(-1)] = 0  # where even ℓ is not finite: the fit ends on that
    counts = rng.multinomial(trials, p) * (weight / trials)[:, None]
    return np.ascontiguousarray(np.moveaxis(counts, -1, 1), r.dtype)


def _xlogx(q: Real) -> Real:
    result: Real = q * np.log(np.maximum(q, np.finfo(q.dtype).tiny))
    return result


def _entropy(q: Real, weight: Real) -> Array:
    return np.asarray(-(_xlogx(q) * weight).sum((1, 2), dtype=np.float64))
