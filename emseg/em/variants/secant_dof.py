"""Maximising ℓ over the parameters along which EM crawls, ν of Student's t: one step for each E-step.

With all else held, EM maps log ν to M(log ν), from the statistics of an E-step at ν. The residual f = M(log ν) - log ν
has the sign of the slope of ℓ, since Q is concave in ν and touches ℓ there; its zero is the maximum of ℓ. So secant
steps for f, component by component, log ν ← log ν + f / (1 - ρ), ρ the rate of EM that the last two points have shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]
RATES = (-1.0, 0.98)  # of EM, that a step may rely on
CLOSE = 1e-12  # change of log ν from which no rate can be learned


@dataclass(frozen=True, eq=False)
class Tails:
    """A point of the search, and what it has learned.

    Attributes
    ----------
    place : ndarray, shape (K,)
        log ν.
    residual : ndarray, shape (K,)
        f.
    rate : ndarray, shape (K,)
        ρ; 0 for EM's own step.
    """

    place: Array
    residual: Array
    rate: Array

    @classmethod
    def at(cls, problem: Problem, mixture: Mixture, stats: Stats, last: Tails | None) -> Tails:
        """After an E-step; `last` is the point before, or what an iteration before has learned."""
        (name,) = problem.family.tails
        place = np.log(getattr(mixture.components, name))
        image = np.log(getattr(problem.conditional(name, stats, mixture).components, name))
        return cls(place, image - place, np.zeros_like(place) if last is None else last.rate)

    def learned(self, last: Tails) -> Tails:
        """With the rate that two points of the same search show."""
        moved = self.place - last.place
        seen = np.abs(moved) > CLOSE
        rate = 1 + (self.residual - last.residual) / np.where(seen, moved, 1.0)
        return replace(self, rate=np.where(seen, np.clip(rate, *RATES), self.rate))

    def ahead(self, problem: Problem, mixture: Mixture) -> Mixture:
        """The mixture with the next ν."""
        ((name, ends),) = problem.family.tails.items()
        nu = np.exp(np.clip(self.place + self.residual / (1 - self.rate), *np.log(ends)))
        return replace(mixture, components=replace(mixture.components, **{name: nu}))
