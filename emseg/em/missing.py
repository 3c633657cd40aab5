"""The E-step where values are missing: Ghahramani & Jordan (1994), NIPS 6; Little & Rubin, ch. 11; exact.

Rows are grouped by which dimensions o were observed. For each group,

E-step   r_ik and ℓ by the marginal mixture π_k f_k(x_o): the usual E-step, in fewer dimensions, with statistics t_o
lift     t_k = Σ_i c_i r_ik E[T(x_i) | x_io, k], which is linear in t_o: no further pass over the rows

and the groups' statistics add up. Values missing at random then need no other treatment: ℓ is that of all that was
observed, and what EM does with these statistics never lowers it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emseg.em.expectation import Expectation
from emseg.mixture.family import Real
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Pattern, Rows
from emseg.mixture.stats import Stats

if TYPE_CHECKING:
    from emseg.em.problem import Problem, Respond

Array = NDArray[np.float64]
ROUNDS = 100  # of EM for a single component, which needs no pass over the samples
CLOSE = 1e-9  # change of its statistics, relative to their size, at which it has arrived
FLOOR = 1e-11  # of its variances


def e_step(problem: Problem, mixture: Mixture, respond: Respond | None, log_prior: Array) -> Expectation:
    """The E-step at a mixture, or at every one of a stack, over samples with holes."""
    lead, k = mixture.weights.shape[:-1], mixture.k
    nothing = np.zeros(lead)
    none = problem.family.completed(np.zeros((*lead, k, problem.family.n_monomials(mixture.d))))
    total = Expectation(none, nothing, nothing, nothing, np.broadcast_to(log_prior, lead), nothing)
    for pattern in problem.samples.patterns:
        marginal = mixture.marginal(pattern.seen)
        found = _part(problem, pattern, marginal).e_step(marginal, respond)
        if pattern.seen.size < mixture.d:
            lifted = problem.family.lift(found.stats, mixture.components, pattern.seen)
            found = replace(found, stats=lifted)
        total = total + found
    return total


def _part(problem: Problem, pattern: Pattern, marginal: Mixture) -> Problem:
    """The problem that the rows of one pattern pose: no prior, no penalty, fewer dimensions."""
    jacobian = _jacobian(problem)[pattern.seen]
    return replace(
        problem, samples=pattern.rows, family=marginal.family, floor=0.0, log_jacobian=jacobian, unit=1.0, prior=None
    )


def _jacobian(problem: Problem) -> Array:
    """By dimension."""
    if np.ndim(problem.log_jacobian) == 0 and problem.log_jacobian != 0:
        raise ValueError("with missing values, log_jacobian must be given by dimension")
    return np.broadcast_to(problem.log_jacobian, problem.samples.d)


def shift(problem: Problem) -> float:
    """What the log-jacobian adds to ℓ: that of every dimension as often as it was observed."""
    jacobian = _jacobian(problem)
    return sum(float(jacobian[pattern.seen].sum()) * pattern.rows.n for pattern in problem.samples.patterns)


def single(problem: Problem) -> tuple[Mixture, Stats]:
    """The one component that suits all samples best, by EM, and their statistics as it expects them.

    Every sample is its own with certainty, so the statistics of each pattern are found once, and EM is lifts and
    M-steps. Covariance models share nothing here.
    """
    d, seen = problem.samples.d, [pattern.seen for pattern in problem.samples.patterns]
    free = problem.family.classes_only.log_linear.marginal_family(np.arange(d))
    parts = [replace(problem, samples=pattern.rows, family=free).total for pattern in problem.samples.patterns]
    psi = max(problem.floor, FLOOR) * problem.n * problem.unit**2
    rows = Rows(_levelled(problem.samples.x), problem.samples.weight)
    t = replace(problem, samples=rows, family=free).total.t
    components = free.m_projection(Stats(t[:, 0], t), psi, d)
    for _ in range(ROUNDS):
        last, stats = t, Stats(np.zeros(1), np.zeros((1, free.n_monomials(d))))
        for part, dimensions in zip(parts, seen, strict=True):
            stats = stats + free.lift(part, components, dimensions)
        t = stats.t
        components = free.m_projection(stats, psi, d)
        if np.abs(t - last).max() <= CLOSE * np.abs(t).max():
            break
    return Mixture(np.ones(1), components, free), stats


def _levelled(x: Real) -> Real:
    """With every hole at the mean of its dimension, or of all where none of that was observed."""
    holes = np.isnan(x)
    count = (~holes).sum(1)
    sums = np.where(holes, 0, x).sum(1)
    means = np.where(count > 0, sums / np.maximum(count, 1), sums.sum() / count.sum())
    return np.where(holes, means[:, None], x).astype(x.dtype, copy=False)


def filled(problem: Problem) -> Rows:
    """The samples with every hole at what a single component expects there, given the rest of the sample."""
    mixture, _ = single(problem)
    rows = problem.samples
    x = _levelled(rows.x)
    for pattern in rows.patterns:
        unseen = np.delete(np.arange(rows.d), pattern.seen)
        expected = mixture.family.predicted(mixture.components, pattern.rows.x, pattern.seen)
        x[np.ix_(unseen, pattern.which)] = expected[0]
    return Rows(x, rows.weight)
