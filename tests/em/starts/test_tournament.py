"""The tournament of starts."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.problem import Problem
from emseg.em.starts.tournament import search
from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

CENTRES = np.array([[0.0, 0.0], [8, 0], [0, 8], [8, 8], [16, 0]])


def clusters(n: int, seed: int) -> Rows:
    """Five well separated clusters, one of them holding a fiftieth of the samples."""
    rng = np.random.default_rng(seed)
    label = rng.choice(5, n, p=[0.4, 0.3, 0.18, 0.1, 0.02])
    return Rows(np.ascontiguousarray((CENTRES[label] + rng.normal(size=(n, 2))).T), np.ones(n))


@pytest.mark.parametrize("model", GAUSSIANS)
@pytest.mark.parametrize("n", [300, 40_000])
@pytest.mark.parametrize("seed", [0, 1])
def test_well_separated_clusters_are_found(model: str, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = clusters(n, seed)
    rows = Rows(rows.x, rows.weight)
    found, e_steps = search(Problem(rows, GAUSSIANS[model], 1e-9), 5, rng)
    means = found.components.means
    nearest = ((means[:, None] - CENTRES) ** 2).sum(-1).argmin(0)
    assert sorted(nearest) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(means[nearest], CENTRES, atol=1.0 if n < 1000 else 0.2)
    assert e_steps > 0


@pytest.mark.parametrize("init", ["auto", "kmeans++", "random"])
@pytest.mark.parametrize("starts", [1, 2, 3])
def test_few_starts_are_enough_to_run(init: str, starts: int) -> None:
    rng = np.random.default_rng(0)
    rows = clusters(5000, 0)
    found, _ = search(Problem(rows, GAUSSIANS["full"], 1e-9), 3, rng, init, starts)
    assert found.weights.shape == (3,)
    assert np.isfinite(Problem(rows, GAUSSIANS["full"], 1e-9).e_step(found).objective)


def test_one_component_and_as_many_as_samples() -> None:
    rng = np.random.default_rng(0)
    rows = Rows(np.array([[0.0, 1, 5, 9]]), np.ones(4))
    for k in (1, 4):
        found, _ = search(Problem(rows, GAUSSIANS["full"], 1e-6), k, rng)
        assert np.isfinite(found.components.means).all()
        assert found.k == k


@pytest.mark.parametrize("init", ["auto", "kmeans++", "random"])
def test_a_black_background_leaves_seeds_for_every_component(init: str) -> None:
    """Ten million pixels of background, and three thousand distinct values once each, as in fluorescence pictures."""
    rng = np.random.default_rng(0)
    rows = Rows(np.concatenate([[0.0], rng.normal(20, 3, 1500), rng.normal(60, 3, 1500)])[None], np.ones(3001))
    rows.weight[0] = 1e7
    found, _ = search(Problem(rows, GAUSSIANS["full"], 1e-9), 3, rng, init)
    assert sorted(found.components.means[:, 0].round(-1)) == [0, 20, 60]


def test_the_same_generator_gives_the_same_start() -> None:
    rows = clusters(9000, 3)
    first, second = (
        search(Problem(rows, GAUSSIANS["full"], 1e-9), 5, rng)[0] for rng in map(np.random.default_rng, (7, 7))
    )
    assert np.array_equal(first.pack(), second.pack())
