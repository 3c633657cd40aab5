"""Anderson acceleration of EM, damped: after Henderson & Varadhan (2019), J. Comput. Graph. Stat. 28.

With the last m differences of θ and of Φ(θ) as columns of V and U, and J = U V⁺ in place of EM's rate matrix,

θ' = θ + (I - J)⁻¹ (Φ(θ) - θ),   each 1 - λ, λ an eigenvalue of J, replaced by |1 - λ| + δ + |s|

at every step: a quasi-Newton step that has learned EM along the directions travelled so far (type I of Fang & Saad
2009, Numer. Linear Algebra Appl. 16; see `rate_matrix`). s is EM's step along the eigenvector relative to the extent of
those m differences, so that no jump is longer than what it was learned from; δ halves after each success and grows
fourfold when a step would lower the objective, which is then replaced by Φ(θ). Jumps are limited (see `step_limit`). An
accepted step costs one E-step, a rejected one two.

Of Henderson & Varadhan's DAAREM this keeps the small order, damping that success relaxes, and the guard, with no
tolerance for falls. The residual is another: theirs minimises ‖Φ(θ) - θ‖ (type II), whose steps turn back to a saddle
that EM is leaving, and starts anew every m steps. Guarded likewise, on the hard case of the benchmarks that takes more
than 3000 E-steps and this about 500; on fits to photographs to 1e-8 nats a pixel, 0.40 to 0.46 of EM's E-steps and this
0.18. Orders 3, 7 and 10 were no better.
"""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from emseg.em.accelerators.rate_matrix import predicted_fixed_point
from emseg.em.accelerators.step_limit import FIRST_LIMIT, limited_jump, lowered
from emseg.em.accelerators.trial import Base
from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import Problem
from emseg.em.variants.em import EM
from emseg.mixture.mixture import Mixture
from emseg.records import record

Array = NDArray[np.float64]
#: Of the longest extent of the points: directions that they show by less count for little. Below it, jumps that build
#: on jumps would multiply rounding.
LEAST_SHARE = 1e-3
LEAST_DAMPING, MOST_DAMPING = 1e-4, 1.0  # of δ, a distance of eigenvalues to 1
RELAXED, TIGHTENED = 0.5, 4.0  # factors on δ after a success, and after a failure


@record(frozen=True, eq=False)
class AndersonState(State[Mixture]):
    """With the last points θ and images Φ(θ), oldest first, and the damping and step limit of the next step."""

    points: tuple[Array, ...] = ()
    images: tuple[Array, ...] = ()
    damping: float = 1.0
    step_limit: float = FIRST_LIMIT


@record(frozen=True)
class Anderson:
    """Anderson acceleration of any fixed-point iteration.

    Attributes
    ----------
    base : FixedPoint
    order : int
        Largest number of differences remembered; never more than half the number of parameters.
    damping : float
        δ of the first step.
    """

    base: Base = field(default_factory=EM)
    order: int = 5
    damping: float = 0.01
    monotone = True

    def __post_init__(self) -> None:
        if self.order < 1 or not self.damping > 0:
            raise ValueError("order must be at least 1, damping above 0")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[AndersonState, Info]:
        """The base's state, with an empty memory."""
        state = self.base.evaluate(problem, start)
        return AndersonState(state.mixture, state.expectation, damping=self.damping), exact_info(state, 1)

    def step(self, problem: Problem, state: AndersonState, rng: np.random.Generator) -> tuple[AndersonState, Info]:
        """One guarded step."""
        mapped, damping, limit, tried = self.base.update(problem, state), state.damping, state.step_limit, 0
        theta = state.mixture.pack()
        memory = min(self.order, -(-theta.size // 2)) + 1
        points, images = (*state.points, theta)[-memory:], (*state.images, mapped.pack())[-memory:]
        if len(points) > 1:
            tried = 1
            landed, limit = limited_jump(self.base, problem, state, mapped, self._aim(points, images, damping), limit)
            if landed and landed.expectation.objective >= state.expectation.objective:
                damping = max(RELAXED * damping, LEAST_DAMPING)
                new = AndersonState(landed.mixture, landed.expectation, points, images, damping, limit)
                return new, exact_info(landed, 1)
            damping, limit = min(TIGHTENED * damping, MOST_DAMPING), lowered(state.step_limit)
        safe = self.base.evaluate(problem, mapped)
        new = AndersonState(safe.mixture, safe.expectation, points, images, damping, limit)
        return new, exact_info(safe, 1 + tried)

    def _aim(self, points: tuple[Array, ...], images: tuple[Array, ...], damping: float) -> Array | None:
        """θ', from the last point."""
        return predicted_fixed_point(points, images, LEAST_SHARE, lambda gap, part: gap + damping + np.abs(part))
