"""Multivariate Aitken acceleration: Louis (1982), Finding the observed information matrix when using EM, JRSS B 44.

θ' = θ + (I - J)⁻¹ (Φ(θ) - θ),   J the rate matrix of EM, ∂Φ/∂θ

Near its limit EM is the linear map e → J e, so this is Newton's method for Φ(θ) = θ; J is learned from EM's own
iterates (see `secant`). A burn-in comes first, since J is that of the limit; then plain steps that show J and a jump
on its leash (see `leash`) take turns. Distances |1 - λ| of eigenvalues of J to 1 count as no less than `nearest`, which
grows when a jump fails and shrinks when one succeeds. A jump that would lower the objective is replaced by Φ(θ). An
accepted step costs one E-step, a rejected one two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emseg.em.accelerators.rate_matrix import extrapolated
from emseg.em.accelerators.step_limit import LEASH, leap, shorter
from emseg.em.accelerators.trial import Base
from emseg.em.algorithm import Info, State, exact_info
from emseg.em.problem import Problem
from emseg.em.variants.em import EM
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
FAINT = 1e-4  # of what the points show: jumps are rare, so that little rounding is multiplied by another
NEAREST = 1e-4  # to 1, where an eigenvalue of J is first taken to be
CHANGE = 4.0  # factor on that after each jump


@dataclass(frozen=True, eq=False)
class AitkenState(State[Mixture]):
    """With θ and Φ(θ) of the steps since the last jump, oldest first, the steps of burn-in left, and limits."""

    points: tuple[Array, ...] = ()
    images: tuple[Array, ...] = ()
    burn_in: int = 0
    nearest: float = NEAREST
    leash: float = LEASH


@dataclass(frozen=True)
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
        mapped, nearest, leash, tried = self.base.update(problem, state), state.nearest, state.leash, 0
        theta = state.mixture.pack()
        points, images = ((), ()) if state.burn_in else ((*state.points, theta), (*state.images, mapped.pack()))
        if len(points) > min(self.order, theta.size):
            tried = 1
            aim = extrapolated(points, images, FAINT, lambda gap, _: gap + np.maximum(nearest - gap.real, 0))
            landed, leash = leap(self.base, problem, state, mapped, aim, state.leash)
            if landed and landed.expectation.objective >= state.expectation.objective:
                nearest = max(nearest / CHANGE, NEAREST)
                new = AitkenState(landed.mixture, landed.expectation, nearest=nearest, leash=leash)
                return new, exact_info(landed, 1)
            points, images, nearest, leash = points[1:], images[1:], min(CHANGE * nearest, 1.0), shorter(state.leash)
        safe = self.base.evaluate(problem, mapped)
        left = max(state.burn_in - 1, 0)
        new = AitkenState(safe.mixture, safe.expectation, points, images, left, nearest, leash)
        return new, exact_info(safe, 1 + tried)
