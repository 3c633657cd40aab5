"""Parts have together what the whole has."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.parts import Parts, cut
from emseg.mixture.samples import DRAW_BLOCK, Rows

N = 4 * DRAW_BLOCK + 9


@pytest.fixture
def rows() -> Rows:
    rng = np.random.default_rng(0)
    return Rows(rng.normal(size=(2, N)), rng.integers(1, 9, N).astype(float))


@pytest.mark.parametrize("count", [1, 2, 4, 5, 100])
def test_parts_begin_at_whole_blocks_and_cover_all(rows: Rows, count: int) -> None:
    parts = cut(rows, count)
    assert len(parts.parts()) == min(count, 5)
    assert [part.place for part in parts.each] == list(np.cumsum([0, *(part.n_rows for part in parts.each)])[:-1])
    assert all(part.place % DRAW_BLOCK == 0 for part in parts.each)
    assert (parts.n, parts.n_rows, parts.d, parts.dtype) == (rows.n, N, 2, np.float64)
    np.testing.assert_array_equal(np.concatenate([part.x for part in parts.each], axis=1), rows.x)


def test_rows_are_taken_by_their_places_among_all(rows: Rows) -> None:
    places = np.random.default_rng(1).integers(N, size=500)
    found = cut(rows, 3).take(places)
    np.testing.assert_array_equal(found.x, rows.x[:, places])
    np.testing.assert_array_equal(found.weight, rows.weight[places])


def test_draws_and_lots_are_those_of_the_whole(rows: Rows) -> None:
    parts = cut(rows, 3)
    one, other = (samples.draw(99, np.random.default_rng(5)) for samples in (rows, parts))
    np.testing.assert_array_equal(other.x, one.x)
    for lot, whole in zip(parts.dealt(7), rows.dealt(7), strict=True):
        assert isinstance(lot, Parts)
        np.testing.assert_array_equal(np.concatenate([part.x for part in lot.each], axis=1), whole.x)


def test_parts_of_which_nothing_was_observed_are_left_out(rows: Rows) -> None:
    x = rows.x.copy()
    x[:, :DRAW_BLOCK] = np.nan
    x[1, -1] = np.nan
    parts = cut(Rows(x, rows.weight), 5)
    assert not parts.complete
    kept = parts.observed
    assert len(kept.each) == 4
    assert kept.n == pytest.approx(rows.weight[DRAW_BLOCK:].sum())
    with pytest.raises(ValueError, match="nothing was observed"):
        _ = cut(Rows(np.full_like(x, np.nan), rows.weight), 2).observed
