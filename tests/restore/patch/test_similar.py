"""The nearest patches, against a search by brute force."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.patch.patches import cosines, cut
from emseg.restore.patch.similar import Search


@pytest.mark.parametrize(("step", "reach", "low"), [(4, 12, 0), (2, 7, 0), (4, 30, 0), (4, 12, 3), (8, 9, 4)])
def test_the_nearest_patches(step: int, reach: int, low: int) -> None:
    plane = np.random.default_rng(0).normal(0, 30, (40, 32)).astype(np.float32)
    search = Search((40, 32), step, reach, 10, low)
    bordered, patches = search.bordered(plane), cut(plane).astype(float)
    if low:
        patches = patches @ cosines().reshape(64, 8, 8)[:, :low, :low].reshape(64, -1)
    rows, columns = np.divmod(np.arange(len(patches)), 25)
    for tile in [(1, 3, 0, 2), (0, 1, 2, 4)]:
        place = search.place(tile)
        inside = np.arange(40 * 32).reshape(40, 32)[place]
        corners = inside[: inside.shape[0] - 7, : inside.shape[1] - 7].ravel()
        references = [(step * i, step * j) for i in range(*tile[:2]) for j in range(*tile[2:])]
        for found, (y, x) in zip(search.nearest(bordered[search.seen(tile)], tile), references, strict=True):
            distance = ((patches - patches[y * 25 + x]) ** 2).sum(1)
            distance[(abs(rows - y) > reach) | (abs(columns - x) > reach)] = np.inf
            wanted = np.argsort(distance)[: search.size]
            assert set(corners[found]) == {(p // 25) * 32 + p % 25 for p in wanted}


def test_tiles_hold_every_reference_once() -> None:
    search = Search((8 + 4 * 40, 8 + 4 * 210), 4, 19, 48)
    seen = np.zeros(search.grid, int)
    for i0, i1, j0, j1 in search.tiles():
        seen[i0:i1, j0:j1] += 1
    assert (seen == 1).all()


def test_a_corner_without_neighbours_has_fewer_members() -> None:
    assert Search((8, 12), 4, 19, 48).size == 5
    assert Search((8, 8), 4, 19, 48).size == 1


def test_a_reference_is_its_own_member_however_many_are_equal() -> None:
    plane = np.full((64, 64), 7, np.float32)
    search = Search((64, 64), 4, 19, 48)
    (tile,) = search.tiles((1000, 1000))
    found = search.nearest(search.bordered(plane)[search.seen(tile)], tile)
    corners = np.array([(4 * i) * 57 + 4 * j for i in range(15) for j in range(15)])
    assert (found == corners[:, None]).any(1).all()
