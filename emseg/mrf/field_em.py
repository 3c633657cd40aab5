"""EM for mixtures whose labels are a Potts field, as an algorithm that `emseg.em.fit` iterates.

One iteration goes over the field with the mixture θ and the strength β fixed. From what that says of each pixel it sums
the statistics of the next M-step, and the derivatives of the log pseudo-likelihood for one Newton step of β. How the
field is gone over is the method's business, see `emseg.mrf.inference`.

Where the method draws labels, this is stochastic approximation EM (Delyon, Lavielle & Moulines 1999): S becomes
S + γ_t (S_t - S) with the step sizes γ_t of the schedule, and β is averaged in the same way. For all others γ_t = 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info
from emseg.em.convergence import Status
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.mrf.emission import Emission
from emseg.mrf.inference.protocol import Inference
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.potts import LARGEST_EXPONENT, Labels, Real
from emseg.mrf.strength import Slope, critical_beta
from emseg.records import record

Array = NDArray[np.float64]
#: Pixels on which the slope of the pseudo-likelihood is measured in one iteration. On more of them, every so many-th
#: block is used, another one in each iteration.
SLOPE_PIXELS = 1 << 17
FIRST_BETA = 1.0  # β of the first iteration, over the critical one; errors are the same from .8 to 1.2
WAIT = 8  # iterations for which β and the classes' shares must stay still; errors are the same from 4 to 16
#: Nats a pixel. Where rounding of the statistics can move the free energy by more, iterations are not compared.
COARSE = 0.01
EPSILON = float(np.finfo(np.float32).eps)


@record(frozen=True, eq=False)
class FieldProblem:
    """Pixels on a lattice, and what is given of their field.

    Attributes
    ----------
    emission : Emission
    labels : ndarray of uint8
        Labels to start from, with a halo.
    beta : float, optional
        Strength of the field; estimated unless given.
    """

    emission: Emission
    labels: Labels
    beta: float | None = None

    @property
    def n(self) -> float:
        """Number of pixels."""
        return float(self.emission.lattice.n_sites)


@record(frozen=True, eq=False)
class FieldState:
    """One iteration at (θ, β).

    Attributes
    ----------
    mixture : Mixture
        θ.
    field : Inference
        What the method says of the pixels.
    stats : Stats
        For the next M-step.
    betas : tuple of float
        β after every iteration; the last one is for the next.
    free_energies : tuple of float
        After every iteration, if they are watched.
    recent : tuple of ndarray, shape (K + 1,)
        The shares of the classes and β after the last iterations.
    densities : (ndarray of float32, shape (S, K, M); float)
        Log-densities less their largest, and the sum of the largest.
    """

    mixture: Mixture
    field: Inference
    stats: Stats
    betas: tuple[float, ...]
    free_energies: tuple[float, ...]
    recent: tuple[Array, ...]
    densities: tuple[Real, float]

    @property
    def counts(self) -> Array:
        """Expected number of pixels of each class, shape (K,)."""
        return self.stats.n

    def settled(self, still: float) -> bool:
        """Whether β and the shares of the classes have moved less than `still` in the last iterations."""
        return len(self.recent) == WAIT and bool(np.ptp(np.array(self.recent), axis=0).max() < still)


@record(frozen=True)
class FieldEM:
    """EM with one method of inference.

    Attributes
    ----------
    method : class that follows Inference
    schedule : Schedule
    watched : bool
        Whether to compute the free energy of every iteration, for methods that lower it. It takes as long as half a
        sweep of mean field. Otherwise the log has the expected log-density instead, which may fall.
    """

    method: type[Inference]
    schedule: Schedule
    watched: bool

    @property
    def monotone(self) -> bool:
        """Whether the objective, -F(q) and the mixture's penalty, must never fall while β is fixed."""
        return self.watched and self.method.monotone

    def init(self, problem: FieldProblem, start: Mixture, rng: np.random.Generator) -> tuple[FieldState, Info]:
        """The first iteration, at the starting mixture."""
        lattice = problem.emission.lattice
        beta = FIRST_BETA * critical_beta(lattice, start.k) if problem.beta is None else problem.beta
        return self._iteration(problem, start, beta, self.method.of_labels(lattice, problem.labels, start.k), None, rng)

    def step(self, problem: FieldProblem, state: FieldState, rng: np.random.Generator) -> tuple[FieldState, Info]:
        """M-step, and the next iteration."""
        return self._iteration(problem, maximised(problem, state), state.betas[-1], state.field, state, rng)

    def _iteration(
        self,
        problem: FieldProblem,
        mixture: Mixture,
        beta: float,
        field: Inference,
        before: FieldState | None,
        rng: np.random.Generator,
    ) -> tuple[FieldState, Info]:
        emission, turn = problem.emission, len(before.betas) if before else 0
        if before and not emission.learns:
            log_f, level = before.densities
        elif self.monotone:
            log_f, level = emission.log_densities_and_level(mixture)
        else:
            log_f, level = emission.log_densities(mixture), 0.0
        tally = _Tally(emission, mixture, None if problem.beta is not None else beta, turn)
        field = field.iterate(log_f, beta, rng, self.schedule.sweeps, tally)
        gamma = self.schedule.step_size(turn)
        stats = tally.stats if before is None or gamma == 1 else (1 - gamma) * before.stats + gamma * tally.stats
        after = beta
        if tally.slope:
            after += gamma * (tally.slope.newton(critical_beta(emission.lattice, mixture.k)) - beta)
        free = field.free_energy(log_f, beta) if self.monotone else None
        state = FieldState(
            mixture,
            field,
            stats,
            (*(before.betas if before else ()), after),
            (*(before.free_energies if before else ()), *(() if free is None else (free - level,))),
            (*(before.recent if before else ()), np.append(stats.n / stats.n.sum(), after))[-WAIT:],
            (log_f, level),
        )
        ending = None
        if state.settled(self.schedule.still):
            ending = Status.SETTLED
        elif turn + 1 == self.schedule.iterations:
            ending = Status.SCHEDULED
        return state, self._info(problem, state, beta, ending)

    def _info(self, problem: FieldProblem, state: FieldState, beta: float, ending: Status | None) -> Info:
        """The log row. ℓ itself cannot be computed with a field; its place is taken by the bound."""
        emission, pull = problem.emission, beta * problem.emission.lattice.largest_votes
        terms, log_prior = np.zeros(()), 0.0
        if emission.learns:
            eta, prior = emission.problem.scores(state.mixture)
            terms, log_prior = eta * state.stats.t, float(prior)
        value = -state.free_energies[-1] if self.monotone else float(terms.sum()) + emission.shift
        # The M-step is at a maximum, so an error of the statistics changes the objective by the error's square.
        error = EPSILON * float(np.abs(terms).sum()) / problem.n
        sums = abs(value) + problem.n * (np.log(state.mixture.k) + pull)
        rounding = 8 * EPSILON * sums + error**2 * problem.n
        # Where the field pulls harder, densities matter that are cut off as too small.
        comparable = problem.beta is not None and pull < LARGEST_EXPONENT and error**2 < COARSE
        return Info(value + log_prior, value, value, 0.0, 1, rounding if comparable else 0.0, comparable, ending)


def maximised(problem: FieldProblem, state: FieldState) -> Mixture:
    """The M-step that follows an iteration; the same mixture where the family leaves it to the fit without a field."""
    if not problem.emission.learns:
        return state.mixture
    return problem.emission.problem.m_step(state.stats, state.mixture)


class _Tally:
    """Sums of one iteration: statistics, and the slope of the pseudo-likelihood unless β is given."""

    def __init__(self, emission: Emission, mixture: Mixture, beta: float | None, turn: int) -> None:
        self.emission, self.total = emission, np.zeros(())
        self.link = mixture.link()
        self.slope = None if beta is None else Slope(beta)
        self.every, self.seen = max(1, int(emission.lattice.n_sites / SLOPE_PIXELS)), turn

    def __call__(self, s: int, part: slice, c: Real, p: Real) -> None:
        learns = self.emission.learns
        self.total = self.total + (
            self.emission.statistics(s, part, p, self.link) if learns else p.sum(1, keepdims=True)
        )
        self.seen += 1
        if self.slope and self.seen % self.every == 0:
            self.slope.add(c, p, self.emission.lattice.inside[s, part])

    @property
    def stats(self) -> Stats:
        return Stats(self.total[:, 0].copy(), self.total)
