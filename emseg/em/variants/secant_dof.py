"""Maximising ℓ over the parameters along which EM crawls, ν of Student's t: one step for each E-step.

With all else held, EM maps log ν to M(log ν), from the statistics of an E-step at ν. The residual f = M(log ν) - log ν
has the sign of the slope of ℓ, since Q is concave in ν and touches ℓ there; its zero is the maximum of ℓ. So secant
steps for f, component by component, log ν ← log ν + f / (1 - ρ), ρ the rate of EM that the last two points have shown.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record

Array = NDArray[np.float64]
#: The rates that a step may rely on: -1 halves EM's step, .98 makes it fifty times as long.
RATES = (-1.0, 0.98)
CLOSE = 1e-12  # change of log ν, of no unit, that is rounding and shows no rate


@record(frozen=True, eq=False)
class DofSearch:
    """A point of the search for ν, and what the search has learned.

    Attributes
    ----------
    log_dof : ndarray, shape (K,)
        log ν.
    residual : ndarray, shape (K,)
        f.
    rate : ndarray, shape (K,)
        ρ; 0 makes the next step EM's own.
    """

    log_dof: Array
    residual: Array
    rate: Array

    @classmethod
    def after_e_step(cls, problem: Problem, mixture: Mixture, stats: Stats, last: DofSearch | None) -> DofSearch:
        """The point of a mixture after its E-step; `last` is the point before, of this or another iteration."""
        (name,) = problem.family.tails
        log_dof = np.log(getattr(mixture.components, name))
        image = np.log(getattr(problem.conditional(name, stats, mixture).components, name))
        return cls(log_dof, image - log_dof, np.zeros_like(log_dof) if last is None else last.rate)

    def with_rate(self, last: DofSearch) -> DofSearch:
        """With the rate that this point and the one before it show."""
        moved = self.log_dof - last.log_dof
        seen = np.abs(moved) > CLOSE
        rate = 1 + (self.residual - last.residual) / np.where(seen, moved, 1.0)
        return replace(self, rate=np.where(seen, np.clip(rate, *RATES), self.rate))

    def next_mixture(self, problem: Problem, mixture: Mixture) -> Mixture:
        """The mixture with the next ν."""
        ((name, ends),) = problem.family.tails.items()
        nu = np.exp(np.clip(self.log_dof + self.residual / (1 - self.rate), *np.log(ends)))
        return replace(mixture, components=replace(mixture.components, **{name: nu}))
