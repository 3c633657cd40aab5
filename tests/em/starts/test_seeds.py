"""Seeds: k-means++ against its exact distribution, cells by brute force."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from emseg.em.starts import seeds
from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.families.outliers import with_outliers
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long


def exact_pairs(x: np.ndarray, weight: np.ndarray) -> dict[tuple[int, int], float]:
    """Probability of every ordered pair of seeds under k-means++."""
    table = {}
    for i, j in permutations(range(weight.size), 2):
        cost = weight * ((x - x[:, [i]]) ** 2).sum(0)
        table[i, j] = weight[i] / weight.sum() * cost[j] / cost.sum()
    return table


def test_kmeans_pp_draws_with_the_probabilities_of_its_definition() -> None:
    x = np.array([[0.0, 1, 1, 4, 6], [0, 0, 2, 1, 1]])
    weight = np.array([2.0, 1, 3, 1, 2])
    drawn = seeds.kmeans_pp(x, weight, 2, 40_000, np.random.default_rng(0))
    expected = exact_pairs(x, weight)
    assert set(map(tuple, drawn.tolist())) <= set(expected)
    observed = [np.count_nonzero((drawn == pair).all(1)) for pair in expected]
    assert chisquare(observed, 40_000 * np.array(list(expected.values()))).pvalue > 0.01


def test_kmeans_pp_never_draws_a_sample_twice_while_others_are_left() -> None:
    x = np.random.default_rng(0).normal(size=(2, 6))
    drawn = seeds.kmeans_pp(x, np.ones(6), 6, 200, np.random.default_rng(1))
    assert (np.sort(drawn, axis=1) == np.arange(6)).all()


def test_kmeans_pp_of_fewer_distinct_samples_than_seeds_ends() -> None:
    drawn = seeds.kmeans_pp(np.zeros((2, 3)), np.ones(3), 5, 4, np.random.default_rng(0))
    assert drawn.shape == (4, 5)
    assert ((drawn >= 0) & (drawn < 3)).all()


def test_random_seeds_are_different_and_follow_the_weights() -> None:
    weight = np.array([1.0, 2, 3, 4])
    drawn = seeds.random(weight, 1, 20_000, np.random.default_rng(0))
    assert chisquare(np.bincount(drawn[:, 0]), 20_000 * weight / 10).pvalue > 0.01
    several = seeds.random(weight, 3, 500, np.random.default_rng(0))
    assert all(len(set(row)) == 3 for row in several.tolist())


def test_squared_distances() -> None:
    rng = np.random.default_rng(0)
    x, centres = rng.normal(size=(3, 20)), rng.normal(size=(3, 4))
    expected = ((x.T[None] - centres.T[:, None]) ** 2).sum(-1)
    np.testing.assert_allclose(seeds.squared_distances(x, centres), expected, atol=1e-12)
    assert seeds.squared_distances(x, x).min() >= 0


@pytest.mark.parametrize("products", [True, False])
def test_cells_hold_what_lies_nearest(products: bool) -> None:
    rng = np.random.default_rng(0)
    rows = Rows(rng.normal(size=(2, 60)), rng.integers(1, 5, 60).astype(float))
    chosen = np.array([[3, 10, 20], [7, 8, 50]])
    family = GAUSSIANS["full" if products else "diag"]
    stats = seeds.voronoi_stats(rows, family, chosen)
    t = np.zeros((2, 3, family.n_monomials(2)))
    for s, row in enumerate(chosen):
        for i in range(60):
            x = rows.x[:, i]
            nearest = int(((rows.x[:, row] - x[:, None]) ** 2).sum(0).argmin())
            second = [x[0] * x[0], x[0] * x[1], x[1] * x[1]] if products else [x[0] ** 2, x[1] ** 2]
            t[s, nearest] += rows.weight[i] * np.array([1, *x, *second])
    np.testing.assert_allclose(stats.t, t, atol=1e-10)
    np.testing.assert_allclose(stats.n, t[..., 0])
    assert stats.n.sum(1) == pytest.approx([rows.weight.sum()] * 2)


def test_seeds_are_no_outliers_however_many_samples_have_their_value() -> None:
    """Two flat colours, of which each is more than the quarter that is farthest from any seed."""
    x = np.array([[0.1, 0.7], [0.3, 0.2]])
    found = seeds.voronoi_stats(
        Rows(x, np.array([60.0, 40.0])), with_outliers(GAUSSIANS["full"], x), np.array([[0, 1]])
    )
    np.testing.assert_allclose(found.n, [[60, 40, 0]])
