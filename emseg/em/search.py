"""Finding a good start: a tournament of many short runs on samples of the data.

Where EM ends depends on where it starts, and the best of many starts can be told from the rest after a few iterations on a thousand
samples. All contestants of a round share their E-step: one stack of mixtures, one matrix product. Each round keeps the better quarter and
moves to a larger sample.
"""

from __future__ import annotations

import numpy as np

from emseg.em.anderson import Anderson
from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.problem import Problem
from emseg.mixture import seeds
from emseg.mixture.covariance import CovarianceModel
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

ROUND = 15  # iterations of each round
KEPT = 4  # one in so many goes on to the next round
STARTS = 8  # for each component
POLISH = Stop(tol=1e-4, max_iter=30)  # for the winner, on the largest sample


def search(
    samples: list[Rows],
    model: CovarianceModel,
    k: int,
    floor: float,
    rng: np.random.Generator,
    init: str = "auto",
    starts: int = 0,
) -> tuple[Mixture, int]:
    """The winner of a tournament among starts, and the number of E-steps it took (on the samples).

    Parameters
    ----------
    samples : list of Rows
        Increasing size; see `emseg.mixture.samples`.
    model : CovarianceModel
    k : int
        Number of components.
    floor : float
        Relative variance floor of the problem.
    rng : numpy.random.Generator
    init : {"auto", "kmeans++", "random"}
        How seeds are drawn; auto draws half of the starts each way.
    starts : int
        How many; 0 for eight a component.
    """
    count = starts or STARTS * k
    rows = samples[0]
    spread = {"auto": (count + 1) // 2, "kmeans++": count, "random": 0}[init]
    drawn = [seeds.kmeans_pp(rows.x, rows.weight, k, spread, rng)] if spread else []
    if count > spread:
        drawn.append(seeds.random(rows.weight, k, count - spread, rng))
    stack = Problem(rows, model, floor).m_step(seeds.voronoi_stats(rows, np.concatenate(drawn)))
    e_steps = 0
    for round_, rows in enumerate(samples, 1):
        problem = Problem(rows, model, floor)
        for _ in range(ROUND):
            expectation = problem.e_step(stack)
            stack = problem.m_step(expectation.stats)
        e_steps += ROUND * len(stack.weights)
        best_first = np.argsort(-expectation.objective, kind="stable")
        stack = stack[best_first[: 1 if round_ == len(samples) else max(2, len(best_first) // KEPT)]]
    polished = fit(Anderson(), Problem(rows, model, floor), stack[0], POLISH, rng)
    return polished.mixture, e_steps + polished.trace[-1].e_steps
