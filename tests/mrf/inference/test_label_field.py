"""Probabilities given the labels of the neighbours, by pairs of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mrf.inference.icm import ICM
from emseg.mrf.inference.label_field import visit_conditionals
from emseg.mrf.potts import LARGEST_EXPONENT, Votes
from tests.mrf import fields


@pytest.mark.parametrize("beta", [0.0, 0.9, LARGEST_EXPONENT])
@pytest.mark.parametrize(("shape", "neighbours"), [((5, 4), 8), ((2, 3, 3), 6)])
def test_conditionals(shape: tuple[int, ...], neighbours: int, beta: float) -> None:
    rng = np.random.default_rng(0)
    grid, log_f, cells = fields.noise(shape, 3, neighbours, rng)
    z = rng.integers(0, 3, shape)
    found = np.zeros_like(cells)

    def keep(s: int, part: slice, c: np.ndarray, p: np.ndarray) -> None:
        found[s, :, part] = p

    visit_conditionals(grid, fields.as_state(grid, z), cells, beta, keep, Votes(grid, 3))
    one = np.stack([z == label for label in range(3)]).astype(float)
    score = log_f + beta * fields.votes(one, fields.pairs(shape, neighbours))
    expected = np.exp(score - score.max(0))
    np.testing.assert_allclose(grid.join(found), expected / expected.sum(0), rtol=1e-3, atol=1e-6)


def test_the_labels_that_a_field_starts_from_stay() -> None:
    grid, _, cells = fields.noise((6, 6), 3, 4, np.random.default_rng(1))
    labels = fields.as_state(grid, np.zeros((6, 6)))
    before = labels.copy()
    ICM.of_labels(grid, labels, 3).iterate(cells, 0.5, np.random.default_rng(0))
    np.testing.assert_array_equal(labels, before)
