"""The one loop of the package: iterate an algorithm, log every step, stop with a reason.

It fits all that `emseg.em.algorithm.Algorithm` describes: mixtures, Markov fields, illumination.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Algorithm, Countable, Info, M, S
from emseg.em.convergence import Status, StoppingRule
from emseg.em.problem import EMPTY
from emseg.execution import steps
from emseg.numerics import clock
from emseg.records import record

P = TypeVar("P", bound=Countable)
#: Nats per sample. Where rounding can change the objective by as much, a component is a point and ℓ is meaningless.
MEANINGLESS = 0.1


class MonotonicityWarning(RuntimeWarning):
    """An objective that must not fall has fallen by more than rounding: a bug to report.

    Samples that an empty component is given (`EMPTY`) may take off as much.
    """


@record(frozen=True)
class Row:
    """One row of the log, in nats summed over samples.

    Attributes
    ----------
    iteration : int
        0 for the start.
    objective : float
        What the algorithm climbs.
    log_likelihood, elbo, kl : float
        log_likelihood = elbo + kl.
    delta : float
        Change of the objective since the row before.
    e_steps : int
        E-steps since the start of the fit.
    seconds : float
        Time since then.
    """

    iteration: int
    objective: float
    log_likelihood: float
    elbo: float
    kl: float
    delta: float
    e_steps: int
    seconds: float


@record(frozen=True, eq=False)
class Fit(Generic[M]):
    """Where a fit ended.

    Attributes
    ----------
    mixture : Mixture
        With status DEGENERATE, the last one that was sound.
    trace : tuple of Row
        How it got there; empty where the start itself was not sound.
    status : Status
        Why it ended.
    counts : ndarray, shape (K,)
        Expected number of samples of each component.
    """

    mixture: M
    trace: tuple[Row, ...]
    status: Status
    counts: NDArray[np.float64]


def fit(
    algorithm: Algorithm[P, M, S],
    problem: P,
    start: M,
    stop: StoppingRule,
    rng: np.random.Generator,
    on_iteration: Callable[[Row], object] | None = None,
) -> Fit[M]:
    """Run an algorithm from a start until the stopping rule fires.

    Parameters
    ----------
    algorithm : Algorithm
    problem : Problem
        What the algorithm works on; the loop itself reads only its number of samples `n`.
    start : Mixture
    stop : StoppingRule
    rng : numpy.random.Generator
        For the stochastic variants.
    on_iteration : callable, optional
        Receives every log row as it is made, the start's (iteration 0) first.

    Returns
    -------
    Fit

    Warns
    -----
    MonotonicityWarning
        If a monotone algorithm's objective falls by more than rounding.
    """
    return fit_with_state(algorithm, problem, start, stop, rng, on_iteration)[0]


def fit_with_state(
    algorithm: Algorithm[P, M, S],
    problem: P,
    start: M,
    stop: StoppingRule,
    rng: np.random.Generator,
    on_iteration: Callable[[Row], object] | None = None,
) -> tuple[Fit[M], S | None]:
    """As `fit`, and the algorithm's last sound state; None where the start itself was not sound."""
    begin = clock.seconds()
    trace: list[Row] = []

    def log(info: Info) -> None:
        last = trace[-1] if trace else None
        row = Row(
            len(trace),
            info.objective,
            info.log_likelihood,
            info.elbo,
            info.kl,
            info.objective - last.objective if last else 0.0,
            info.e_steps + (last.e_steps if last else 0),
            clock.seconds() - begin,
        )
        trace.append(row)
        steps.iteration(row.iteration)
        if on_iteration:
            on_iteration(row)

    try:
        state, info = algorithm.init(problem, start, rng)
    except np.linalg.LinAlgError:
        return Fit(start, (), Status.DEGENERATE, problem.n * start.weights), None
    log(info)
    status, since = None, 0  # the row from which on objectives can be compared
    while status is None:
        try:
            new, info = algorithm.step(problem, state, rng)
        except np.linalg.LinAlgError:
            status = Status.DEGENERATE
            break
        if not (np.isfinite(info.objective) and info.rounding < MEANINGLESS * problem.n):
            status = Status.DEGENERATE
            break
        state = new
        log(info)
        since = since if info.comparable else len(trace) - 1
        if algorithm.monotone and info.comparable and trace[-1].delta < -(info.rounding + EMPTY * problem.n):
            warnings.warn(
                f"the objective fell by {-trace[-1].delta:.3g} at iteration {len(trace) - 1}; please report this",
                MonotonicityWarning,
                stacklevel=3,
            )
        recent = [row.objective for row in trace[since:][-8:]]
        status = info.ending or stop.status(recent, problem.n, info.rounding)
        if status is None and len(trace) > stop.max_iter:
            status = Status.MAX_ITER
    return Fit(state.mixture, tuple(trace), status, state.counts), state
