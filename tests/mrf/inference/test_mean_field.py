"""Mean field: its free energy by definition and by bounds, and its fixed point by pairs of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.inference import mean_field
from emseg.mrf.potts import energy, one_hot
from tests.mrf import fields

BETA = 0.8


@given(st.integers(0, 999), st.sampled_from([4, 8]), st.floats(0, 2))
def test_the_free_energy_never_rises(seed: int, neighbours: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    valid = rng.random((7, 6)) > 0.2
    grid, _, cells = fields.noise((7, 6), 3, neighbours, rng, valid=valid)
    q = one_hot(fields.as_state(grid, rng.integers(0, 3, (7, 6))), 3)
    values = [mean_field.free_energy(grid, q, cells, beta)]
    for _ in range(6):
        mean_field.sweep(grid, q, cells, beta)
        values.append(mean_field.free_energy(grid, q, cells, beta))
    rounding = 8 * np.finfo(np.float32).eps * (abs(values[0]) + float(np.abs(cells).sum()))
    assert (np.diff(values) <= rounding).all()
    np.testing.assert_allclose(grid.join(grid.core(q)).sum(0), valid, atol=1e-5)


def test_the_free_energy_bounds_the_partition_function() -> None:
    rng = np.random.default_rng(3)
    grid, log_f, cells = fields.noise((3, 3), 2, 4, rng)
    _, energies = fields.every_labelling(log_f, BETA, fields.pairs((3, 3), 4))
    exact = -np.log(np.exp(-energies).sum())
    q = one_hot(fields.as_state(grid, np.zeros((3, 3))), 2)
    for _ in range(30):
        mean_field.sweep(grid, q, cells, BETA)
    found = mean_field.free_energy(grid, q, cells, BETA)
    assert exact < found < exact + 1


def test_the_free_energy_of_labels_is_their_energy() -> None:
    grid, _, cells = fields.noise((4, 5), 3, 8, np.random.default_rng(4))
    labels = fields.as_state(grid, np.arange(20).reshape(4, 5) % 3)
    found = mean_field.free_energy(grid, one_hot(labels, 3), cells, BETA)
    assert found == pytest.approx(energy(grid, labels, cells, BETA), rel=1e-5)


@pytest.mark.parametrize("neighbours", [4, 8])
def test_the_answer_solves_the_equations_of_the_mean_field(neighbours: int) -> None:
    rng = np.random.default_rng(6)
    grid, log_f, cells = fields.noise((4, 5), 3, neighbours, rng)
    near = fields.pairs((4, 5), neighbours)
    start = mean_field.MeanField.of_labels(grid, fields.as_state(grid, np.zeros((4, 5))), 3)
    probabilities, labels = start.answer(cells, 0.5, rng, 200)
    q = grid.join(probabilities)
    expected = np.exp(log_f + 0.5 * fields.votes(q, near))
    np.testing.assert_allclose(q, expected / expected.sum(0), atol=1e-4)
    np.testing.assert_array_equal(grid.join(grid.core(labels)), q.argmax(0))
    # F(q) as it is defined, and no less than -log Z.
    direct = (q * (np.log(q) - log_f)).sum() - 0.25 * (q * fields.votes(q, near)).sum()
    q_state = grid.with_halo(grid.split(q.astype(np.float32)) * grid.inside[:, None])
    assert mean_field.free_energy(grid, q_state, cells, 0.5) == pytest.approx(direct, abs=1e-4)
