"""`Problem`: samples and penalty, with the two projections of EM on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emseg.em import missing
from emseg.em.expectation import Expectation
from emseg.em.kernel import Respond
from emseg.execution.executor import Executor, Serial
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Part, Rows, Samples, gathered
from emseg.mixture.stats import Stats

if TYPE_CHECKING:
    from emseg.mixture.conjugate_prior import ConjugatePrior

Array = NDArray[np.float64]
EMPTY = 1e-12  # smallest share of the samples a component is given: enough to keep its statistics finite


@dataclass(frozen=True, eq=False)
class PartEStep:
    """The E-step at a mixture, to be done on any part of the samples by any process.

    Attributes
    ----------
    mixture : Mixture
    eta : ndarray, shape (..., K, P)
        Coefficients of log π_k f_k(x) = η_k · T(x).
    respond : Respond, optional
    log_jacobian : ndarray, shape (D,), or float
    log_prior : ndarray, shape (...)
        Penalty and prior at the mixture, which every part hands on.
    """

    mixture: Mixture
    eta: Array
    respond: Respond | None
    log_jacobian: Array | float
    log_prior: Array

    def __call__(self, part: Part) -> Expectation:
        """What the part adds to the expectation."""
        return missing.expect(part.rows(), self.mixture, self.eta, self.respond, self.log_jacobian, self.log_prior)


@dataclass(frozen=True, eq=False)
class Problem:
    """A data set and a family to fit to it.

    Attributes
    ----------
    samples : Samples
    family : Family
    floor : float
        Size of the penalty ψ = floor · N · unit²; for Gaussians, where it is -½ tr diag(ψ) Σ⁻¹, the smallest variance
        relative to unit². 0 for maximum likelihood.
    log_jacobian : ndarray, shape (D,), or float
        Added to every sample's log-density, for each dimension that was observed: brings ℓ from standardised
        coordinates to the features' own units. A single number is the sum over all dimensions.
    unit : ndarray, shape (D,), or float
        What the floor is relative to: the spread of the samples in each dimension.
    prior : ConjugatePrior, optional
        Added to the objective, beside the floor's penalty.
    executor : Executor
        Who does the E-step on the parts of the samples. The sums are formed in the order of the parts.
    """

    samples: Samples
    family: Family
    floor: float = 0.0
    log_jacobian: Array | float = 0.0
    unit: Array | float = 1.0
    prior: ConjugatePrior | None = None
    executor: Executor = field(default_factory=Serial)
    n: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", self.samples.observed)  # what nothing is known of has no likelihood
        object.__setattr__(self, "n", self.samples.n)

    @cached_property
    def rows(self) -> Rows:
        """All samples in memory."""
        return gathered(self.samples)

    @cached_property
    def total(self) -> Stats:
        """Statistics of all samples, as of one component; what is missing of them as that component expects it.

        By these, the priors of `map` and `vb` are centred on all that was observed.
        """
        return missing.total(self.samples, self.family) if self.samples.complete else self._single[1]

    @cached_property
    def filled(self) -> Rows:
        """Samples for starts, which need whole ones: what is missing is what a single component expects there."""
        return self.rows if self.samples.complete else missing.filled(self.rows, self._single[0])

    @cached_property
    def _single(self) -> tuple[Mixture, Stats]:
        return missing.single_component(self.samples, self.family, self.floor, self.unit)

    @property
    def shift(self) -> float:
        """What `log_jacobian` adds to ℓ."""
        if self.samples.complete:
            return float(np.sum(self.log_jacobian)) * self.n
        jacobian = missing.by_dimension(self.log_jacobian, self.samples.d)
        return sum(missing.shift_of(part.rows(), jacobian) for part in self.samples.parts())

    def with_prior(self, prior: ConjugatePrior | None) -> Problem:
        """The problem with a prior beside the floor's penalty; itself where there is none."""
        return self if prior is None else replace(self, prior=prior)

    @property
    def psi(self) -> Array | float:
        """Size of the penalty, in each dimension."""
        return self.floor * self.n * self.unit**2

    def e_step(self, mixture: Mixture, respond: Respond | None = None) -> Expectation:
        """e-projection: expected statistics and ℓ at a mixture, or at every mixture of a stack (..., K).

        Parameters
        ----------
        mixture : Mixture
        respond : Respond, optional
            Turns posterior probabilities into another assignment: drawn, hard, annealed. Without it q is the posterior.
        """
        eta, log_prior = self.scores(mixture)
        work, parts = PartEStep(mixture, eta, respond, self.log_jacobian, log_prior), self.samples.parts()
        if len(parts) == 1:
            return work(parts[0])
        return reduce(add, self.executor.map(work, ((part,) for part in parts)))

    def scores(self, mixture: Mixture) -> tuple[Array, Array]:
        """Coefficients η of log π_k f_k(x) = η_k · T(x), shape (..., K, P), and log p(θ), shape (...).

        Those of the mixture that was asked for last are kept: an E-step often follows a look at Q.
        """
        last: tuple[Mixture, Array, Array] | None = self.__dict__.get("_scored")
        if last is None or last[0] is not mixture:
            eta, log_prior = self.family.scores(mixture.components, self.psi, self.prior)
            log_weights = np.log(mixture.weights)
            eta[..., 0] += log_weights
            eta.flags.writeable = False
            log_prior = log_prior + (self.prior.alpha - 1) * log_weights.sum(-1) if self.prior else log_prior
            last = self.__dict__["_scored"] = mixture, eta, log_prior
        return last[1:]

    def m_step(self, stats: Stats, previous: Mixture | None = None) -> Mixture:
        """m-projection: the mixture that maximises the expected complete log-likelihood plus the penalty.

        For covariances EVE and VVE that is a local maximum; it is no lower than at the previous mixture, if that is
        given.
        """
        start = previous.components if previous else None
        components = self.family.m_projection(self._sound(stats), self.psi, self.samples.d, start, self.prior)
        return Mixture(self.weights(stats), components, self.family).tied()

    def conditional(self, part: str, stats: Stats, mixture: Mixture) -> Mixture:
        """A conditional M-step: the best value of one part of the components' parameters, all else held."""
        components = self.family.conditional(part, self._sound(stats), mixture.components, self.psi, self.prior)
        return replace(mixture, components=components)

    def weights(self, stats: Stats) -> Array:
        """π of the M-step, shape (..., K)."""
        n = self._sound(stats).n
        if self.prior:
            n = np.maximum(n + self.prior.alpha - 1, EMPTY * self.n)
        return np.asarray(n / n.sum(-1, keepdims=True))

    def _sound(self, stats: Stats) -> Stats:
        """The statistics with a few samples for empty components, which keeps them finite, and harmless."""
        return Stats(np.maximum(stats.n, EMPTY * self.n), stats.t)
