"""Samples for starts: rows with counts, in proportion to their weight."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.starts.nested_samples import SIZES, nested_samples
from emseg.mixture.parts import cut
from emseg.mixture.samples import Rows


@pytest.mark.parametrize("n", [1, 1000, 2 * SIZES[0], 2 * SIZES[0] + 1, 10_000, 100_000])
def test_samples_are_rows_with_counts(n: int) -> None:
    rng = np.random.default_rng(n)
    rows = Rows(np.stack([np.arange(n, dtype=float), -np.arange(n)]), rng.integers(1, 10, n).astype(float))
    drawn = nested_samples(rows, rng)
    assert [s.n_rows for s in drawn] == sorted(s.n_rows for s in drawn)
    if n <= 2 * SIZES[0]:
        assert drawn == [rows]
    for sample, size in zip(drawn, SIZES, strict=False):
        if sample is rows:
            continue
        assert sample.weight.sum() == pytest.approx(rows.weight.sum())
        assert size / 2 < sample.n_rows <= size
        assert sample.x.flags.c_contiguous
        assert len(set(sample.x[0])) == sample.n_rows
        np.testing.assert_array_equal(sample.x[1], -sample.x[0])
        assert set(sample.x[0]) <= set(rows.x[0])


def test_samples_are_drawn_in_proportion_to_weight() -> None:
    """A row that outweighs its share is taken as it is; a group of others has its weight to within one draw."""
    rng = np.random.default_rng(0)
    n = 5000
    weight = np.ones(n)
    weight[[10, 2500, 4999]] = 1000, 3000, 500
    sample = nested_samples(Rows(np.arange(n, dtype=float)[None], weight), rng)[0]
    for row in (10, 2500, 4999):
        assert sample.weight[sample.x[0] == row] == weight[row]
    draw = (n - 3) / (SIZES[0] - 3)
    for first, last in ((11, 2500), (3000, 3100)):
        assert abs(sample.weight[(sample.x[0] >= first) & (sample.x[0] < last)].sum() - (last - first)) <= 2 * draw


def test_one_overwhelming_value_leaves_room_for_the_others() -> None:
    weight = np.ones(3001)
    weight[0] = 1e7
    drawn = nested_samples(Rows(np.arange(3001, dtype=float)[None], weight), np.random.default_rng(0))
    assert drawn[0].n_rows > SIZES[0] / 2


def test_samples_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(2)
    rows = Rows(rng.normal(size=(2, 40_000)), rng.random(40_000))
    for one, other in zip(*(nested_samples(s, np.random.default_rng(3)) for s in (rows, cut(rows, 5))), strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.weight, other.weight)
