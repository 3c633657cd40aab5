"""Variational Bayes: Attias (2000), A variational Bayesian framework for graphical models; Bishop (2006), section 10.2.

q(labels) Π_k q(π) q(μ_k, Λ_k) climbs the evidence lower bound, with conjugate priors and posteriors

π ~ Dirichlet(α),   μ_k | Λ_k ~ N(m_k, (β_k Λ_k)⁻¹),   Λ_k ~ Wishart(V_k⁻¹, ν_k)

M-step   α_k = α₀ + n_k,   β_k = β₀ + n_k,   ν_k = ν₀ + n_k,   m_k = (β₀ m₀ + n_k x̄_k) / β_k,
         V_k = V₀ + W_k + (β₀ n_k / β_k) (x̄_k - m₀)(x̄_k - m₀)ᵀ,   W_k the scatter about x̄_k
E-step   log r_ik = E[log π_k] + E[log N(x_i; μ_k, Λ_k⁻¹)] + const

m₀ is the mean of the samples and V₀ a multiple of their covariance. A diagonal precision is made of D one-dimensional
Wisharts, a spherical one of a single one that sees D n_k values, and a tied one sees all samples at once.

The mixture of a state has the expected weights, means and precisions. At it E[log N] differs from log N by a constant a
component, so one E-step at it gives both ℓ and, its weights tilted by those constants, q. Log rows hold, all of them
really computed,

objective        the complete bound on the log evidence: E_q[log p(x, labels, π, μ, Λ) - log q], constants included
log_likelihood   ℓ of that mixture, the evidence itself being unknown
elbo, kl         the bound on ℓ that q(labels) gives at that mixture, and its divergence from the posterior there

Components that the data do not need lose their samples, the faster the smaller α₀ is: see `Fit.counts`.
"""

from __future__ import annotations

from dataclasses import replace
from math import log, pi

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info, State, bound_info
from emseg.em.assignments import RowByRow
from emseg.em.problem import Problem
from emseg.errors import UsageError, option
from emseg.mixture.covariance.model import CovarianceModel
from emseg.mixture.covariance.second_moments import moments, product_indices
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.family import Real
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.records import record

Array = NDArray[np.float64]
#: By covariance model, the independent blocks of a precision: one full, one a dimension, or a single number.
BLOCKS = {"VVV": "full", "EEE": "full", "VVI": "diag", "EEI": "diag", "VII": "spherical", "EII": "spherical"}


@record(frozen=True, eq=False)
class Prior:
    """α₀, β₀, ν₀, m₀ (D,) and V₀ (B, p, p): B independent precision blocks of p dimensions."""

    alpha: float
    beta: float
    nu: float
    mean: Array
    scale: Array


@record(frozen=True, eq=False)
class VBState(State[Mixture]):
    """With the prior, which is found once."""

    prior: Prior


@record(frozen=True)
class VB:
    """Variational Bayes.

    Attributes
    ----------
    alpha : float
        α₀, the samples each component is credited with beforehand; far below 1, components that are not needed empty.
    shrinkage : float
        β₀, the samples for which the mean of all counts in the mean of a component.
    dof : float
        ν₀ in excess of the number of dimensions.
    scale : float
        V₀ relative to the covariance of all samples.
    """

    alpha: float = 1e-3
    shrinkage: float = 0.01
    dof: float = 2.0
    scale: float = 1.0
    monotone = True

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and self.shrinkage > 0 and self.scale > 0):
            raise ValueError("alpha, shrinkage and scale must be above 0")
        if not self.dof > -1:
            raise ValueError("dof must be above -1")

    def init(self, problem: Problem, start: Mixture, rng: np.random.Generator) -> tuple[VBState, Info]:
        """The q that samples distributed as the starting mixture lead to."""
        model = _model(problem)
        if model.letters not in BLOCKS:
            names = ", ".join(("full", "tied", "diag", "spherical", *BLOCKS))
            raise UsageError(
                f"{option('algorithm', 'vb')}: {model.name} has no conjugate prior; "
                f"use one of {names} for {option('covariance')}"
            )
        return self._iterate(problem, self._prior(problem), _stats(start, problem.n, model.needs_products))

    def step(self, problem: Problem, state: VBState, rng: np.random.Generator) -> tuple[VBState, Info]:
        """Parameters from labels, then labels from parameters."""
        return self._iterate(problem, state.prior, state.expectation.stats)

    def _prior(self, problem: Problem) -> Prior:
        d, model = problem.samples.d, _model(problem)
        (mean,), (scatter,) = moments(problem.total, d)
        # The floor is a prior scale too: it adds up with the multiple of the covariance.
        scale = _blocks(self.scale * scatter / problem.n + problem.psi * np.eye(d), BLOCKS[model.letters])
        return Prior(self.alpha, self.shrinkage, scale.shape[-1] + self.dof, mean, scale)

    def _iterate(self, problem: Problem, prior: Prior, stats: Stats) -> tuple[VBState, Info]:
        mixture, tilt, divergence = _posterior(problem, prior, stats)

        found = problem.e_step(mixture, Tilted(tilt))
        kl = found.stats.n @ tilt - found.entropy
        objective = float(found.fitted + found.entropy) - divergence
        rounding = found.rounding + 8 * np.finfo(np.float64).eps * problem.n * log(problem.n + 2)
        entropy = found.fitted - kl - found.complete
        state = VBState(mixture, replace(found, entropy=entropy, rounding=rounding), prior)
        return state, bound_info(state, objective, 1)


@record(frozen=True, eq=False)
class Tilted(RowByRow):
    """q_ik ∝ r_ik e^tilt_k, with Σ c_i log Σ_k r_ik e^tilt_k in the place of its entropy, which follows from that.

    Attributes
    ----------
    tilt : ndarray, shape (K,)
    """

    tilt: Array

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        q = r * np.exp(self.tilt).astype(r.dtype)[:, None]
        total = q.sum(1)
        return q * (weight / total)[:, None], np.log(total) @ weight


def _model(problem: Problem) -> CovarianceModel:
    """The covariance model of Gaussians, for which the equations above hold."""
    return problem.family.normal_model(option("algorithm", "vb"))


def _posterior(problem: Problem, prior: Prior, stats: Stats) -> tuple[Mixture, Array, float]:
    """The mean mixture of q; E[log π_k N(x; μ_k, Λ_k⁻¹)] less the mixture's own log-joint, (K,); KL(q(θ) ‖ p(θ))."""
    from scipy.special import gammaln, psi

    model, d = _model(problem), problem.samples.d
    kind = BLOCKS[model.letters]
    repeats = d if kind == "spherical" else 1
    stats = problem.grained(stats)
    n = stats.n
    k = n.size
    alpha, beta = prior.alpha + n, prior.beta + n
    centres, scatter = moments(Stats(n, stats.t), d)
    offset = centres - prior.mean
    scatter += (prior.beta * n / beta)[:, None, None] * offset[:, :, None] * offset[:, None, :]
    means = prior.mean + (n / beta)[:, None] * offset
    seen = n * repeats
    if model.letters[0] == "E":
        scatter, seen = scatter.sum(0, keepdims=True), seen.sum(keepdims=True)
    nu, v = prior.nu + seen, prior.scale + _blocks(scatter, kind)
    expected_log_det, wishart = _wishart(nu, v, prior)
    covariances = np.broadcast_to(_whole(v / nu[:, None, None, None], d), (k, d, d))

    weights = alpha / alpha.sum()
    expected_log_weight = psi(alpha) - psi(alpha.sum())
    log_det = -np.linalg.slogdet(covariances)[1]
    tilt = expected_log_weight - np.log(weights) + (repeats * expected_log_det - log_det - d / beta) / 2

    shift = means - prior.mean
    distance = np.einsum("ki,ki->k", shift, np.linalg.solve(covariances, shift[..., None])[..., 0])
    normal = 0.5 * (d * (prior.beta / beta - 1 + np.log(beta / prior.beta)) + prior.beta * distance).sum()
    dirichlet = gammaln(alpha.sum()) - gammaln(k * prior.alpha) + k * gammaln(prior.alpha) - gammaln(alpha).sum()
    dirichlet += (alpha - prior.alpha) @ expected_log_weight
    return Mixture(weights, Gaussian(means, covariances), problem.family), tilt, float(normal + dirichlet + wishart)


def _wishart(nu: Array, v: Array, prior: Prior) -> tuple[Array, float]:
    """E[log |Λ|] of (K, B, p, p) posteriors, summed over B; and their KL from the prior, summed over all."""
    from scipy.special import gammaln, psi

    p, i = v.shape[-1], np.arange(v.shape[-1])

    def log_norm(nu: Array, log_det: Array) -> Array:
        """-log B(V⁻¹, ν): what normalises the density (Bishop B.79)."""
        gammas = gammaln((nu[:, None] - i) / 2).sum(-1) + p * (p - 1) / 4 * log(pi)
        return np.asarray(nu * p / 2 * log(2) + gammas)[:, None] - nu[:, None] / 2 * log_det

    log_det, log_det0 = np.linalg.slogdet(v)[1], np.linalg.slogdet(prior.scale)[1]
    expected = (psi((nu[:, None] - i) / 2).sum(-1) + p * log(2))[:, None] - log_det
    trace = np.trace(np.linalg.solve(v, np.broadcast_to(prior.scale, v.shape)), axis1=-2, axis2=-1)
    excess = (nu - prior.nu)[:, None] * expected + nu[:, None] * (trace - p)
    divergence = log_norm(np.array([prior.nu]), log_det0) - log_norm(nu, log_det) + excess / 2
    return expected.sum(-1), float(divergence.sum())


def _stats(mixture: Mixture, n: float, products: bool) -> Stats:
    """The statistics of n samples that are distributed as a mixture, the expectations of T(x)."""
    np.linalg.cholesky(mixture.components.covariances)  # a start without density is refused
    means, counts = mixture.components.means, n * mixture.weights
    second = mixture.components.covariances + means[:, :, None] * means[:, None, :]
    i, j = product_indices(mixture.d, products)
    t = np.concatenate([np.ones((mixture.k, 1)), means, second[:, i, j]], axis=1)
    return Stats(counts, counts[:, None] * t)


def _blocks(matrices: Array, kind: str) -> Array:
    """The parts of (..., D, D) matrices that are independent: (..., B, p, p)."""
    if kind == "full":
        return matrices[..., None, :, :]
    diagonal: Array = np.einsum("...ii->...i", matrices)
    return (diagonal if kind == "diag" else diagonal.sum(-1, keepdims=True))[..., None, None]


def _whole(blocks: Array, d: int) -> Array:
    """Inverse of `_blocks`, one variance repeated along the diagonal: (..., D, D)."""
    return blocks[..., 0, :, :] if blocks.shape[-1] > 1 else blocks[..., 0] * np.eye(d)
