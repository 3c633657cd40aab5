"""When to stop, and what to call it.

The size of the last step says little: EM that crawls takes small steps far from its limit. So the distance to the limit
is estimated. Increments of a linearly convergent sequence shrink by a factor a, and what remains after an increment δ
is δ a / (1 - a) (Aitken; Böhning et al. 1994, Ann. Inst. Stat. Math. 46). Increments of accelerated EM are irregular,
so three estimates in a row must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise
from typing import Protocol

from emseg.records import NamedRecord


class Status(Enum):
    """How a fit ended; the value is the sentence a user reads."""

    CONVERGED = "converged: the objective is within the tolerance of its estimated limit"
    STALLED = "converged: no step changes the objective by more than rounding"
    HIDDEN = "not converged: a component is so narrow that rounding hides what steps change; use floor=auto"
    AVERAGED = "averaged: all draws of the schedule are made; more of them would bring the answer closer"
    PASSED = "finished: all passes over the data are made; more of them would bring the answer closer"
    SETTLED = "converged: the parameters have ceased to move"
    SCHEDULED = "finished: all iterations of the method's schedule are made"
    MAX_ITER = "not converged: stopped at the largest number of iterations; raise max_iter or tol"
    APPLIED = "applied: the mixture of a model, not fitted to this image"
    DEGENERATE = "degenerate: a component became empty or singular; use a smaller k, or a floor above 0"


class StoppingRule(Protocol):
    """When a fit ends that no schedule ends.

    Attributes
    ----------
    max_iter : int
        Largest number of iterations.
    """

    @property
    def max_iter(self) -> int: ...  # noqa: D102

    def status(self, objective: Sequence[float], n: float, rounding: float) -> Status | None:
        """The reason to stop after the latest comparable objective values, or None to go on; see `Stop`."""


#: Nats per sample: rounding that can change the objective by more says nothing of convergence, whatever the tolerance.
CERTAIN = 1e-6


class Stop(NamedRecord):
    """Stop where the estimated distance to the limit is small.

    Attributes
    ----------
    tol : float
        Largest estimated distance of the objective to its limit, in nats per sample.
    max_iter : int
        Largest number of iterations.
    """

    tol: float = 1e-5
    max_iter: int = 1000

    def status(self, objective: Sequence[float], n: float, rounding: float) -> Status | None:
        """The reason to stop after these objective values (start first), or None to go on.

        Parameters
        ----------
        objective : sequence of float
            One value an iteration, the start's first.
        n : float
            Number of samples.
        rounding : float
            Change of the objective that arithmetic alone can cause.
        """
        known = rounding <= max(self.tol, CERTAIN) * n
        if len(objective) > 2 and _stalled(_increments(objective[-3:]), rounding):
            return Status.STALLED if known else Status.HIDDEN
        estimates = (remaining(objective[: len(objective) - i], rounding) for i in range(3))
        if len(objective) > 5 and max(estimates) <= self.tol * n:
            return Status.CONVERGED if known else Status.HIDDEN
        return Status.MAX_ITER if len(objective) > self.max_iter else None


class Scheduled(NamedRecord):
    """Leave the end to the algorithm's own schedule, within `max_iter` iterations."""

    max_iter: int

    def status(self, objective: Sequence[float], n: float, rounding: float) -> Status | None:
        """None: go on."""
        return None


def _stalled(increments: Sequence[float], rounding: float) -> bool:
    """Whether the last two increments are rounding and nothing else.

    `rounding` bounds what arithmetic can add, and usually adds far less. Increments below it that still fall steadily
    are those of a fit that still climbs.
    """
    before, last = increments
    return max(abs(before), abs(last)) <= rounding and not 0 < last < before


def _increments(values: Sequence[float]) -> list[float]:
    return [b - a for a, b in pairwise(values)]


def remaining(objective: Sequence[float], rounding: float = 0.0) -> float:
    """Estimated distance of the last value to the limit; infinite while increments do not shrink.

    One lucky step must not end a fit, so the factor is at least the geometric mean of the last two. While it rises,
    slower modes are coming to light behind the fast ones, and it is expected to rise as much again. Where rounding
    may hide that the increments do not shrink, as at a saddle, nothing is known of the limit.
    """
    if len(objective) < 4:
        return float("inf")
    d0, d1, d2 = (abs(d) for d in _increments(objective[-4:]))
    if d2 == 0:
        return 0.0
    if min(d0, d1) <= rounding:
        return float("inf")
    a = max(d2 / d1, (d2 / d0) ** 0.5) + max(d2 / d1 - d1 / d0, 0.0)
    highest = (d2 + rounding) / (d1 - rounding)
    return d2 * a / (1 - a) if max(a, highest) < 1 else float("inf")
