"""Multivariate Aitken acceleration: Louis (1982), Finding the observed information matrix when using EM, JRSS B 44.

θ' = θ + (I - J)⁻¹ (Φ(θ) - θ),   J the rate matrix of EM, ∂Φ/∂θ

Near its limit EM is the linear map e → J e, so this is Newton's method for Φ(θ) = θ. J is learned from EM's own
iterates: with V the last differences of θ as columns and U those of Φ(θ), U = J V, and J = U V⁺ on what V spans.
A burn-in comes first, since J is that of the limit; then plain steps that gather differences and a jump alternate. A
jump that would lower the objective is replaced by Φ(θ). An accepted step costs one E-step, a rejected one two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emseg.em.base import FixedPoint, Info, State, exact_info, jump
from emseg.em.em import EM
from emseg.em.problem import Problem
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
NEAREST = 1e-4  # to 1, where an eigenvalue of J is taken to be
CROOKED = 1e8  # condition of eigenvectors that say nothing
COLLINEAR = 1e-7  # differences that add less than this share of new direction are rounding


@dataclass(frozen=True, eq=False)
class AitkenState(State):
    """With θ and Φ(θ) of the steps since the last jump, oldest first, and the steps of burn-in left."""

    points: tuple[Array, ...] = ()
    images: tuple[Array, ...] = ()
    burn_in: int = 0


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

    base: FixedPoint = field(default_factory=EM)
    burn_in: int = 5
    order: int = 2
    monotone = True

    def __post_init__(self) -> None:
        if self.burn_in < 0 or self.order < 1:
            raise ValueError("burn_in must not be negative, order at least 1")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[State, Info]:
        """The base's state, with an empty memory."""
        state = self.base.evaluate(problem, start)
        return AitkenState(state.mixture, state.expectation, burn_in=self.burn_in), exact_info(state, 1)

    def step(self, problem: Problem, state: State, rng: np.random.Generator) -> tuple[State, Info]:
        """A plain step, or a guarded jump where enough differences have been gathered."""
        assert isinstance(state, AitkenState)
        mapped = self.base.update(problem, state)
        theta, image = state.mixture.pack(), mapped.pack()
        points, images = ((), ()) if state.burn_in else ((*state.points, theta), (*state.images, image))
        jumps = len(points) > min(self.order, theta.size)
        aim = self._aim(points, images) if jumps else None
        landed = None if aim is None else jump(self.base, problem, mapped, aim)
        if landed and landed.expectation.objective >= state.expectation.objective:
            return AitkenState(landed.mixture, landed.expectation), exact_info(landed, 1)
        safe = self.base.evaluate(problem, mapped)
        if jumps:
            points, images = points[1:], images[1:]
        left = max(state.burn_in - 1, 0)
        new = AitkenState(safe.mixture, safe.expectation, points, images, left)
        return new, exact_info(safe, 1 if aim is None else 2)

    @staticmethod
    def _aim(points: tuple[Array, ...], images: tuple[Array, ...]) -> Array | None:
        """θ + (I - J)⁻¹ (Φ(θ) - θ), by Woodbury's identity; None where the points have shown nothing."""
        action, basis = rate(points, images)
        values, vectors = np.linalg.eig(basis.T @ action)
        if not values.size or np.linalg.cond(vectors) > CROOKED:
            return None
        residual = images[-1] - points[-1]
        forward = 1 / np.maximum(np.abs(1 - values), NEAREST)
        reach = (vectors * forward) @ np.linalg.solve(vectors, basis.T @ residual)
        aim: Array = images[-1] + action @ reach.real
        return aim


def rate(points: Sequence[Array], images: Sequence[Array]) -> tuple[Array, Array]:
    """J = A Pᵀ from points θ and their images Φ(θ).

    Returns
    -------
    action : ndarray, shape (p, m)
        A = J P.
    basis : ndarray, shape (p, m)
        P, orthonormal; Pᵀ A has the eigenvalues of J that the points have shown.
    """
    basis, singular, mix = np.linalg.svd(np.diff(points, axis=0).T, full_matrices=False)
    kept = singular > COLLINEAR * singular[0]
    basis, mix = basis[:, kept], mix[kept].T / singular[kept]
    return np.diff(images, axis=0).T @ mix, basis
