"""ICM: the energy falls, to where no pixel alone can lower it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.inference import icm
from emseg.mrf.inference.label_field import visit_conditionals
from emseg.mrf.potts import Votes, energy
from tests.mrf import fields

pytestmark = pytest.mark.long


@given(st.integers(0, 999), st.sampled_from([4, 8]), st.integers(2, 5), st.floats(0, 2))
def test_icm_never_raises_the_energy_and_ends_at_a_mode(seed: int, neighbours: int, k: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    valid = rng.random((6, 5)) > 0.2
    valid[0, 0] = True
    grid, _, cells = fields.noise((6, 5), k, neighbours, rng, valid=valid)
    labels = fields.as_state(grid, rng.integers(0, k, (6, 5)))
    before = energy(grid, labels, cells, beta)
    rounding = 8 * np.finfo(np.float32).eps * (abs(before) + float(np.abs(cells).sum()))
    while icm.sweep(grid, labels, cells, beta):
        now = energy(grid, labels, cells, beta)
        assert now <= before + rounding
        before = now
    found = np.zeros_like(cells)

    def keep(s: int, part: slice, c: np.ndarray, p: np.ndarray) -> None:
        found[s, :, part] = p

    visit_conditionals(grid, labels, cells, beta, keep, Votes(grid, k))
    shares, own = grid.join(found)[:, valid], grid.join(grid.core(labels))[valid]
    np.testing.assert_allclose(shares[own, np.arange(own.size)], shares.max(0), rtol=1e-5)
    assert (grid.join(grid.core(labels))[~valid] == 255).all()


@given(st.integers(0, 999), st.sampled_from([4, 8]))
def test_no_single_label_lowers_the_energy_of_the_answer(seed: int, neighbours: int) -> None:
    rng = np.random.default_rng(seed)
    grid, log_f, cells = fields.noise((4, 5), 3, neighbours, rng)
    near = fields.pairs((4, 5), neighbours)
    start = icm.ICM.of_labels(grid, fields.as_state(grid, rng.integers(0, 3, (4, 5))), 3)
    labels = start.answer(cells, 0.8, rng, 50)[1]
    z = grid.join(grid.core(labels))
    lowest = fields.energy(z, log_f, 0.8, near)
    rounding = 8 * np.finfo(np.float32).eps * (abs(lowest) + float(np.abs(cells).sum()))
    for site in np.ndindex(z.shape):
        for label in range(3):
            other = z.copy()
            other[site] = label
            assert fields.energy(other, log_f, 0.8, near) >= lowest - rounding
