"""SQUAREM: Varadhan & Roland (2008), Simple and globally convergent methods for accelerating EM, Scand. J. Stat. 35.

θ₁ = Φ(θ₀), θ₂ = Φ(θ₁),   r = θ₁ - θ₀,   v = (θ₂ - θ₁) - r
α = -‖r‖ / ‖v‖,   θ' = θ₀ - 2 α r + α² v            (their scheme S3; α = -1 is θ₂)

The steplength is kept in [-clamp, -1]; the clamp grows fourfold each time it binds. A jump that ends below θ₁ is
rejected for θ₂, so the objective never falls, and it is on a leash (see `leash`). θ is unconstrained (`Mixture.pack`),
so every jump is a valid mixture. The next cycle's first M-step starts from the statistics found at θ', so an accepted
cycle costs two E-steps, a rejected one three.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from emseg.em.base import FixedPoint, Info, State, exact_info
from emseg.em.em import EM
from emseg.em.leash import LEASH, leap, shorter
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture


@dataclass(frozen=True, eq=False)
class SquaremState(State):
    """With the largest steplength and the leash that are tried next."""

    clamp: float = 4.0
    leash: float = LEASH


@dataclass(frozen=True)
class Squarem:
    """Squared extrapolation of any fixed-point iteration."""

    base: FixedPoint = field(default_factory=EM)
    monotone = True

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        """The base's state, with the first clamp."""
        state = self.base.evaluate(problem, start)
        return SquaremState(state.mixture, state.expectation), exact_info(state, 1)

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        """One cycle: two maps and a guarded jump."""
        assert isinstance(state, SquaremState)
        clamp, here = state.clamp, state.mixture
        first = self.base.evaluate(problem, self.base.update(problem, state))
        second = self.base.update(problem, first)
        theta0, theta1, theta2 = here.pack(), first.mixture.pack(), second.pack()
        r = theta1 - theta0
        v = theta2 - theta1 - r
        norm = float(np.linalg.norm(v))
        alpha = max(-clamp, -float(np.linalg.norm(r)) / norm) if norm > 0 else -1.0
        if alpha > -1:
            plain = self.base.evaluate(problem, second)
            return SquaremState(plain.mixture, plain.expectation, clamp, state.leash), exact_info(plain, 2)
        grown = 4 * clamp if alpha == -clamp else clamp
        aim = theta0 - 2 * alpha * r + alpha**2 * v
        landed, leash = leap(self.base, problem, first, second, aim, state.leash)
        if landed and landed.expectation.objective >= first.expectation.objective:
            return SquaremState(landed.mixture, landed.expectation, grown, leash), exact_info(landed, 2)
        safe = self.base.evaluate(problem, second)
        clamp, leash = max(1.0, clamp / 4), shorter(state.leash)
        return SquaremState(safe.mixture, safe.expectation, clamp, leash), exact_info(safe, 3)
