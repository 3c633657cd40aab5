"""The one loop of the package: iterate an algorithm, log every step, stop with a reason."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Algorithm, Info
from emseg.em.convergence import Status, Stop
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture

NOISE = 0.1  # nats per sample: where rounding can add as much, a component is a point and ℓ is meaningless


class MonotonicityWarning(RuntimeWarning):
    """An objective that must not fall has fallen by more than rounding: a bug to report."""


@dataclass(frozen=True)
class Row:
    """One row of the log, in nats summed over samples; `e_steps` and `seconds` count from the start of the fit."""

    iteration: int
    objective: float
    log_likelihood: float
    elbo: float
    kl: float
    delta: float
    e_steps: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Fit:
    """Where a fit ended, how it got there, why it stopped, and the expected number of samples of each component."""

    mixture: Mixture
    trace: tuple[Row, ...]
    status: Status
    counts: NDArray[np.float64]


def fit(
    algorithm: Algorithm,
    problem: Problem,
    start: Mixture,
    stop: Stop,
    rng: np.random.Generator,
    on_iteration: Callable[[Row], object] | None = None,
) -> Fit:
    """Run an algorithm from a start until the stopping rule fires.

    Parameters
    ----------
    algorithm : Algorithm
    problem : Problem
    start : Mixture
    stop : Stop
    rng : numpy.random.Generator
        For the stochastic variants.
    on_iteration : callable, optional
        Receives every log row as it is made, the start's (iteration 0) first.

    Returns
    -------
    Fit
        With status DEGENERATE, the mixture is the last one that was sound.

    Warns
    -----
    MonotonicityWarning
        If a monotone algorithm's objective falls by more than rounding.
    """
    begin = time.perf_counter()
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
            time.perf_counter() - begin,
        )
        trace.append(row)
        if on_iteration:
            on_iteration(row)

    try:
        state, info = algorithm.init(problem, start, rng)
    except np.linalg.LinAlgError:
        return Fit(start, (), Status.DEGENERATE, problem.n * start.weights)
    log(info)
    status, since = None, 0  # the row from which on objectives can be compared
    while status is None:
        try:
            new, info = algorithm.step(problem, state, rng)
        except np.linalg.LinAlgError:
            status = Status.DEGENERATE
            break
        rounding = float(new.expectation.rounding)
        if not (np.isfinite(info.objective) and rounding < NOISE * problem.n):
            status = Status.DEGENERATE
            break
        state = new
        log(info)
        since = since if info.comparable else len(trace) - 1
        if algorithm.monotone and info.comparable and trace[-1].delta < -rounding:
            warnings.warn(
                f"the objective fell by {-trace[-1].delta:.3g} at iteration {len(trace) - 1}; please report this",
                MonotonicityWarning,
                stacklevel=2,
            )
        status = info.ending or stop.status([row.objective for row in trace[since:][-8:]], problem.n, rounding)
        if status is None and len(trace) > stop.max_iter:
            status = Status.MAX_ITER
    return Fit(state.mixture, tuple(trace), status, state.expectation.stats.n)
