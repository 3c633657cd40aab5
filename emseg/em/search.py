"""Finding a good start: a tournament of many short runs on coarse views of the data.

Where EM ends depends on where it starts, and the best of many starts can be told from the rest after a few iterations on a few hundred
cells. All contestants of a round share their E-step: one stack of mixtures, one matrix product. Each round keeps the better quarter and
moves to a finer view.
"""

from __future__ import annotations

import numpy as np

from emseg.em.problem import Problem
from emseg.mixture import seeds
from emseg.mixture.covariance import CovarianceModel
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Cells, Rows

ROUND = 15  # iterations of each round
KEPT = 4  # one in so many goes on to the next round
STARTS = 32


def search(
    views: list[Rows | Cells],
    model: CovarianceModel,
    k: int,
    floor: float,
    rng: np.random.Generator,
    init: str = "auto",
    starts: int = 0,
) -> tuple[Mixture, int]:
    """The winner of a tournament among starts, and the number of E-steps it took (on the coarse views).

    Parameters
    ----------
    views : list of Rows or Cells
        Increasing detail; see `emseg.mixture.views`.
    model : CovarianceModel
    k : int
        Number of components.
    floor : float
        Relative variance floor of the problem.
    rng : numpy.random.Generator
    init : {"auto", "kmeans++", "random"}
        How seeds are drawn; auto draws half of the starts each way.
    starts : int
        How many; 0 for 32.
    """
    count = starts or STARTS
    view = views[0]
    ((t, weight),) = view.blocks(view.n_rows)
    x = t[1 : 1 + view.d]
    spread = {"auto": (count + 1) // 2, "kmeans++": count, "random": 0}[init]
    drawn = [seeds.kmeans_pp(x, weight, k, spread, rng)] if spread else []
    if count > spread:
        drawn.append(seeds.random(weight, k, count - spread, rng))
    stack = Problem(view, model, floor).m_step(seeds.voronoi_stats(view, np.concatenate(drawn)))
    e_steps = 0
    for round_, view in enumerate(views):
        problem = Problem(view, model, floor)
        for _ in range(ROUND):
            expectation = problem.e_step(stack)
            stack = problem.m_step(expectation.stats)
        e_steps += ROUND * len(stack.weights)
        best_first = np.argsort(-expectation.objective, kind="stable")
        last = round_ == len(views) - 1
        stack = stack[best_first[: 1 if last else max(2, len(best_first) // KEPT)]]
    return stack[0], e_steps
