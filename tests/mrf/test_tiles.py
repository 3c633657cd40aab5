"""Tiles of large grids: inside, apart from one another, and with some of every class."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.tiles import GAP, TILE_SIDE, choose_tiles, stack_tiles


@given(st.integers(0, 99), st.integers(130, 900), st.integers(130, 900))
def test_tiles_lie_inside_and_apart(seed: int, h: int, w: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (h, w))
    tiles = choose_tiles(labels, 3, 4 * TILE_SIDE[2] ** 2, rng)
    seen = np.zeros((h, w), int)
    for tile in tiles:
        seen[tile] += 1
    assert seen.max() == 1
    assert seen.sum() == min(4, (h // TILE_SIDE[2]) * (w // TILE_SIDE[2])) * TILE_SIDE[2] ** 2


def test_rare_classes_are_looked_for() -> None:
    labels = np.zeros((1280, 1280), int)
    labels[700:720, 900:905] = 2
    labels[:, :640] = 1
    tiles = choose_tiles(labels, 4, 12 * TILE_SIDE[2] ** 2, np.random.default_rng(0))
    assert {0, 1, 2} == set(np.unique(np.concatenate([labels[tile].ravel() for tile in tiles])))
    assert len(tiles) == 12


def test_tiles_without_data_are_left_out() -> None:
    labels = np.full((512, 512), 2)
    labels[:128, :128] = 0
    assert choose_tiles(labels, 2, 1 << 20, np.random.default_rng(0)) == [(slice(0, 128), slice(0, 128))]


def test_stacks_hold_the_tiles_and_gaps() -> None:
    planes = np.arange(2 * 6 * 8).reshape(2, 6, 8)
    tiles = [(slice(0, 3), slice(1, 5)), (slice(3, 6), slice(4, 8))]
    found = stack_tiles(planes, tiles, -1)
    assert found.shape == (2, 3 + GAP + 3, 4)
    np.testing.assert_array_equal(found[:, :3], planes[:, 0:3, 1:5])
    np.testing.assert_array_equal(found[:, -3:], planes[:, 3:6, 4:8])
    assert (found[:, 3:-3] == -1).all()


def test_volumes_have_cubes() -> None:
    tiles = choose_tiles(np.zeros((40, 70, 70), int), 1, 1 << 20, np.random.default_rng(0))
    assert len(tiles) == 4
    assert all(part.stop - part.start == TILE_SIDE[3] for tile in tiles for part in tile)
