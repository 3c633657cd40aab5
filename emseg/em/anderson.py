"""Anderson acceleration of EM: Henderson & Varadhan (2019), J. Comput. Graph. Stat. 28.

With f_t = Φ(θ_t) - θ_t and the last m differences ΔΘ, ΔF of θ and f as columns,

γ = argmin ‖f - ΔF γ‖² + λ‖γ‖²,   θ' = Φ(θ) - (ΔΘ + ΔF) γ            (their eq. 5, with the damping λ)

which is a quasi-Newton step that has learned the rate matrix of EM along the directions travelled so far. A step that
would lower the objective is replaced by Φ(θ), the memory is emptied, and plain steps fill it again before the next
jump. An accepted step costs one E-step, a rejected one two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emseg.em.base import FixedPoint, Info, State, exact_info, jump
from emseg.em.em import EM
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AndersonState(State):
    """With the last points θ and residuals f, oldest first, and how many plain steps come before the next jump."""

    points: tuple[Array, ...] = ()
    residuals: tuple[Array, ...] = ()
    rest: int = 0


@dataclass(frozen=True)
class Anderson:
    """Anderson acceleration of any fixed-point iteration.

    Attributes
    ----------
    base : FixedPoint
    order : int
        Largest number of differences remembered; never more than half the number of parameters.
    damping : float
        λ relative to the mean square of ΔF.
    """

    base: FixedPoint = field(default_factory=EM)
    order: int = 5
    damping: float = 1e-10
    monotone = True

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        """The base's state, with an empty memory."""
        state = self.base.evaluate(problem, start)
        return AndersonState(state.mixture, state.expectation), exact_info(state, 1)

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        """One guarded step."""
        assert isinstance(state, AndersonState)
        mapped = self.base.update(problem, state)
        theta, image = state.mixture.pack(), mapped.pack()
        memory = min(self.order, -(-theta.size // 2)) + 1
        points = (*state.points, theta)[-memory:]
        residuals = (*state.residuals, image - theta)[-memory:]
        tries = len(points) > 1 and not state.rest
        if tries:
            landed = jump(self.base, problem, mapped, image - self._correction(points, residuals))
            if landed and landed.expectation.objective >= state.expectation.objective:
                return AndersonState(landed.mixture, landed.expectation, points, residuals), exact_info(landed, 1)
            points, residuals = points[-1:], residuals[-1:]
        safe = self.base.evaluate(problem, mapped)
        rest = memory - 1 if tries else max(state.rest - 1, 0)
        return AndersonState(safe.mixture, safe.expectation, points, residuals, rest), exact_info(safe, 1 + tries)

    def _correction(self, points: tuple[Array, ...], residuals: tuple[Array, ...]) -> Array:
        """(ΔΘ + ΔF) γ."""
        d_theta = np.diff(points, axis=0)
        d_f = np.diff(residuals, axis=0)
        gram = d_f @ d_f.T
        gram += self.damping * max(np.trace(gram), np.finfo(float).tiny) * np.eye(len(gram))
        result: Array = np.linalg.solve(gram, d_f @ residuals[-1]) @ (d_theta + d_f)
        return result
