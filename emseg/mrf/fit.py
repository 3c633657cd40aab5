"""EM for mixtures whose labels are a Potts field: the field enters the E-step and, through it, the statistics.

All methods iterate: given θ and β, go over the field; from what it says of each pixel, sum the statistics and do the
mixture's M-step; take one Newton step of the log pseudo-likelihood for β. They differ in how they go over the field:

- *gibbs*: stochastic approximation EM (Delyon, Lavielle & Moulines 1999). One Gibbs sweep an iteration; statistics are
  those of the conditional probabilities p(z_i | neighbours, x_i), S ← S + γ_t (S_t - S) with γ_t = 1 for `hold`
  iterations and then j^-0.7; β is averaged in the same way. Then, with θ and β fixed, the conditional probabilities of
  further sweeps are averaged: their largest is the marginal posterior mode, which has the fewest wrong pixels.
- *mean-field*: q of each pixel in turn minimises the free energy (Zhang 1992; Celeux, Forbes & Peyrard 2003).
- *icm*, *graph-cut*: the labels are the local, or nearly the global, minimum of the energy; statistics are those of the
  conditional probabilities given the neighbours' labels (Zhang, Brady & Smith 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.mrf.emission import Emission
from emseg.mrf.inference import mean_field
from emseg.mrf.inference.protocol import Inference
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.potts import Labels, Real, Support, best_label, one_hot, state
from emseg.mrf.strength import Slope, critical

ENOUGH = 1 << 17  # pixels that the slope of the pseudo-likelihood is measured on in one iteration
GROWTH = 8  # sweeps in which the field grows
FIRST_BETA = 1.0  # over the critical one
WAIT = 8  # mean field ends when β and the classes' shares stay still for so many iterations
#: Of mean field where β is 0: then it is plain EM, and nothing is gained by an early end.
ALONE = Schedule(iterations=1000, hold=1000, sweeps=1, answer=1, still=1e-6)


@dataclass(frozen=True, eq=False)
class FieldFit:
    """A mixture, the strength of its field, and what they say of the pixels.

    Attributes
    ----------
    mixture : Mixture
    beta : float
    shares : ndarray of float32, shape (S, K, M)
        Probability of each class at each pixel: marginals (gibbs, mean-field), or given the neighbours' labels.
    labels : ndarray of uint8, shape (S, margin + M + margin)
        A state: the answer, 0…K-1.
    betas : tuple of float
        β after every iteration.
    sweeps : int
        Over the whole field, in all.
    free_energies : tuple of float
        F(q) of `meanfield` after every iteration, of all log-densities, if it was to be noted.
    """

    mixture: Mixture
    beta: float
    shares: Real
    labels: Labels
    betas: tuple[float, ...]
    sweeps: int
    free_energies: tuple[float, ...] = ()


class _Tally:
    """What one iteration gathers: statistics and the slope of the pseudo-likelihood."""

    def __init__(self, emission: Emission, mixture: Mixture, beta: float | None, turn: int) -> None:
        self.emission, self.total = emission, np.zeros(())
        self.link = mixture.link()
        self.slope = None if beta is None else Slope(beta)
        blocks = emission.lattice.n_sites / ENOUGH
        self.every, self.seen = max(1, int(blocks)), turn

    def __call__(self, s: int, part: slice, c: Real, p: Real) -> None:
        refitted = self.emission.problem.family.refitted_in_field
        found = self.emission.statistics(s, part, p, self.link) if refitted else p.sum(1, keepdims=True)
        self.total = self.total + found
        self.seen += 1
        if self.slope and self.seen % self.every == 0:
            self.slope.add(c, p, self.emission.lattice.inside[s, part])

    @property
    def stats(self) -> Stats:
        return Stats(self.total[:, 0].copy(), self.total)


def fit_field(
    emission: Emission,
    start: Mixture,
    labels: Labels,
    method: type[Inference],
    rng: np.random.Generator,
    beta: float | None = None,
    schedule: Schedule | None = None,
    on_iteration: Callable[[int, float], object] | None = None,
    log: bool = False,
) -> FieldFit:
    """Fit mixture and field; the field alone where the family says so.

    Parameters
    ----------
    emission : Emission
    start : Mixture
    labels : ndarray of uint8
        A state to start from, see `state`.
    method : class that follows Inference
    rng : numpy.random.Generator
    beta : float, optional
        Strength of the field; estimated unless given.
    schedule : Schedule, optional
        That of the method unless given.
    on_iteration : callable, optional
        Receives the iteration and β.
    log : bool
        Whether to note the free energy of every iteration (mean-field).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class becomes singular.
    """
    lattice, k, plan = emission.lattice, start.k, schedule or method.schedule
    level, learn = critical(lattice, k), emission.problem.family.refitted_in_field
    field, mixture = method.of_labels(lattice, labels, k), start
    betas: list[float] = []
    free: list[float] = []
    history: list[NDArray[np.float64]] = []
    now, stats, sweeps = FIRST_BETA * level if beta is None else beta, None, 0
    log = log and method.monotone
    for t in range(plan.iterations):
        if learn or not t:
            log_f, top = emission.with_level(mixture) if log else (emission.log_densities(mixture), 0.0)
        tally = _Tally(emission, mixture, now if beta is None else None, t)
        field = field.iterate(log_f, now, rng, plan.sweeps, tally)
        sweeps += plan.sweeps
        if log:
            free.append((field.free_energy(log_f, now) or 0.0) - top)
        gamma = plan.step_size(t)
        stats = tally.stats if stats is None or gamma == 1 else (1 - gamma) * stats + gamma * tally.stats
        mixture = emission.problem.m_step(stats, mixture) if learn else mixture
        if tally.slope:
            now += gamma * (tally.slope.newton(level) - now)
        betas.append(now)
        if on_iteration:
            on_iteration(t + 1, now)
        history.append(np.append(stats.n / stats.n.sum(), now))
        if settled(history, plan.still):
            break
    probabilities, labels = field.answer(emission.log_densities(mixture), now, rng, plan.answer)
    return FieldFit(mixture, now, probabilities, labels, tuple(betas), sweeps + plan.answer, tuple(free))


def settled(history: list[NDArray[np.float64]], still: float) -> bool:
    """Whether β and the shares of the classes have stopped to move."""
    return len(history) >= WAIT and bool(np.ptp(np.array(history[-WAIT:]), axis=0).max() < still)


def label(
    emission: Emission,
    mixture: Mixture,
    beta: float,
    method: type[Inference],
    rng: np.random.Generator,
    betas: tuple[float, ...],
) -> FieldFit:
    """What a mixture and a field that were fitted elsewhere say of an image.

    Mean field first, with the field growing to its strength, and the method's answer from there. The mixture is fitted
    once more, to the outcome.
    """
    lattice, k = emission.lattice, mixture.k
    log_f = emission.log_densities(mixture)
    q, support = one_hot(state(lattice, best_label(log_f)), k), Support(lattice, k)
    for turn in range(GROWTH):
        mean_field.sweep(lattice, q, log_f, beta * (turn + 1) / GROWTH, support=support)
    field, sweeps = method.of_probabilities(lattice, q), method.schedule.answer
    del q
    probabilities, labels = field.answer(log_f, beta, rng, sweeps)
    found = FieldFit(mixture, beta, probabilities, labels, betas, GROWTH + sweeps)
    if not mixture.family.refitted_in_field:
        return found
    stats = emission.of_shares(probabilities, mixture.link())
    return replace(found, mixture=emission.problem.m_step(stats, mixture))
