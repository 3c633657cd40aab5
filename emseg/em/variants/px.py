"""Parameter-expanded EM: Liu, Rubin & Wu (1998), Parameter expansion to accelerate EM, Biometrika 85.

A Student's t says x ~ N(μ, Σ/u) with u ~ Gamma(ν/2, ν/2). The samples cannot tell it from the wider model

x ~ N(μ, Σ*/u),   u ~ α Gamma(ν/2, ν/2),   Σ = Σ*/α

but the M-step of that can learn from the weights what EM's ignores: that their mean is α = Σ r u / n, and not 1. Then Σ
is the scatter divided by Σ r u instead of n, and ν the root for weights u/α. Where a covariance model has one volume, α
is common to all: Σ_k ν_k Σ r u / Σ_k ν_k n_k. The floor's penalty, -½ a for a = tr diag(ψ) Σ*⁻¹, becomes -½ a α, and
α the root of a α² + ν n α - ν Σ r u = 0. Steps for Σ*, α and ν in turn raise Q of the wider model, hence ℓ + log p. At
the optimum α = 1: without a penalty, Σ r u = n.

Only a family with weights can be expanded: Gaussians have none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import FixedPoint, State
from emseg.em.problem import Problem
from emseg.errors import option
from emseg.mixture.covariance.model import CovarianceModel
from emseg.mixture.families.student import Student
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record

Array = NDArray[np.float64]


@record(frozen=True)
class PX(FixedPoint[Problem, Mixture]):
    """EM on a model with a scale more than the samples show."""

    monotone = True

    def evaluate(self, problem: Problem, mixture: Mixture) -> State[Mixture]:
        """The E-step at θ, where α = 1."""
        _model(problem)
        return State(mixture, problem.e_step(mixture))

    def update(self, problem: Problem, state: State[Mixture]) -> Mixture:
        """The M-step of the wider model, brought back to α = 1."""
        model, stats, parts = _model(problem), state.expectation.stats, state.mixture.components
        mixture = problem.m_step(stats, state.mixture)
        wide: Student = mixture.components
        n, mass = stats.n, stats.t[..., 1]
        grain = 0.0 if problem.grain is None else n[..., None, None] * problem.grain
        alpha = _alpha(model, wide.scales, parts.dof * n, parts.dof * mass, problem.psi, grain)
        t = stats.t.copy()
        t[..., -1] += mass - n * np.log(alpha) - mass / alpha  # Σ r (log u/α - u/α)
        narrow = Student(wide.means, wide.scales / alpha[..., None, None], wide.dof)
        return problem.conditional("dof", Stats(n, t), replace(mixture, components=narrow))


def _alpha(
    model: CovarianceModel, scales: Array, n: Array, mass: Array, psi: Array | float, grain: Array | float = 0.0
) -> Array:
    """α of each component, (..., K), from Σ*, ν n and ν Σ r u; and n Λ of the grain, (..., K, D, D)."""
    k, inverse = scales.shape[-3], np.linalg.inv(scales)
    a = (np.einsum("...ii->...i", inverse) * psi).sum(-1) * (model.distinct(k) / k) + (inverse * grain).sum((-1, -2))
    if model.letters[0] == "E":
        a, n, mass = (np.broadcast_to(part.sum(-1, keepdims=True), part.shape) for part in (a, n, mass))
    return np.asarray(np.where(mass > 0, 2 * mass / (n + np.sqrt(n**2 + 4 * a * mass)), 1.0))


def _model(problem: Problem) -> CovarianceModel:
    """The covariance model of the scales, which must be hidden."""
    return problem.family.hidden_scale_model(option("algorithm", "px"))
