"""Votes and energies of the flat layout, against pairs of pixels counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.lattice import build_lattice
from emseg.mrf.potts import OUTSIDE, Votes, agreement, best_label, block_size, energy, haloed_labels, one_hot
from tests.mrf import fields

SHAPES = [((5, 6), 4), ((5, 6), 8), ((1, 7), 4), ((7, 1), 8), ((4, 3, 5), 6), ((3, 3, 4), 18), ((3, 4, 3), 26)]


@pytest.mark.parametrize(("shape", "neighbours"), SHAPES)
@pytest.mark.parametrize("holes", [False, True])
def test_the_energy_is_the_sum_over_pairs(shape: tuple[int, ...], neighbours: int, holes: bool) -> None:
    rng = np.random.default_rng(0)
    valid = rng.random(shape) > 0.3 if holes else None
    spacing = (3.0, 1.0, 1.5)[: len(shape)]
    grid, log_f, cells = fields.noise(shape, 3, neighbours, rng, spacing=spacing, valid=valid)
    z = rng.integers(0, 3, shape)
    if holes:
        z[~valid] = 255
    near = fields.pairs(shape, neighbours, spacing, valid)
    labels = fields.as_state(grid, z)
    assert grid.n_sites == (z < 255).sum()
    assert agreement(grid, labels, 3) == pytest.approx(sum(w for (a, b), w in near.items() if z[a] == z[b]), rel=1e-5)
    assert energy(grid, labels, cells, 0.7) == pytest.approx(fields.energy(z, log_f, 0.7, near), rel=1e-5)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([4, 8]), st.integers(0, 99))
def test_votes_of_probabilities_and_of_labels_agree(h: int, w: int, neighbours: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    guide = rng.normal(size=(2, h, w)) if seed % 2 else None
    grid = build_lattice((h, w), neighbours, guide=guide)
    labels = fields.as_state(grid, rng.integers(0, 4, (h, w)))
    probabilities = (labels[:, None] == np.arange(4, dtype=np.uint8)[:, None]).astype(np.float32)
    votes, whole = Votes(grid, 4), slice(0, grid.cells)
    for s in range(len(grid.phases)):
        hard = votes.of_labels(labels, s, whole).copy()
        np.testing.assert_allclose(votes.of_probabilities(probabilities, s, whole), hard, atol=1e-5)


@pytest.mark.parametrize(("shape", "neighbours"), SHAPES)
def test_votes_are_sums_over_pairs(shape: tuple[int, ...], neighbours: int) -> None:
    rng = np.random.default_rng(0)
    valid = rng.random(shape) > 0.2
    grid = build_lattice(shape, neighbours, valid=valid)
    z = rng.integers(0, 3, shape)
    counted, labels = Votes(grid, 3), fields.as_state(grid, z)
    cells = np.stack([counted.of_labels(labels, s, slice(0, grid.cells)).copy() for s in range(len(grid.phases))])
    one = np.stack([z == label for label in range(3)]).astype(float)
    expected = fields.votes(one, fields.pairs(shape, neighbours, None, valid))
    np.testing.assert_allclose(grid.join(cells)[:, valid], expected[:, valid], rtol=1e-6, atol=1e-6)


def test_blocks_give_what_a_whole_phase_gives() -> None:
    rng = np.random.default_rng(1)
    grid = build_lattice((60, 70), 8)
    labels, counted = fields.as_state(grid, rng.integers(0, 5, (60, 70))), Votes(grid, 5)
    whole = counted.of_labels(labels, 2, slice(0, grid.cells)).copy()
    for part in grid.blocks(100):
        np.testing.assert_array_equal(counted.of_labels(labels, 2, part), whole[:, part])
    assert block_size(2) * 2 <= 1 << 16 < block_size(254) * 254


def test_the_first_of_equal_scores_is_the_best() -> None:
    scores = np.random.default_rng(2).integers(0, 3, (4, 5, 200)).astype(np.float32)
    np.testing.assert_array_equal(best_label(scores), scores.argmax(1))


def test_cells_that_are_no_pixels_vote_for_nobody() -> None:
    grid = build_lattice((3, 3), 4)
    labels = haloed_labels(grid, np.zeros(grid.inside.shape, np.uint8))
    assert (labels == OUTSIDE).sum() == 4 * (grid.cells + 2 * grid.halo) - 9
    assert one_hot(labels, 2).sum() == 9
