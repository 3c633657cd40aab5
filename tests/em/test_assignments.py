"""Assignments that are not the posterior: what they sum to, on average and in variance, and their entropy."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.assignments import blended, drawn, hard, tempered
from emseg.em.problem import Respond


def posterior(seed: int = 0, s: int = 1, k: int = 3, b: int = 40) -> np.ndarray:
    return np.moveaxis(np.random.default_rng(seed).dirichlet(np.ones(k), (s, b)), -1, 1)


RESPONDS = {
    "hard": lambda rng: hard,
    "drawn": drawn,
    "drawn 5": lambda rng: drawn(rng, 5),
    "blended": lambda rng: blended(rng, 0.3),
    "tempered": lambda rng: tempered(0.6),
}


@pytest.mark.parametrize("name", RESPONDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("s", [1, 3])
def test_counts_are_kept_whole_or_not(name: str, dtype: type, s: int) -> None:
    weight = np.array([0.0, 0.2, 1.0, 2.5, 7.0, 1e6, *np.ones(34)], dtype)
    counts, entropy = RESPONDS[name](np.random.default_rng(0))(posterior(s=s).astype(dtype), weight)
    assert counts.dtype == dtype
    assert entropy.shape == (s,)
    assert (counts >= 0).all()
    assert (entropy >= 0).all()
    np.testing.assert_allclose(counts.sum(1), np.broadcast_to(weight, (s, 40)), rtol=1e-6, atol=1e-6)


def test_a_draw_is_a_partition_of_whole_counts() -> None:
    weight = np.arange(40.0)
    counts, entropy = drawn(np.random.default_rng(0))(posterior(), weight)
    assert np.array_equal(counts, counts.round())
    assert entropy == 0


@pytest.mark.parametrize("weight", [1.0, 0.4, 2.7, 6.0])
def test_draws_are_unbiased_even_where_counts_are_not_whole(weight: float) -> None:
    rng, r = np.random.default_rng(0), posterior(b=1)
    found = np.mean([drawn(rng)(r, np.array([weight]))[0] for _ in range(20_000)], axis=0)
    np.testing.assert_allclose(found, r * weight, atol=5 * weight * 0.5 / np.sqrt(20_000))


@pytest.mark.parametrize("m", [1, 4, 25])
def test_the_variance_of_a_mean_of_draws(m: int) -> None:
    """τ(1 - τ)/m a sample, summed over samples; within five standard errors of a variance over 4000 repetitions."""
    rng, r = np.random.default_rng(1), posterior()
    weight = np.repeat([1.0, 3.0], 20)
    n = np.array([drawn(rng, m)(r, weight)[0].sum((0, 2)) for _ in range(4000)])
    expected = (weight * r * (1 - r)).sum((0, 2)) / m
    np.testing.assert_allclose(n.var(0), expected, rtol=5 * np.sqrt(2 / 4000))


def test_the_entropy_of_a_blend_by_its_definition() -> None:
    """Sample by sample: q = (1 - γ) r + γ z of the label that was drawn."""
    r, gamma = posterior(b=30), 0.3
    counts, entropy = blended(np.random.default_rng(0), gamma)(r, np.ones(30))
    q = counts[0]
    z = (q - (1 - gamma) * r[0]) / gamma
    np.testing.assert_allclose(np.sort(z, axis=0)[:2], 0, atol=1e-12)
    assert entropy[0] == pytest.approx(-(q * np.log(q)).sum())


@pytest.mark.parametrize("respond", [drawn(np.random.default_rng(0), 9), tempered(0.5)], ids=["drawn", "tempered"])
def test_the_entropy_of_frequencies_by_its_definition(respond: Respond) -> None:
    weight = np.full(40, 3.0)
    counts, entropy = respond(posterior(), weight)
    q = counts[0] / weight
    terms = np.where(q > 0, q * np.log(np.where(q > 0, q, 1)), 0)
    assert entropy[0] == pytest.approx(-(weight * terms).sum())
