"""Pairs of neighbours, against a loop over all pixels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emseg.mrf.lattice import offsets
from emseg.mrf.marked.edges import contrast_pairs


@pytest.mark.parametrize(("shape", "neighbours"), [((4, 5), 4), ((4, 5), 8), ((3, 3, 4), 18), ((7,), 2)])
def test_all_pairs_once_with_their_contrast(shape: tuple[int, ...], neighbours: int) -> None:
    rng = np.random.default_rng(0)
    planes, sites = rng.normal(size=(2, *shape)).astype(np.float32), rng.random(shape) < 0.8
    found, mean = contrast_pairs(planes, sites, neighbours, sharper=1.5)
    places = [place for place in itertools.product(*map(range, shape)) if sites[place]]
    near, expected = dict(offsets(len(shape), neighbours)), {}
    for (i, a), (j, b) in itertools.combinations(enumerate(places), 2):
        step = tuple(q - p for p, q in zip(a, b, strict=True))
        if step in near:
            square = float(((planes[(slice(None), *a)] - planes[(slice(None), *b)]) ** 2).sum())
            expected[i, j] = near[step], square
    assert mean == pytest.approx(np.mean([square for _, square in expected.values()]))
    weights = {pair: weight * np.exp(-0.75 * square / mean) for pair, (weight, square) in expected.items()}
    ends = [tuple(sorted(pair)) for pair in zip(found.i.tolist(), found.j.tolist(), strict=True)]
    assert dict(zip(ends, found.w, strict=True)) == pytest.approx(weights, rel=1e-5)
    assert len(ends) == len(weights)


def test_flat_planes_have_no_contrast() -> None:
    found, _ = contrast_pairs(np.zeros((1, 2, 2), np.float32), np.ones((2, 2), np.bool_), 4)
    np.testing.assert_array_equal(found.w, 1)
