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
from emseg.mrf.inference import gibbs, icm, mean_field
from emseg.mrf.inference.schedule import SCHEDULES, Schedule
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import OUTSIDE, STEEP, Labels, Real, Support, best_label, width
from emseg.mrf.strength import Slope, critical

ENOUGH = 1 << 17  # pixels that the slope of the pseudo-likelihood is measured on in one iteration
GROWTH = 8  # sweeps in which the field grows
FIRST_BETA = 1.0  # over the critical one
WAIT = 8  # mean field ends when β and the classes' shares stay still for so many iterations


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
        self.link = mixture.family.link(mixture)
        self.slope = None if beta is None else Slope(beta)
        blocks = emission.lattice.n_sites / ENOUGH
        self.every, self.seen = max(1, int(blocks)), turn

    def __call__(self, s: int, part: slice, c: Real, p: Real) -> None:
        fixed = self.emission.problem.family.mixes
        found = p.sum(1, keepdims=True) if fixed else self.emission.statistics(s, part, p, self.link)
        self.total = self.total + found
        self.seen += 1
        if self.slope and self.seen % self.every == 0:
            self.slope.add(c, p, self.emission.lattice.inside[s, part])

    @property
    def stats(self) -> Stats:
        return Stats(self.total[:, 0].copy(), self.total)


class Walk:
    """One method's state of the field, and its way over it."""

    def __init__(self, method: str, lattice: Lattice, labels: Labels, k: int, rng: np.random.Generator) -> None:
        self.method, self.lattice, self.rng = method, lattice, rng
        self.support, self.labels = Support(lattice, k), labels.copy()
        self.q = one_hot(labels, k) if method == "mean-field" else None

    def __call__(self, log_f: Real, beta: float, visit: gibbs.Visit | None, last: bool = True) -> None:
        """Go over the field once; `visit` sees the conditional probabilities."""
        if self.q is not None:
            mean_field.sweep(self.lattice, self.q, log_f, beta, visit, self.support)
        elif self.method == "gibbs":
            gibbs.sweep(self.lattice, self.labels, log_f, beta, self.rng, visit, self.support)
        else:
            if self.method == "graph-cut":
                from emseg.mrf.inference.graph_cut import expand

                expand(self.lattice, self.labels, log_f, beta)
            else:
                icm.sweep(self.lattice, self.labels, log_f, beta, self.support)
            if visit:
                conditionals(self.lattice, self.labels, log_f, beta, visit, self.support)


def fit_field(
    emission: Emission,
    start: Mixture,
    labels: Labels,
    method: str,
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
    method : {"gibbs", "mean-field", "icm", "graph-cut"}
    rng : numpy.random.Generator
    beta : float, optional
        Strength of the field; estimated unless given.
    schedule : Schedule, optional
        That of `SCHEDULES` unless given.
    on_iteration : callable, optional
        Receives the iteration and β.
    log : bool
        Whether to note the free energy of every iteration (mean-field).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class becomes singular.
    """
    lattice, k, plan = emission.lattice, start.k, schedule or SCHEDULES[method]
    level, learn = critical(lattice, k), not emission.problem.family.mixes
    walk, mixture = Walk(method, lattice, labels, k, rng), start
    betas: list[float] = []
    free: list[float] = []
    history: list[NDArray[np.float64]] = []
    now, stats, sweeps = FIRST_BETA * level if beta is None else beta, None, 0
    log = log and walk.q is not None
    for t in range(plan.iterations):
        if learn or not t:
            log_f, top = emission.with_level(mixture) if log else (emission.log_densities(mixture), 0.0)
        for _ in range(plan.sweeps - 1):
            walk(log_f, now, None)
        tally = _Tally(emission, mixture, now if beta is None else None, t)
        walk(log_f, now, tally)
        sweeps += plan.sweeps
        if log and walk.q is not None:
            free.append(mean_field.free_energy(lattice, walk.q, log_f, now) - top)
        gamma = plan.gamma(t) if method == "gibbs" else 1.0
        stats = tally.stats if stats is None or gamma == 1 else (1 - gamma) * stats + gamma * tally.stats
        mixture = emission.problem.m_step(stats, mixture) if learn else mixture
        if tally.slope:
            now += gamma * (tally.slope.newton(level) - now)
        betas.append(now)
        if on_iteration:
            on_iteration(t + 1, now)
        history.append(np.append(stats.n / stats.n.sum(), now))
        if method == "mean-field" and settled(history, plan.still):
            break
    found = answer(emission, mixture, now, walk, plan.answer, tuple(betas), sweeps)
    return replace(found, free_energies=tuple(free)) if log else found


def settled(history: list[NDArray[np.float64]], still: float) -> bool:
    """Whether β and the shares of the classes have stopped to move."""
    return len(history) >= WAIT and bool(np.ptp(np.array(history[-WAIT:]), axis=0).max() < still)


def answer(
    emission: Emission,
    mixture: Mixture,
    beta: float,
    walk: Walk,
    sweeps: int,
    betas: tuple[float, ...],
    before: int,
    log_f: Real | None = None,
) -> FieldFit:
    """Go over the field with everything fixed, and say what each pixel is."""
    lattice = emission.lattice
    log_f = emission.log_densities(mixture) if log_f is None else log_f
    if walk.method == "gibbs":
        shares = np.zeros(log_f.shape, np.float32)
        scale = np.float32(1 / sweeps)

        def add(s: int, part: slice, c: Real, p: Real) -> None:
            p *= scale
            shares[s, :, part] += p

        for _ in range(sweeps):
            walk(log_f, beta, add)
        labels = state(lattice, best_label(shares))
    elif walk.q is not None:
        for _ in range(sweeps):
            walk(log_f, beta, None)
        shares = lattice.core(walk.q)
        labels = state(lattice, best_label(shares))
    else:
        shares, labels = np.zeros(log_f.shape, np.float32), walk.labels
        for _ in range(sweeps):
            walk(log_f, beta, None)

        def keep(s: int, part: slice, c: Real, p: Real) -> None:
            shares[s, :, part] = p

        conditionals(lattice, labels, log_f, beta, keep, walk.support)
    return FieldFit(mixture, beta, shares, labels, betas, before + sweeps)


def label(
    emission: Emission, mixture: Mixture, beta: float, method: str, rng: np.random.Generator, betas: tuple[float, ...]
) -> FieldFit:
    """What a mixture and a field that were fitted elsewhere say of an image.

    Mean field first, with the field growing to its strength, and for the other methods their answer from there. The
    mixture is fitted once more, to the outcome.
    """
    lattice, k = emission.lattice, mixture.k
    log_f = emission.log_densities(mixture)
    walk = Walk("mean-field", lattice, state(lattice, best_label(log_f)), k, rng)
    for turn in range(GROWTH):
        walk(log_f, beta * (turn + 1) / GROWTH, None)
    if method != "mean-field":
        assert walk.q is not None
        first = state(lattice, best_label(lattice.core(walk.q)))
        del walk
        walk = Walk(method, lattice, first, k, rng)
    found = answer(emission, mixture, beta, walk, SCHEDULES[method].answer, betas, GROWTH, log_f)
    if mixture.family.mixes:
        return found
    stats = emission.of_shares(found.shares, mixture.family.link(mixture))
    return replace(found, mixture=emission.problem.m_step(stats, mixture))


def conditionals(
    lattice: Lattice, labels: Labels, log_f: Real, beta: float, visit: gibbs.Visit, support: Support
) -> None:
    """Show p(z_i = k | neighbours' labels, x_i) of all pixels, block by block; no label changes."""
    steep = beta * lattice.largest_support > STEEP
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(width(log_f.shape[1])):
            c = support.of_labels(labels, s, part)
            p = np.multiply(c, np.float32(beta))
            p += log_f[s, :, part]
            if steep:
                p -= p.max(0)
            np.exp(p, out=p)
            p *= lattice.inside[s, part] / p.sum(0)
            visit(s, part, c, p)


def state(lattice: Lattice, labels: Labels) -> Labels:
    """Labels (S, M) as a state; whatever is no pixel is nobody's neighbour."""
    return lattice.with_margin(np.where(lattice.inside, labels, np.uint8(OUTSIDE)), OUTSIDE)


def one_hot(labels: Labels, k: int) -> Real:
    """Labels, a state, as shares of zeros and ones."""
    return np.asarray(labels[:, None] == np.arange(k, dtype=np.uint8)[:, None], np.float32)
