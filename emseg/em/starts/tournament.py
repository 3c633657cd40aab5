"""Finding a good start: a tournament of many short runs on samples of the data.

Where EM ends depends on where it starts, and the better half of many starts can be told from the rest after a few
iterations on a thousand samples. All contestants of a round share their E-step: one stack of mixtures, one matrix
product. Later rounds have fewer contestants and larger samples; the winner is polished on the largest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emseg.em.accelerators.anderson import Anderson
from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.em.starts.nested_samples import nested_samples
from emseg.mixture import seeds
from emseg.mixture.mixture import Mixture

ROUNDS = ((0, 8), (0, 12), (1, 8), (1, 8), (2, 6))  # sample and iterations; each round keeps the better half
STARTS, MOST = 12, 96  # for each component, and in all
POLISH = Stop(tol=1e-4, max_iter=30)  # for the winner, on the largest sample


# Variance below which contestants do not gain, relative to that of the data: about what rounding to 256 levels leaves.
# Without it, the winner would be the start that wastes a component on a single frequent grey value.
FLOOR = 5e-6


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
    return compete(seen, seen[0].m_step(cells), ROUNDS, rng)


def views(problem: Problem, rng: np.random.Generator) -> list[Problem]:
    """The problem on samples of increasing size, with a floor that keeps components from shrinking onto a value.

    All but the largest are in single precision, which tells good starts from bad as well and takes less time.
    """
    floored = problem.at_least(FLOOR)
    *small, largest = nested_samples(problem.samples, rng)
    return [replace(floored, samples=rows) for rows in (*(rows.single() for rows in small), largest)]


def compete(
    seen: list[Problem], stack: Mixture, rounds: tuple[tuple[int, int], ...], rng: np.random.Generator
) -> tuple[Mixture, int]:
    """The best of a stack of mixtures after rounds of EM, polished on the largest sample, and the number of E-steps."""
    e_steps = 0
    for i, (view, iterations) in enumerate(rounds):
        sample = seen[min(view, len(seen) - 1)]
        for _ in range(iterations):
            expectation = sample.e_step(stack)
            stack = sample.m_step(expectation.stats)
        e_steps += iterations * len(stack.weights)
        best_first = np.argsort(-expectation.objective, kind="stable")
        stack = stack[best_first[: 1 if i == len(rounds) - 1 else max(2, len(best_first) // 2)]]
    polished = fit(Anderson(), seen[-1], stack[0], POLISH, rng)
    return polished.mixture, e_steps + (polished.trace[-1].e_steps if polished.trace else 0)
