"""The E-step where values are missing: Ghahramani & Jordan (1994), NIPS 6; Little & Rubin, ch. 11; exact.

Rows are grouped by which dimensions o were observed. For each group,

E-step   r_ik and ℓ by the marginal mixture π_k f_k(x_o): the usual E-step, in fewer dimensions, with statistics t_o
lift     t_k = Σ_i c_i r_ik E[T(x_i) | x_io, k], which is linear in t_o: no further pass over the rows

and the groups' statistics add up. Values missing at random then need no other treatment: ℓ is that of all that was
observed, and what EM does with these statistics never lowers it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.expectation import Expectation
from emseg.em.kernel import ULPS, Respond, all_log_density, project
from emseg.mixture.family import Family, Real
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows, Samples, gathered
from emseg.mixture.stats import Stats
from emseg.records import replace

Array = NDArray[np.float64]
ROUNDS = 100  # most rounds of EM for a single component; a round needs no pass over the samples
CLOSE = 1e-9  # change of its statistics, relative to their size, at which that EM ends
TOTAL_BLOCK = 8192  # rows of which T is formed at once: a few hundred kilobytes
FLOOR = 1e-11  # least penalty on its variances, relative to the spread of the samples: where all values are equal


def log_scores(mixture: Mixture) -> Array:
    """Coefficients η of log π_k f_k(x) = η_k · T(x), shape (..., K, P)."""
    eta, _ = mixture.family.scores(mixture.components, 0.0)
    eta[..., 0] += np.log(mixture.weights)
    return eta


def expect(
    rows: Rows,
    mixture: Mixture,
    eta: Array,
    respond: Respond | None = None,
    log_jacobian: Array | float = 0.0,
    log_prior: Array | float = 0.0,
    lift: Array | None = None,
) -> Expectation:
    """The E-step on rows in memory, at a mixture or at every one of a stack.

    Parameters
    ----------
    rows : Rows
    mixture : Mixture
    eta : ndarray, shape (..., K, P)
        Its `log_scores`.
    respond : Respond, optional
    log_jacobian : ndarray, shape (D,), or float
        See `Problem`.
    log_prior : ndarray, shape (...)
        Penalty and prior at the mixture, to be handed on.
    lift : ndarray, shape (..., K), optional
        See `emseg.em.kernel.project`.
    """
    if not rows.patterns:
        shift = float(np.sum(log_jacobian)) * rows.n
        return _expect_complete(rows, mixture, eta, respond, (), shift, log_prior, lift)
    jacobian = by_dimension(log_jacobian, rows.d)
    total: Expectation | None = None
    for pattern in rows.patterns:
        seen, marginal = pattern.seen, mixture.marginal(pattern.seen)
        shift = float(jacobian[seen].sum()) * pattern.rows.n
        key = tuple(seen.tolist()) if seen.size < rows.d else ()
        scores = log_scores(marginal)
        found = _expect_complete(pattern.rows, marginal, scores, respond, key, shift, log_prior, lift)
        if seen.size < rows.d:
            found = replace(found, stats=mixture.family.lift(found.stats, mixture.components, seen))
        total = found if total is None else total + found
    if total is None:
        raise ValueError("nothing was observed of any sample")
    return _with_hidden(total, mixture, eta, shift_of(rows, jacobian), rows.dtype)


def _expect_complete(
    rows: Rows,
    mixture: Mixture,
    eta: Array,
    respond: Respond | None,
    key: tuple[int, ...],
    shift: float,
    log_prior: Array | float,
    lift: Array | None,
) -> Expectation:
    """The E-step on rows without missing values."""
    link = mixture.link()
    assign = respond.begin(rows, key) if respond else None
    found = project(rows, mixture.family, link.eta if link else eta, assign, link, shift, log_prior, lift)
    return _with_hidden(found, mixture, eta, shift, rows.dtype) if link else found


def _with_hidden(
    found: Expectation, mixture: Mixture, eta: Array, shift: float, dtype: np.dtype[np.floating]
) -> Expectation:
    """With the entropy of what is hidden of the samples, and the rounding of their complete statistics."""
    magnitude = np.abs(eta * found.stats.t).sum((-1, -2))
    rounding = found.rounding + ULPS * np.finfo(dtype).eps * magnitude
    hidden = found.complete - shift - all_log_density(eta, mixture.weights, found.stats)
    return replace(found, hidden=hidden, rounding=rounding)


def by_dimension(log_jacobian: Array | float, d: int) -> Array:
    """The log-jacobian of each dimension, shape (D,).

    Raises
    ------
    ValueError
        If only its sum is known.
    """
    if np.ndim(log_jacobian) == 0 and log_jacobian != 0:
        raise ValueError("with missing values, log_jacobian must be given by dimension")
    return np.broadcast_to(np.asarray(log_jacobian, np.float64), d)


def shift_of(rows: Rows, jacobian: Array) -> float:
    """What the log-jacobian adds to ℓ: that of every dimension as often as it was observed."""
    return sum(float(jacobian[pattern.seen].sum()) * pattern.rows.n for pattern in rows.patterns)


def total(samples: Samples, family: Family) -> Stats:
    """Sums of T(x) over samples without missing values, as of one component."""
    each = [t.astype(np.float64) @ w for part in samples.parts() for t, w in part.rows().blocks(family, TOTAL_BLOCK)]
    t = np.sum(each, axis=0)[None]
    return Stats(t[:, 0], t)


def single_component(samples: Samples, family: Family, floor: float, unit: Array | float) -> tuple[Mixture, Stats]:
    """The one component that suits all samples best, by EM, and their statistics as it expects them.

    Every sample is its own with certainty, so the statistics of each pattern are found once, and EM is lifts and
    M-steps. Covariance models share nothing here.

    Parameters
    ----------
    samples : Samples
    family : Family
    floor, unit
        Of the penalty, see `Problem`.
    """
    d, everything = samples.d, gathered(samples)
    free = family.classes_only.log_linear.marginal_family(np.arange(d))
    patterns = [pattern for part in samples.parts() for pattern in part.rows().patterns]
    sums = [total(pattern.rows, free) for pattern in patterns]
    psi = max(floor, FLOOR) * samples.n * unit**2
    t = total(Rows(_levelled(everything.x), everything.weight), free).t
    components = free.m_projection(Stats(t[:, 0], t), psi, d)
    for _ in range(ROUNDS):
        last, stats = t, Stats(np.zeros(1), np.zeros((1, free.n_monomials(d))))
        for part, pattern in zip(sums, patterns, strict=True):
            stats = stats + free.lift(part, components, pattern.seen)
        t = stats.t
        components = free.m_projection(stats, psi, d)
        if np.abs(t - last).max() <= CLOSE * np.abs(t).max():
            break
    return Mixture(np.ones(1), components, free), stats


def _levelled(x: Real) -> Real:
    """Samples with every missing value at the mean of its dimension; of all values where none of that was observed."""
    unseen = np.isnan(x)
    count = (~unseen).sum(1)
    sums = np.where(unseen, 0, x).sum(1)
    means = np.where(count > 0, sums / np.maximum(count, 1), sums.sum() / count.sum())
    return np.where(unseen, means[:, None], x).astype(x.dtype, copy=False)


def filled(rows: Rows, single: Mixture) -> Rows:
    """Rows with every missing value at what a single component expects there, given the rest of the row."""
    x = _levelled(rows.x)
    for pattern in rows.patterns:
        unseen = np.delete(np.arange(rows.d), pattern.seen)
        values = single.family.predicted(single.components, pattern.rows.x, pattern.seen)
        x[np.ix_(unseen, pattern.which)] = values[0]
    return Rows(x, rows.weight, rows.place)
