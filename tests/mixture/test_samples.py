"""Rows: blocks, draws, lots and places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.parts import cut
from emseg.mixture.samples import DRAW_BLOCK, Rows, gathered


def test_blocks_are_the_rows_in_order() -> None:
    rng = np.random.default_rng(0)
    rows = Rows(rng.normal(size=(3, 25)), rng.random(25))
    for size in (1, 7, 24, 25, 100):
        t, weight = zip(*((t.copy(), w) for t, w in rows.blocks(GAUSSIANS["full"], size)), strict=True)
        np.testing.assert_array_equal(np.concatenate(weight), rows.weight)
        x = rows.x
        expected = np.stack([np.ones(25), *x, *(x[i] * x[j] for i in range(3) for j in range(i, 3))])
        np.testing.assert_allclose(np.concatenate(t, axis=1), expected)


def test_draws_come_in_proportion_to_weight() -> None:
    """Strata of one draw each: 20 000 draws from 6 rows leave less than one draw a row to chance."""
    weight = np.array([1.0, 2, 3, 10, 0.5, 3.5])
    drawn = Rows(np.arange(6.0)[None], weight).draw(20_000, np.random.default_rng(0))
    assert drawn.weight == pytest.approx(20 / 20_000)
    counts = np.bincount(drawn.x[0].astype(int), minlength=6)
    assert np.abs(counts - weight * 1000).max() <= 2


def test_a_draw_within_a_share_is_by_weight() -> None:
    rng = np.random.default_rng(0)
    rows = Rows(np.arange(3.0)[None], np.array([1.0, 2, 5]))
    found = [int(rows.draw(1, rng).x[0, 0]) for _ in range(4000)]
    assert chisquare(np.bincount(found, minlength=3), [500, 1000, 2500]).pvalue > 1e-4


@pytest.mark.parametrize("count", [1, 3, 10])
@pytest.mark.parametrize("first", [0, 7])
def test_lots_are_dealt_by_place(count: int, first: int) -> None:
    x = np.arange(first, first + 25.0)[None]
    by_first = Rows(x, x[0] + 1, first).dealt(count)
    by_places = Rows(x, x[0] + 1, np.arange(first, first + 25)).dealt(count)
    for lot, (one, other) in enumerate(zip(by_first, by_places, strict=True)):
        np.testing.assert_array_equal(one.x[0], [v for v in x[0] if v % count == lot])
        np.testing.assert_array_equal(one.weight, one.x[0] + 1)
        np.testing.assert_array_equal(other.x, one.x)


def test_draw_blocks_are_those_of_the_places() -> None:
    rng = np.random.default_rng(1)
    places = np.sort(rng.choice(5 * DRAW_BLOCK, 9000, replace=False))
    for rows, at in (
        (Rows(np.zeros((1, 9000)), np.ones(9000), places), places),
        (Rows(np.zeros((1, 9000)), np.ones(9000), 4000), np.arange(4000, 13_000)),
    ):
        for begin, end in ((0, 9000), (17, 18), (100, 8000)):
            blocks = np.full(end - begin, -1)
            for some, block in rows.draw_blocks(begin, end):
                assert (blocks[some] == -1).all()
                blocks[some] = block
            np.testing.assert_array_equal(blocks, at[begin:end] // DRAW_BLOCK)


def test_rows_without_any_value_are_left_out_and_the_others_keep_their_places() -> None:
    x = np.arange(12.0).reshape(2, 6)
    x[:, [1, 4]] = np.nan
    x[0, 2] = np.nan
    kept = Rows(x, np.arange(6.0), 100).observed
    np.testing.assert_array_equal(kept.place, [100, 102, 103, 105])
    np.testing.assert_array_equal(kept.weight, [0, 2, 3, 5])
    assert not kept.complete
    half, whole = sorted(kept.patterns, key=lambda pattern: pattern.seen.size)
    np.testing.assert_array_equal(half.rows.place, [102])
    np.testing.assert_array_equal(whole.rows.place, [100, 103, 105])
    with pytest.raises(ValueError, match="nothing was observed"):
        _ = Rows(np.full((2, 3), np.nan), np.ones(3)).observed


def test_what_is_gathered_is_what_was_cut() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3 * DRAW_BLOCK + 5))
    rows = Rows(x, x[0] ** 2)
    assert gathered(rows) is rows
    together = gathered(cut(rows, 3))
    np.testing.assert_array_equal(together.x, x)
    np.testing.assert_array_equal(together.weight, rows.weight)
