"""Classic EM: Dempster, Laird & Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39.

E-step   r_ik = π_k f_k(x_i) / Σ_j π_j f_j(x_i),   S = Σ_i c_i r_ik T(x_i)
M-step   θ' = argmax_θ Σ_ik c_i r_ik log π_k f_k(x_i) + log p(θ),   p the covariance penalty

ℓ(θ) + log p(θ) never falls. Each step costs one E-step: the state carries the statistics at θ, so a step is the M-step
from them and the E-step at the new mixture.
"""

from __future__ import annotations

from emseg.em.algorithm import FixedPoint, M, Projections, State
from emseg.records import record


@record(frozen=True)
class EM(FixedPoint[Projections[M], M]):
    """Classic EM of whatever has its two projections."""

    monotone = True

    def evaluate(self, problem: Projections[M], mixture: M) -> State[M]:
        """The E-step at θ."""
        return State(mixture, problem.e_step(mixture))

    def update(self, problem: Projections[M], state: State[M]) -> M:
        """The M-step."""
        return problem.m_step(state.expectation.stats, state.mixture)
