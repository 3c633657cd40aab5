"""The flat layout against pairs of pixels counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.lattice import build_lattice, offsets, with_influence
from emseg.mrf.potts import Votes, agreement, energy
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
def test_support_of_shares_and_of_labels_agree(h: int, w: int, neighbours: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    guide = rng.normal(size=(2, h, w)) if seed % 2 else None
    grid = build_lattice((h, w), neighbours, guide=guide)
    labels = fields.as_state(grid, rng.integers(0, 4, (h, w)))
    shares = (labels[:, None] == np.arange(4, dtype=np.uint8)[:, None]).astype(np.float32)
    votes, whole = Votes(grid, 4), slice(0, grid.cells)
    for s in range(len(grid.phases)):
        hard = votes.of_labels(labels, s, whole).copy()
        np.testing.assert_allclose(votes.of_probabilities(shares, s, whole), hard, atol=1e-5)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 99))
def test_join_undoes_split(shape: list[int], seed: int) -> None:
    neighbours = {1: 2, 2: 4, 3: 6}[len(shape)]
    planes = np.random.default_rng(seed).integers(0, 99, (2, *shape))
    grid = build_lattice(tuple(shape), neighbours)
    np.testing.assert_array_equal(grid.join(grid.split(planes)), planes)
    assert grid.inside.sum() == planes[0].size


def test_contrast_weights_fall_with_the_step_and_have_mean_one() -> None:
    guide = np.zeros((1, 6, 8))
    guide[:, :, 4:] = 10
    grid = build_lattice((6, 8), 4, guide=guide)
    weights = {}
    for phase, row, inside in zip(grid.phases, grid.couplings, grid.inside, strict=True):
        for coupling in row:
            on_grid = coupling.factors.reshape(grid.padded)
            for y, x in np.argwhere(inside.reshape(grid.padded)):
                weights[2 * y + phase[0], 2 * x + phase[1], coupling.phase, coupling.shift] = on_grid[y, x]
    values = np.array([w for w in weights.values() if w > 0])
    d = np.abs(np.diff(guide[0], axis=1)).ravel()
    mean = (2 * (d**2).sum()) / values.size
    assert values.mean() == pytest.approx(1, rel=1e-5)
    assert values.min() / values.max() == pytest.approx(np.exp(-100 / (2 * mean)), rel=1e-4)


def test_distances_weigh_neighbours() -> None:
    assert dict(offsets(2, 8))[1, 1] == pytest.approx(1 / np.sqrt(2))
    assert dict(offsets(3, 6, (3, 1, 1)))[1, 0, 0] == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="choose from 4, 8"):
        offsets(2, 6)


@pytest.mark.parametrize("neighbours", [4, 8])
def test_scaled_weights_are_products_of_what_pixels_hold(neighbours: int) -> None:
    rng = np.random.default_rng(0)
    shape, hold = (5, 6), rng.uniform(0.5, 1, (5, 6))
    image = rng.normal(size=(1, *shape))
    for guide in (None, image):
        plain = build_lattice(shape, neighbours, guide=guide)
        both = with_influence(plain, hold)
        z = rng.integers(0, 2, shape)
        found = []
        for grid in (plain, both):
            labels = grid.with_halo(np.where(grid.inside, grid.split(z.astype(np.uint8)), 255).astype(np.uint8), 255)
            votes = Votes(grid, 2)
            cells = np.stack([votes.of_labels(labels, s, slice(0, grid.cells)).copy() for s in range(4)])
            found.append(grid.join(cells))
        if guide is None:
            y, x = np.indices(shape)
            far = np.hypot(y - 2, x - 3)
            near = (far > 0) & (far < (1.1 if neighbours == 4 else 1.5))
            expected = (hold[2, 3] * hold * (z == 1) / np.where(near, far, np.inf)).sum()
            assert found[1][1][2, 3] == pytest.approx(expected, rel=1e-5)
        assert (found[1] <= found[0] + 1e-6).all()
