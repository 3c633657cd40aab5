"""Gibbs sampling against the posterior, counted over all labellings."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mrf.inference import gibbs
from tests.mrf import fields

pytestmark = pytest.mark.long

BETA = 0.8


def test_gibbs_has_the_marginals_of_the_posterior() -> None:
    rng = np.random.default_rng(1)
    grid, log_f, cells = fields.noise((3, 3), 2, 4, rng)
    exact = fields.marginals(log_f, BETA, fields.pairs((3, 3), 4))[1]
    labels, total = fields.as_state(grid, np.zeros((3, 3))), np.zeros_like(cells)
    drawn = np.zeros((3, 3))

    def visit(s: int, part: slice, c: np.ndarray, shares: np.ndarray) -> None:
        total[s, :, part] += shares

    sweeps = 6_000
    for _ in range(sweeps):
        gibbs.sweep(grid, labels, cells, BETA, rng, visit)
        drawn += grid.join(grid.core(labels))
    np.testing.assert_allclose(grid.join(total)[1] / sweeps, exact, atol=0.03)
    np.testing.assert_allclose(drawn / sweeps, exact, atol=0.03)
    assert (np.abs(grid.join(total)[1] / sweeps - exact)).sum() < (np.abs(drawn / sweeps - exact)).sum() + 0.02


def test_gibbs_without_a_visitor_draws_the_same() -> None:
    labels = []
    for visit in (None, lambda s, part, c, p: None):
        rng = np.random.default_rng(2)
        grid, _, cells = fields.noise((9, 7), 4, 8, rng)
        labels.append(fields.as_state(grid, np.zeros((9, 7))))
        for _ in range(3):
            gibbs.sweep(grid, labels[-1], cells, BETA, rng, visit)
    np.testing.assert_array_equal(*labels)


def test_the_answer_has_the_marginal_modes() -> None:
    rng = np.random.default_rng(5)
    grid, log_f, cells = fields.noise((3, 3), 3, 4, rng)
    exact = fields.marginals(log_f, BETA, fields.pairs((3, 3), 4))
    start = gibbs.Gibbs.of_labels(grid, fields.as_state(grid, np.zeros((3, 3))), 3)
    probabilities, labels = start.answer(cells, BETA, rng, 4_000)
    found, z = grid.join(probabilities), grid.join(grid.core(labels))
    np.testing.assert_allclose(found, exact, atol=0.03)
    np.testing.assert_array_equal(z, found.argmax(0))
    top = np.sort(exact, axis=0)
    clear = top[-1] - top[-2] > 0.06
    assert clear.sum() > 4
    np.testing.assert_array_equal(z[clear], exact.argmax(0)[clear])
