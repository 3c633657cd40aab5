"""Incremental EM."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from emseg.em.convergence import Stop
from emseg.em.fit import fit
from emseg.em.variants.em import EM
from emseg.em.variants.incremental import Incremental
from emseg.mixture.families.gaussian import GAUSSIANS

pytestmark = pytest.mark.long


def test_one_block_is_em(triangle) -> None:
    problem, start = triangle(side=2.5)
    one = fit(Incremental(blocks=1), problem, start, Stop(1e-9, 5000), np.random.default_rng(0))
    em = fit(EM(), problem, start, Stop(1e-9, 5000), np.random.default_rng(0))
    assert one.mixture.pack().tobytes() == em.mixture.pack().tobytes()
    assert [replace(row, seconds=0) for row in one.trace] == [replace(row, seconds=0) for row in em.trace]


@pytest.mark.parametrize(("model", "blocks"), [*((name, 7) for name in GAUSSIANS), ("full", 2), ("full", 10**9)])
def test_the_bound_never_falls_and_ends_at_the_optimum(triangle, model: str, blocks: int) -> None:
    problem, start = triangle(side=4.0, model=model)
    found = fit(Incremental(blocks), problem, start, Stop(0, 12), np.random.default_rng(0))
    # Σ_b S_b is summed anew a few times for every block: each time, some units in the last place.
    rounding = float(problem.e_step(found.mixture).rounding) * (1 + min(blocks, problem.samples.n_rows) / 4)
    for last, row in pairwise(found.trace):
        assert row.elbo >= last.elbo - rounding
        assert row.objective >= last.objective - rounding
    assert found.trace[1].kl > 1e-3  # blocks lag behind, and the log says so
    best = fit(EM(), problem, start, Stop(1e-12, 500), np.random.default_rng(0)).trace[-1].objective
    assert best - 1e-3 < found.trace[-1].objective < best + 1e-6


@pytest.mark.parametrize("side", [2.0, 2.5])
def test_fewer_passes_than_em(triangle, side: float) -> None:
    """Both E-steps of an iteration counted, to within 1e-6 nats a sample of the optimum: a fifth fewer at least."""
    problem, start = triangle(n=1000, side=side)
    best = fit(EM(), problem, start, Stop(1e-12, 20_000), np.random.default_rng(0)).trace[-1].objective
    passes = {}
    for algorithm in (EM(), Incremental()):
        trace = fit(algorithm, problem, start, Stop(1e-9, 20_000), np.random.default_rng(0)).trace
        assert best - trace[-1].objective < 1e-6 * 1000
        passes[type(algorithm)] = next(row.e_steps for row in trace if best - row.objective < 1e-6 * 1000)
    assert passes[Incremental] < 0.8 * passes[EM]


def test_there_must_be_a_block() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Incremental(blocks=0)
