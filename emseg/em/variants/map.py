"""EM for the largest posterior density: EM on ℓ(θ) + log p(θ), with the conjugate prior as pseudo-statistics.

M-step   θ' = argmax_θ Σ_ik c_i r_ik log π_k f_k(x_i) + log p(θ),   p as in `NormalInverseWishart`

The prior is weak and centred on the data: m is their mean, κ = 0.01, ν = D + 2, and Λ = S / K^(2/D), S their
covariance, or its mean variance times the identity for models along the axes. That is mclust's prior (Fraley & Raftery
2007), and so are the fits for all models whose M-step is the maximum of a posterior there: E, V, VII, VVI, EEE and VVV.
mclust's others count differently: like another ν (VEI, EVI, EEV, VEV), Λ = 0 (EII), or no prior at all (EEI).
"""

from __future__ import annotations

from emseg.em.algorithm import FixedPoint, State
from emseg.em.problem import Problem
from emseg.mixture.conjugate_prior import ConjugatePrior, PriorStrength
from emseg.mixture.mixture import Mixture
from emseg.records import record


@record(frozen=True)
class Map(FixedPoint[Problem, Mixture]):
    """EM with a prior; for Student mixtures it is the Gaussians', on means and scales.

    Attributes
    ----------
    shrinkage : float
        κ, the samples for which the mean of all counts in the mean of a component.
    dof : float
        ν in excess of the number of dimensions.
    scale : float
        Λ relative to S / K^(2/D). Like dof, of Gaussians only.
    alpha : float
        Parameter of the Dirichlet prior of the weights; 1 is flat, more keeps components alike in size.
    """

    shrinkage: float = PriorStrength.shrinkage
    dof: float = PriorStrength.dof
    scale: float = PriorStrength.scale
    alpha: float = PriorStrength.alpha
    monotone = True

    def __post_init__(self) -> None:
        if not (self.shrinkage >= 0 and self.scale >= 0 and self.alpha >= 1):
            raise ValueError("shrinkage and scale must be 0 or more, and alpha 1 or more")
        if not self.dof > -1:
            raise ValueError("dof must be above -1")

    def evaluate(self, problem: Problem, mixture: Mixture) -> State[Mixture]:
        """The E-step at θ."""
        return State(mixture, problem.with_prior(self.prior(problem, mixture.k)).e_step(mixture))

    def update(self, problem: Problem, state: State[Mixture]) -> Mixture:
        """The M-step."""
        posterior = problem.with_prior(self.prior(problem, state.mixture.k))
        return posterior.m_step(state.expectation.stats, state.mixture)

    def prior(self, problem: Problem, k: int) -> ConjugatePrior:
        """What is believed of a mixture of K components before the samples are seen."""
        strength = PriorStrength(self.shrinkage, self.dof, self.scale, self.alpha)
        return problem.family.default_prior(problem.total, k, problem.samples.d, strength)
