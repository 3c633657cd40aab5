"""`Problem`: samples and penalty, with the two projections of EM on them."""

from __future__ import annotations

from dataclasses import field
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
from emseg.records import record, replace

if TYPE_CHECKING:
    from emseg.mixture.conjugate_prior import ConjugatePrior

Array = NDArray[np.float64]
MOST = 600.0  # nats that the grain takes off a component at most, in a weight: e^-600 is a number
EMPTY = 1e-12  # smallest share of the samples a component is given: enough to keep its statistics finite


@record(frozen=True, eq=False)
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
    lift : ndarray, shape (..., K), optional
        See `Problem.lift`.
    """

    mixture: Mixture
    eta: Array
    respond: Respond | None
    log_jacobian: Array | float
    log_prior: Array
    lift: Array | None = None

    def __call__(self, part: Part) -> Expectation:
        """What the part adds to the expectation."""
        return missing.expect(
            part.rows(), self.mixture, self.eta, self.respond, self.log_jacobian, self.log_prior, self.lift
        )


@record(frozen=True, eq=False)
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
    grain : ndarray, shape (D, D), optional
        Λ, the covariance of what is not known of a value because it was rounded. The samples are x + u, u ~ (0, Λ),
        and what is fitted is the expected log-density of each component: Σ_i c_i log Σ_k π_k exp E[log f_k(x_i + u)].
        For Gaussians that is log f_k(x) - ½ tr Λ Σ_k⁻¹. EM on it is EM with Λ in the scatter of every sample, so
        Σ_k = W_k / n_k + Λ, which no component falls below, whatever its share. The expected log-densities of all
        components lose alike in a direction that none has extent in, so there is no reward for fewer of them.
    lifted : bool
        Whether ℓ is that of the mixture's own densities; else what the grain takes off is left out of it, too.
    executor : Executor
        Who does the E-step on the parts of the samples. The sums are formed in the order of the parts.
    """

    samples: Samples
    family: Family
    floor: float = 0.0
    log_jacobian: Array | float = 0.0
    unit: Array | float = 1.0
    prior: ConjugatePrior | None = None
    grain: Array | None = None
    lifted: bool = True
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

    def at_least(self, floor: float) -> Problem:
        """The problem with no variance below that floor: by a grain where there is one, else by the penalty."""
        if self.grain is None:
            return replace(self, floor=max(self.floor, floor))
        least = floor * np.broadcast_to(np.asarray(self.unit, np.float64) ** 2, len(self.grain))
        return replace(self, grain=self.grain + np.diag(np.maximum(least - np.diag(self.grain), 0)))

    @property
    def psi(self) -> Array | float:
        """Size of the penalty, in each dimension."""
        return self.floor * self.n * self.unit**2

    @cached_property
    def _grain(self) -> Array | None:
        """E[T(x + u)] - T(x), shape (P,); None without a grain."""
        return None if self.grain is None else self.family.grain(self.grain)

    def lift(self, mixture: Mixture) -> Array | None:
        """log f_k(x) - E[log f_k(x + u)] of each component, shape (..., K); None without a grain."""
        return None if self._grain is None else self._scores(mixture)[2]

    def tilted(self, mixture: Mixture) -> Mixture:
        """The mixture with weights such that π_k f_k(x) is what the grain leaves of it; itself without a grain."""
        lift = self.lift(mixture)
        return mixture if lift is None else replace(mixture, weights=mixture.weights * np.exp(-np.minimum(lift, MOST)))

    def e_step(self, mixture: Mixture, respond: Respond | None = None) -> Expectation:
        """e-projection: expected statistics and ℓ at a mixture, or at every mixture of a stack (..., K).

        Parameters
        ----------
        mixture : Mixture
        respond : Respond, optional
            Turns posterior probabilities into another assignment: drawn, hard, annealed. Without it q is the posterior.

        Returns
        -------
        Expectation
            Of a stack, ℓ is less what the grain takes off: a search compares objectives, and a logarithm costs time.
        """
        eta, log_prior = self.scores(mixture)
        shown = self.lifted and mixture.weights.ndim == 1
        by_weights = not self.samples.complete or mixture.link() is not None  # else η says all
        tilted, lift = self.tilted(mixture) if by_weights else mixture, self.lift(mixture) if shown else None
        work, parts = PartEStep(tilted, eta, respond, self.log_jacobian, log_prior, lift), self.samples.parts()
        if len(parts) == 1:
            return work(parts[0])
        return reduce(add, self.executor.map(work, ((part,) for part in parts)))

    def scores(self, mixture: Mixture) -> tuple[Array, Array]:
        """Coefficients η of log π_k f_k(x) = η_k · T(x), shape (..., K, P), and log p(θ), shape (...).

        With a grain, they are those of log π_k + E[log f_k(x + u)].

        Those of the mixture that was asked for last are kept: an E-step often follows a look at Q.
        """
        return self._scores(mixture)[:2]

    def _scores(self, mixture: Mixture) -> tuple[Array, Array, Array | None]:
        last: tuple[Mixture, Array, Array, Array | None] | None = self.__dict__.get("_scored")
        if last is None or last[0] is not mixture:
            eta, log_prior = self.family.scores(mixture.components, self.psi, self.prior)
            lift = None if self._grain is None else np.asarray(-eta @ self._grain)
            if lift is not None:
                eta[..., 0] -= lift
            log_weights = np.log(mixture.weights)
            eta[..., 0] += log_weights
            eta.flags.writeable = False
            log_prior = log_prior + (self.prior.alpha - 1) * log_weights.sum(-1) if self.prior else log_prior
            last = self.__dict__["_scored"] = mixture, eta, log_prior, lift
        return last[1:]

    def m_step(self, stats: Stats, previous: Mixture | None = None) -> Mixture:
        """m-projection: the mixture that maximises the expected complete log-likelihood plus the penalty.

        For covariances EVE and VVE that is a local maximum; it is no lower than at the previous mixture, if that is
        given.
        """
        start = previous.components if previous else None
        components = self.family.m_projection(self.grained(stats), self.psi, self.samples.d, start, self.prior)
        return Mixture(self.weights(stats), components, self.family).tied()

    def conditional(self, part: str, stats: Stats, mixture: Mixture) -> Mixture:
        """A conditional M-step: the best value of one part of the components' parameters, all else held."""
        components = self.family.conditional(part, self.grained(stats), mixture.components, self.psi, self.prior)
        return replace(mixture, components=components)

    def weights(self, stats: Stats) -> Array:
        """π of the M-step, shape (..., K)."""
        n = self._sound(stats).n
        if self.prior:
            n = np.maximum(n + self.prior.alpha - 1, EMPTY * self.n)
        return np.asarray(n / n.sum(-1, keepdims=True))

    def grained(self, stats: Stats) -> Stats:
        """Statistics of x + u, see `grain`, with a few samples for empty components."""
        sound = self._sound(stats)
        return sound if self._grain is None else Stats(sound.n, sound.t + sound.n[..., None] * self._grain)

    def _sound(self, stats: Stats) -> Stats:
        """The statistics with a few samples for empty components, which keeps them finite, and harmless."""
        return Stats(np.maximum(stats.n, EMPTY * self.n), stats.t)
