"""Assignments that are not the posterior: what they sum to, on average and in variance, and their entropy."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.assignments import Blended, Drawn, Hard, Tempered
from emseg.em.kernel import Respond
from emseg.mixture.parts import cut
from emseg.mixture.samples import DRAW_BLOCK, Rows

pytestmark = pytest.mark.long


def posterior(seed: int = 0, s: int = 1, k: int = 3, b: int = 40) -> np.ndarray:
    return np.moveaxis(np.random.default_rng(seed).dirichlet(np.ones(k), (s, b)), -1, 1)


def assigned(respond: Respond, r: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a respond makes of all rows at once."""
    return respond.begin(Rows(np.zeros((1, weight.size)), weight))(r, weight)


RESPONDS = {
    "hard": Hard(),
    "drawn": Drawn(0),
    "drawn 5": Drawn(0, 5),
    "blended": Blended(0, 0.3),
    "tempered": Tempered(0.6),
}


@pytest.mark.parametrize("name", RESPONDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("s", [1, 3])
def test_counts_are_kept_whole_or_not(name: str, dtype: type, s: int) -> None:
    weight = np.array([0.0, 0.2, 1.0, 2.5, 7.0, 1e6, *np.ones(34)], dtype)
    counts, entropy = assigned(RESPONDS[name], posterior(s=s).astype(dtype), weight)
    assert counts.dtype == dtype
    assert entropy.shape == (s,)
    assert (counts >= 0).all()
    assert (entropy >= 0).all()
    np.testing.assert_allclose(counts.sum(1), np.broadcast_to(weight, (s, 40)), rtol=1e-6, atol=1e-6)


def test_a_draw_is_a_partition_of_whole_counts() -> None:
    weight = np.arange(40.0)
    counts, entropy = assigned(Drawn(0), posterior(), weight)
    assert np.array_equal(counts, counts.round())
    assert entropy == 0


@pytest.mark.parametrize("weight", [1.0, 0.4, 2.7, 6.0])
def test_draws_are_unbiased_even_where_counts_are_not_whole(weight: float) -> None:
    r = posterior(b=1)
    found = np.mean([assigned(Drawn(seed), r, np.array([weight]))[0] for seed in range(20_000)], axis=0)
    np.testing.assert_allclose(found, r * weight, atol=5 * weight * 0.5 / np.sqrt(20_000))


@pytest.mark.parametrize("m", [1, 4, 25])
def test_the_variance_of_a_mean_of_draws(m: int) -> None:
    """τ(1 - τ)/m a sample, summed over samples; within five standard errors of a variance over 4000 repetitions."""
    r = posterior()
    weight = np.repeat([1.0, 3.0], 20)
    n = np.array([assigned(Drawn(seed, m), r, weight)[0].sum((0, 2)) for seed in range(4000)])
    expected = (weight * r * (1 - r)).sum((0, 2)) / m
    np.testing.assert_allclose(n.var(0), expected, rtol=5 * np.sqrt(2 / 4000))


def test_the_entropy_of_a_blend_by_its_definition() -> None:
    """Sample by sample: q = (1 - γ) r + γ z of the label that was drawn."""
    r, gamma = posterior(b=30), 0.3
    counts, entropy = assigned(Blended(0, gamma), r, np.ones(30))
    q = counts[0]
    z = (q - (1 - gamma) * r[0]) / gamma
    np.testing.assert_allclose(np.sort(z, axis=0)[:2], 0, atol=1e-12)
    assert entropy[0] == pytest.approx(-(q * np.log(q)).sum())


@pytest.mark.parametrize("respond", [Drawn(0, 9), Tempered(0.5)], ids=["drawn", "tempered"])
def test_the_entropy_of_frequencies_by_its_definition(respond: Respond) -> None:
    weight = np.full(40, 3.0)
    counts, entropy = assigned(respond, posterior(), weight)
    q = counts[0] / weight
    terms = np.where(q > 0, q * np.log(np.where(q > 0, q, 1)), 0)
    assert entropy[0] == pytest.approx(-(weight * terms).sum())


@pytest.mark.parametrize("respond", [Drawn(3), Drawn(3, 4), Blended(3, 0.5)], ids=["drawn", "drawn 4", "blended"])
def test_what_is_drawn_for_a_row_depends_on_its_place_alone(respond: Respond) -> None:
    """Whatever parts the rows are in, and however wide the kernel's blocks are."""
    n = 3 * DRAW_BLOCK + 500
    r, weight = posterior(b=n), np.ones(n)
    rows = Rows(np.zeros((1, n)), weight)
    whole = respond.begin(rows)(r, weight)[0]
    for count in (1, 2, 7):
        found, at = [], 0
        for part in cut(rows, count).each:
            assign = respond.begin(part)
            for begin in range(0, part.n_rows, 1999):
                block = slice(at + begin, at + min(begin + 1999, part.n_rows))
                found.append(assign(r[..., block], weight[block])[0])
            at += part.n_rows
        np.testing.assert_array_equal(np.concatenate(found, axis=-1), whole)
    some = np.flatnonzero(np.arange(n) % 3 > 0)  # rows left out keep those that stay at their places
    kept = Rows(np.zeros((1, some.size)), weight[some], some)
    thinned = respond.begin(kept)(np.ascontiguousarray(r[..., some]), weight[some])[0]
    assert thinned.shape == (1, 3, some.size)


def test_other_seeds_blocks_and_patterns_have_other_draws() -> None:
    n = 2 * DRAW_BLOCK
    r, weight = np.full((1, 2, n), 0.5), np.ones(n)
    rows = Rows(np.zeros((1, n)), weight)
    first = Drawn(1).begin(rows)(r, weight)[0][0, 0]
    assert (first[:DRAW_BLOCK] == first[DRAW_BLOCK:]).mean() == pytest.approx(0.5, abs=0.05)
    for other in (Drawn(2).begin(rows), Drawn(1).begin(rows, (0,)), Drawn(1).begin(rows, (1,))):
        assert (other(r, weight)[0][0, 0] == first).mean() == pytest.approx(0.5, abs=0.05)
