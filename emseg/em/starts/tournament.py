"""Finding a good start: a tournament of many short runs on samples of the data.

Where EM ends depends on where it starts, and the better half of many starts can be told from the rest after a few
iterations on a thousand samples. All contestants of a round share their E-step: one stack of mixtures, one matrix
product. Later rounds have fewer contestants and larger samples; the winner is polished on the largest.
"""

from __future__ import annotations

import numpy as np

from emseg.em.accelerators.anderson import Anderson
from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.starts import seeds
from emseg.em.starts.nested_samples import nested_samples
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.records import replace

ROUNDS = ((0, 8), (0, 12), (1, 8), (1, 8), (2, 6))  # sample and iterations; each round keeps the better half
STARTS, MOST = 12, 96  # for each component, and in all
POLISH = Stop(tol=1e-4, max_iter=30)  # for the winner, on the largest sample


# Variance below which contestants do not gain, relative to that of the data: about what rounding to 256 levels leaves.
# Without it, the winner would be the start that wastes a component on a single frequent grey value.
FLOOR = 5e-6
# Rows above which an image is no drawing of flat colours. With a grain, contestants then pay the penalty of that floor,
# too: a clipped value of a few percent of the pixels would be a class of its own, where it is little likelier.
DRAWING = 100
# Pixels, and share of all, below which a component is no class: a hot pixel is far from all others, and by likelihood
# alone it would get a class that was asked for. Such pixels are left out of the search, and join a class in the fit.
FEW, RARE = 4, 1 / 5000


def search(
    problem: Problem, k: int, rng: np.random.Generator, init: str = "auto", starts: int = 0
) -> tuple[Mixture, int]:
    """The winner of a tournament among starts, and the number of E-steps it took, all on samples of the data.

    Seeds need whole samples: for them alone, what is missing is what a single component expects there.

    Parameters
    ----------
    problem : Problem
    k : int
        Number of components.
    rng : numpy.random.Generator
    init : {"auto", "kmeans++", "random"}
        How seeds are drawn; auto draws half of the starts each way.
    starts : int
        How many; 0 for twelve a component, 96 at most.
    """
    seen = views(problem, rng)
    rows = seen[0].filled
    count = starts or min(STARTS * k, MOST)
    spread = {"auto": (count + 1) // 2, "kmeans++": count, "random": 0}[init]
    drawn = [seeds.kmeans_pp(problem.family.start_coordinates(rows.x), rows.weight, k, spread, rng)] if spread else []
    if count > spread:
        drawn.append(seeds.random(rows.weight, k, count - spread, rng))
    cells = seeds.voronoi_stats(rows, problem.family, np.concatenate(drawn))
    last = None if problem.grain is None else replace(seen[-1], floor=problem.floor, grain=problem.grain)
    found, e_steps = compete(seen, seen[0].m_step(cells), ROUNDS, rng, last)
    rest = None if problem.grain is None else _without_rare(problem, seen[-1], found)
    if rest is None:
        return found, e_steps
    again, more = search(rest, k, rng, init, starts)
    return again, e_steps + more


def _without_rare(problem: Problem, seen: Problem, mixture: Mixture) -> Problem | None:
    """The problem without the samples of components that hold next to none; None if there are no such components."""
    rows = seen.samples
    if not isinstance(rows, Rows) or rows.n_rows != problem.samples.n_rows or rows.n_rows <= 4 * mixture.k:
        return None
    owner = mixture.log_joint(rows.x.astype(np.float64, copy=False)).argmax(0)
    count = np.bincount(owner, rows.weight, mixture.k)[: mixture.n_classes]
    rare = np.flatnonzero((count > 0) & (count < FEW) & (count < RARE * problem.n))
    kept = ~np.isin(owner, rare)
    if kept.all() or np.count_nonzero(kept) <= mixture.k:
        return None
    return replace(problem, samples=rows.take(np.flatnonzero(kept)))


def views(problem: Problem, rng: np.random.Generator) -> list[Problem]:
    """The problem on samples of increasing size, with a floor that keeps components from shrinking onto a value.

    All but the largest are in single precision, which tells good starts from bad as well and takes less time.
    """
    floored = replace(problem.at_least(FLOOR), lifted=False)
    if problem.samples.n_rows > DRAWING:
        floored = replace(floored, floor=max(problem.floor, FLOOR))
    *small, largest = nested_samples(problem.samples, rng)
    return [replace(floored, samples=rows) for rows in (*(rows.single() for rows in small), largest)]


def compete(
    seen: list[Problem],
    stack: Mixture,
    rounds: tuple[tuple[int, int], ...],
    rng: np.random.Generator,
    last: Problem | None = None,
) -> tuple[Mixture, int]:
    """The best of a stack of mixtures after rounds of EM, polished on the largest sample, and the number of E-steps.

    It is polished on another problem if one is given as the last.
    """
    e_steps = 0
    for i, (view, iterations) in enumerate(rounds):
        sample = seen[min(view, len(seen) - 1)]
        for _ in range(iterations):
            expectation = sample.e_step(stack)
            stack = sample.m_step(expectation.stats)
        e_steps += iterations * len(stack.weights)
        best_first = np.argsort(-expectation.objective, kind="stable")
        stack = stack[best_first[: 1 if i == len(rounds) - 1 else max(2, len(best_first) // 2)]]
    polished = fit(Anderson(), last or seen[-1], stack[0], POLISH, rng)
    return polished.mixture, e_steps + (polished.trace[-1].e_steps if polished.trace else 0)
