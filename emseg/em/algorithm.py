"""What an EM variant is: a start, a step, and the two values that both return.

A variant holds its mathematics and nothing else. The loop, the log, the stopping rule and the check that a monotone
objective does not fall are in `emseg.em.fit`, which knows an algorithm by `Algorithm`, its states by `Iterate`, and the
data by `Countable`. Anything that has these three can be fitted there: a mixture of pixels, of patches, or a Markov
field.

A state holds what the next step needs; an `Info` holds what the log needs. Both are frozen. Randomness enters through
the generator that is passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Status
from emseg.em.expectation import Expectation
from emseg.mixture.stats import Stats
from emseg.records import record

if TYPE_CHECKING:
    from emseg.mixture.conjugate_prior import ConjugatePrior


class Weighted(Protocol):
    """What `fit` asks of a mixture."""

    @property
    def weights(self) -> NDArray[np.float64]:
        """π, shape (K,)."""


class Countable(Protocol):
    """What `fit` asks of a problem."""

    @property
    def n(self) -> float:
        """Number of samples."""


class Iterate(Protocol):
    """What `fit` asks of a state."""

    @property
    def mixture(self) -> Any:
        """θ, of the type that the algorithm starts from."""

    @property
    def counts(self) -> NDArray[np.float64]:
        """Expected number of samples of each component, shape (K,)."""


M = TypeVar("M", bound=Weighted)
M_contra = TypeVar("M_contra", contravariant=True)
P_contra = TypeVar("P_contra", contravariant=True)
S = TypeVar("S", bound=Iterate)


@record(frozen=True, eq=False)
class State(Generic[M]):
    """A mixture θ and the E-step at it, from which the next M-step starts."""

    mixture: M
    expectation: Expectation

    @property
    def counts(self) -> NDArray[np.float64]:
        """Expected number of samples of each component, shape (K,)."""
        return self.expectation.stats.n


@record(frozen=True)
class Info:
    """The numbers of one log row, in nats summed over samples.

    Attributes
    ----------
    objective : float
        What the algorithm climbs.
    log_likelihood, elbo, kl : float
        log_likelihood = elbo + kl.
    e_steps : int
        E-steps of this step alone, rejected ones included.
    rounding : float
        Bound on what arithmetic alone can change the objective by. Falls and rises of less say nothing.
    comparable : bool
        Whether the objective may be compared with that of the row before. It may not where either was drawn at random,
        or where they are different functions. The stopping rule looks at runs of comparable rows.
    ending : Status, optional
        Why the fit ends with this row, for an algorithm with a schedule of its own.
    """

    objective: float
    log_likelihood: float
    elbo: float
    kl: float
    e_steps: int
    rounding: float
    comparable: bool = True
    ending: Status | None = None


class Algorithm(Protocol[P_contra, M_contra, S]):
    """A member of the EM family, for problems of type P, mixtures of type M and its own states of type S.

    Attributes
    ----------
    monotone : bool
        Whether the objective must never fall; `fit` checks it at every step.
    """

    @property
    def monotone(self) -> bool: ...  # noqa: D102

    def init(self, problem: P_contra, start: M_contra, rng: np.random.Generator) -> tuple[S, Info]:
        """The state at a starting mixture.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a component is singular; so does `step`.
        """

    def step(self, problem: P_contra, state: S, rng: np.random.Generator) -> tuple[S, Info]:
        """One iteration."""


class Projections(Protocol[M]):
    """Data with the two projections of EM, for mixtures of type M."""

    @property
    def n(self) -> float:
        """Number of samples."""

    def e_step(self, mixture: M, /) -> Expectation:
        """e-projection: expected statistics and ℓ at a mixture."""

    def m_step(self, stats: Stats, previous: M, /) -> M:
        """m-projection: the mixture that matches the statistics."""


class FixedPoint(Protocol[P_contra, M]):
    """An algorithm that iterates a map θ → Φ(θ) and can therefore be accelerated."""

    @property
    def monotone(self) -> bool: ...  # noqa: D102

    def evaluate(self, problem: P_contra, mixture: M) -> State[M]:
        """The E-step at θ."""
        ...

    def update(self, problem: P_contra, state: State[M]) -> M:
        """Φ(θ), without an E-step at the new point."""
        ...

    def prior(self, problem: P_contra, k: int) -> ConjugatePrior | None:
        """The prior on K components that the iteration brings along; None where it brings none."""
        return None

    def init(self, problem: P_contra, start: M, rng: np.random.Generator) -> tuple[State[M], Info]:
        """The state at a starting mixture."""
        state = self.evaluate(problem, start)
        return state, exact_info(state, 1)

    def step(self, problem: P_contra, state: State[M], rng: np.random.Generator) -> tuple[State[M], Info]:
        """θ ← Φ(θ)."""
        return self.init(problem, self.update(problem, state), rng)


def exact_info(state: State[Any], e_steps: int) -> Info:
    """The log row after an exact E-step: responsibilities are the posterior, so KL is zero and the bound is tight."""
    found = state.expectation
    log_likelihood, taken = float(found.log_likelihood), float(found.taken)
    elbo = log_likelihood - taken
    return Info(float(found.objective), log_likelihood, elbo, taken, e_steps, float(found.rounding))


def bound_info(state: State[Any], objective: float, e_steps: int, elbo: float | None = None) -> Info:
    """The log row after an E-step that stopped short of the posterior, drew from it or sharpened it.

    The bound is that of the state's E-step, unless another is given.
    """
    found = state.expectation
    log_likelihood, rounding = float(found.log_likelihood), float(found.rounding)
    elbo = float(found.elbo) if elbo is None else elbo
    if 0 < elbo - log_likelihood <= rounding:  # a bound above what it bounds, by rounding alone
        elbo = log_likelihood
    return Info(objective, log_likelihood, elbo, max(log_likelihood - elbo, 0.0), e_steps, rounding)
