"""The strength of the field: derivatives by differences, recovery from samples, and what holds it."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mrf.inference import gibbs
from emseg.mrf.lattice import build_lattice
from emseg.mrf.potts import Votes, one_hot
from emseg.mrf.strength import ONSET, Slope, critical_beta
from tests.mrf import fields


def slope_at(beta: float, grid: object, labels: np.ndarray, k: int) -> Slope:
    slope, votes, own = Slope(beta), Votes(grid, k), grid.core(one_hot(labels, k))
    for s in range(len(grid.phases)):
        whole = slice(0, grid.cells)
        slope.add(votes.of_labels(labels, s, whole), own[s], grid.inside[s])
    return slope


def log_pseudo_likelihood(z: np.ndarray, beta: float, near: dict, k: int) -> float:
    votes = {site: np.zeros(k) for site in np.ndindex(z.shape)}
    for (a, b), w in near.items():
        votes[a][z[b]] += w
        votes[b][z[a]] += w
    return sum(beta * c[z[site]] - np.log(np.exp(beta * c).sum()) for site, c in votes.items())


def test_derivatives_of_the_pseudo_likelihood() -> None:
    grid, near = build_lattice((5, 6), 8), fields.pairs((5, 6), 8)
    z = np.random.default_rng(0).integers(0, 3, (5, 6))
    slope, h = slope_at(0.6, grid, fields.as_state(grid, z), 3), 1e-4
    low, mid, high = (log_pseudo_likelihood(z, 0.6 + d, near, 3) for d in (-h, 0, h))
    assert slope.first == pytest.approx((high - low) / (2 * h), rel=1e-4)
    assert slope.second == pytest.approx((high - 2 * mid + low) / h**2, rel=1e-3)
    assert slope.n == 30


@pytest.mark.parametrize(("k", "beta", "neighbours"), [(2, 0.8, 4), (3, 1.1, 4), (3, 0.4, 8)])
def test_the_strength_of_a_sample_is_recovered(k: int, beta: float, neighbours: int) -> None:
    rng = np.random.default_rng(k)
    grid = build_lattice((128, 128), neighbours)
    labels, flat = fields.as_state(grid, rng.integers(0, k, (128, 128))), np.zeros((len(grid.phases), k, grid.cells))
    for _ in range(80):
        gibbs.sweep(grid, labels, flat.astype(np.float32), beta, rng)
    found = 0.5
    for _ in range(10):
        found = slope_at(found, grid, labels, k).newton(critical_beta(grid, k))
    assert found == pytest.approx(beta, abs=0.05)


def test_the_prior_holds_where_everything_is_one_region() -> None:
    grid = build_lattice((32, 32), 4)
    labels, found = fields.as_state(grid, np.zeros((32, 32))), 0.5
    for _ in range(30):
        found = slope_at(found, grid, labels, 3).newton(critical_beta(grid, 3))
    assert ONSET * critical_beta(grid, 3) < found < 2 * critical_beta(grid, 3)


def test_critical_values() -> None:
    for k in (2, 3, 4):
        assert critical_beta(build_lattice((9, 9), 4), k) == pytest.approx(np.log(1 + np.sqrt(k)), rel=1e-3)
    for k, known in ((2, 0.4433), (3, 0.5505), (4, 0.6286)):  # simple cubic: Monte-Carlo results
        assert critical_beta(build_lattice((4, 4, 4), 6), k) == pytest.approx(known, rel=0.15)
    thick = build_lattice((4, 4, 4), 6, spacing=(3, 1, 1))
    assert critical_beta(thick, 2) > critical_beta(build_lattice((4, 4, 4), 6), 2)


def test_nothing_is_seen_nothing_moves() -> None:
    assert Slope(0.7).newton(1.0) == 0.7
