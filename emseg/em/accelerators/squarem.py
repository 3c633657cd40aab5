"""SQUAREM: Varadhan & Roland (2008), Simple and globally convergent methods for accelerating EM, Scand. J. Stat. 35.

θ₁ = Φ(θ₀), θ₂ = Φ(θ₁),   r = θ₁ - θ₀,   v = (θ₂ - θ₁) - r
a = -⟨r, v⟩ / ⟨v, v⟩,   θ' = θ₀ + 2 a r + a² v            (their scheme S2; a = 1 is θ₂)

⟨·,·⟩ is the information of the complete data, in which EM's rate matrix is symmetric: there, EM's step is the gradient,
so the products are slopes that the statistics of both E-steps yield for nothing, and units do not matter. a is kept
between 1 and a clamp, which grows fourfold each time it binds, and the jump is limited (see `step_limit`).

Squared steps owe their speed to sometimes going down. So a jump that ends a little below θ₁ is mapped once, since Φ
damps what overshot, and if it is still below, one more cycle starts from there. Only a place above θ₁ is accepted,
otherwise θ₂: the objective of the log never falls. A cycle costs two E-steps, the map one more; a rejection adds that
at θ₂.
"""

from __future__ import annotations

from dataclasses import field

import numpy as np

from emseg.em.accelerators.step_limit import FIRST_LIMIT, limited_jump, lowered
from emseg.em.accelerators.trial import Base, trial_at
from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import Problem
from emseg.em.q_function import slope
from emseg.em.variants.em import EM
from emseg.mixture.mixture import Mixture
from emseg.records import record

DIP = 0.001  # nats per sample below θ₁ that a jump may end; from deeper down, other basins are near


@record(frozen=True, eq=False)
class SquaremState(State[Mixture]):
    """With the largest steplength and the step limit that are tried next."""

    clamp: float = 16.0
    step_limit: float = FIRST_LIMIT


@record(frozen=True)
class Squarem:
    """Squared extrapolation of any fixed-point iteration.

    Attributes
    ----------
    base : FixedPoint
    patience : int
        Cycles that may pass before one ends above where the first began.
    growth : float
        Factor on the clamp when it binds.
    """

    base: Base = field(default_factory=EM)
    patience: int = 2
    growth: float = 4.0
    monotone = True

    def __post_init__(self) -> None:
        if self.patience < 1 or not self.growth >= 1:
            raise ValueError("patience and growth must be at least 1")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[SquaremState, Info]:
        """The base's state, with the first clamp."""
        state = self.base.evaluate(problem, start)
        return SquaremState(state.mixture, state.expectation), exact_info(state, 1)

    def step(self, problem: Problem, state: SquaremState, rng: np.random.Generator) -> tuple[SquaremState, Info]:
        """A cycle, or as many as patience allows."""
        first = self.base.evaluate(problem, self.base.update(problem, state))
        second = self.base.update(problem, first)
        least, e_steps, clamp, limit = first.expectation.objective, 1, state.clamp, state.step_limit
        here: State[Mixture] | None = state
        near: State[Mixture] | None = first
        far: Mixture | None = second
        for cycle in range(self.patience):
            if cycle and here:
                e_steps += 1
                near, far = self._twice(problem, here)
            if here is None or near is None or far is None:
                break
            here, clamp, limit = self._extrapolate(problem, here, near, far, clamp, limit)
            e_steps += 1
            if here and here.expectation.objective < least - DIP * problem.n:
                break
            if here and here.expectation.objective < least:
                e_steps += 1
                here, _ = self._twice(problem, here)
            if here and here.expectation.objective >= least:
                return SquaremState(here.mixture, here.expectation, clamp, limit), exact_info(here, e_steps)
        safe = self.base.evaluate(problem, second)
        clamp, limit = max(1.0, state.clamp / self.growth), lowered(state.step_limit)
        return SquaremState(safe.mixture, safe.expectation, clamp, limit), exact_info(safe, e_steps + 1)

    def _extrapolate(
        self, problem: Problem, here: State[Mixture], first: State[Mixture], second: Mixture, clamp: float, limit: float
    ) -> tuple[State[Mixture] | None, float, float]:
        """The E-step at θ', the next clamp and the next limit."""
        theta0, theta1, theta2 = here.mixture.pack(), first.mixture.pack(), second.pack()
        r = theta1 - theta0
        v = theta2 - theta1 - r
        climbed = problem.with_prior(self.base.prior(problem, second.k))
        before, after = slope(climbed, here, v), slope(climbed, first, v)
        a = abs(before / (after - before)) if after > before else 1.0
        a = min(max(a, 1.0), clamp)
        landed, limit = limited_jump(self.base, problem, first, second, theta0 + 2 * a * r + a**2 * v, limit)
        return landed, clamp * self.growth if a == clamp else clamp, limit

    def _twice(self, problem: Problem, state: State[Mixture]) -> tuple[State[Mixture] | None, Mixture | None]:
        """The E-step at Φ(θ), and Φ²(θ); None where they do not exist."""
        with np.errstate(all="ignore"):
            try:
                mixture = self.base.update(problem, state)
                first = trial_at(self.base, problem, mixture, mixture.pack())
                return first, None if first is None else self.base.update(problem, first)
            except np.linalg.LinAlgError:
                return None, None
