"""Multivariate Aitken acceleration: Louis (1982), Finding the observed information matrix when using EM, JRSS B 44.

θ' = θ + (I - J)⁻¹ (Φ(θ) - θ),   J the rate matrix of EM, ∂Φ/∂θ

Near its limit EM is the linear map e → J e, so this is Newton's method for Φ(θ) = θ; J is learned from EM's own
iterates (see `rate_matrix`). A burn-in comes first, since J is that of the limit. Then plain steps, which show J, and
limited jumps (see `step_limit`) take turns. Distances |1 - λ| of eigenvalues of J to 1 count as no less than
`nearest`, which grows when a jump fails and shrinks when one succeeds. A jump that would lower the objective is
replaced by Φ(θ). An accepted step costs one E-step, a rejected one two.
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
#: Of the longest extent of the points: directions that they show by less count for little. Jumps are rare here, so that
#: it may be smaller than Anderson's.
LEAST_SHARE = 1e-4
NEAREST = 1e-4  # distance to 1 that eigenvalues of J have at least, at first: a jump of 10⁴ of EM's steps
CHANGE = 4.0  # factor on that distance after each jump: divided by it after a success


@record(frozen=True, eq=False)
class AitkenState(State[Mixture]):
    """With θ and Φ(θ) of the steps since the last jump, oldest first, the steps of burn-in left, and jumps' limits."""

    points: tuple[Array, ...] = ()
    images: tuple[Array, ...] = ()
    burn_in: int = 0
    nearest: float = NEAREST
    step_limit: float = FIRST_LIMIT


@record(frozen=True)
class Aitken:
    """Aitken acceleration of any fixed-point iteration.

    Attributes
    ----------
    base : FixedPoint
    burn_in : int
        Plain steps before the first difference is taken.
    order : int
        Differences from which J is learned: its rank at most.
    """

    base: Base = field(default_factory=EM)
    burn_in: int = 5
    order: int = 3
    monotone = True

    def __post_init__(self) -> None:
        if self.burn_in < 0 or self.order < 1:
            raise ValueError("burn_in must not be negative, order at least 1")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[AitkenState, Info]:
        """The base's state, with an empty memory."""
        state = self.base.evaluate(problem, start)
        return AitkenState(state.mixture, state.expectation, burn_in=self.burn_in), exact_info(state, 1)

    def step(self, problem: Problem, state: AitkenState, rng: np.random.Generator) -> tuple[AitkenState, Info]:
        """A plain step, or a guarded jump where enough differences have been gathered."""
        mapped, nearest, limit, tried = self.base.update(problem, state), state.nearest, state.step_limit, 0
        theta = state.mixture.pack()
        points, images = ((), ()) if state.burn_in else ((*state.points, theta), (*state.images, mapped.pack()))
        if len(points) > min(self.order, theta.size):
            tried = 1
            aim = predicted_fixed_point(
                points, images, LEAST_SHARE, lambda gap, _: gap + np.maximum(nearest - gap.real, 0)
            )
            landed, limit = limited_jump(self.base, problem, state, mapped, aim, state.step_limit)
            if landed and landed.expectation.objective >= state.expectation.objective:
                nearest = max(nearest / CHANGE, NEAREST)
                new = AitkenState(landed.mixture, landed.expectation, nearest=nearest, step_limit=limit)
                return new, exact_info(landed, 1)
            points, images, nearest, limit = (
                points[1:],
                images[1:],
                min(CHANGE * nearest, 1.0),
                lowered(state.step_limit),
            )
        safe = self.base.evaluate(problem, mapped)
        left = max(state.burn_in - 1, 0)
        new = AitkenState(safe.mixture, safe.expectation, points, images, left, nearest, limit)
        return new, exact_info(safe, 1 + tried)
