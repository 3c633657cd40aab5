"""Grids on one another: turned and cut where that is exact, told apart where it is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emseg.image.place.grid import Grid, Reorientation, reorientation

RNG = np.random.default_rng(0)
AFFINE = np.array([[-2.0, 0, 0.3, 90], [0.1, 2.5, 0, -120], [0, 0, 3, -70]])
LENGTHS = (4, 5, 6)


def grid(matrix: np.ndarray, lengths: tuple[int, ...], kind: str = "affine", system: str = "") -> Grid:
    return Grid(matrix, 2.0**-23 * np.abs(matrix), lengths, kind, system)


WANTED = grid(AFFINE, LENGTHS)


def seen_from(steps: np.ndarray, offset: np.ndarray, lengths: tuple[int, ...]) -> Grid:
    """A grid with index j where `WANTED` has the index steps · j + offset."""
    return grid(np.column_stack([AFFINE[:, :3] @ steps, AFFINE[:, :3] @ offset + AFFINE[:, 3]]), lengths)


TURNS = [(axes, signs) for axes in itertools.permutations(range(3)) for signs in itertools.product((1, -1), repeat=3)]


@pytest.mark.parametrize(("axes", "signs"), TURNS)
@pytest.mark.parametrize("margin", [0, 2])
def test_all_48_orientations(axes: tuple[int, ...], signs: tuple[int, ...], margin: int) -> None:
    """By brute force: each voxel of the wanted grid receives what is stored at its place."""
    lengths = tuple(LENGTHS[axis] + 2 * margin for axis in axes)
    steps, offset = np.zeros((3, 3)), np.full(3, -float(margin))
    for j, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        steps[axis, j] = sign
        offset[axis] += (lengths[j] - 1) * (sign < 0)
    found = reorientation(seen_from(steps, offset, lengths), WANTED)
    assert isinstance(found, Reorientation)
    stored = RNG.random(lengths)
    wanted = found.apply(stored)
    assert wanted.shape == LENGTHS
    for index in np.ndindex(lengths):
        place = steps @ index + offset
        if (place >= 0).all() and (place < LENGTHS).all():
            assert wanted[tuple(place.astype(int))] == stored[index]


@pytest.mark.parametrize("shift", [(1, 0, 0), (0, -1, 0), (0, 0, 6), (50, 50, 50)])
def test_a_grid_that_does_not_cover_the_other(shift: tuple[int, ...]) -> None:
    found = reorientation(seen_from(np.eye(3), np.array(shift, float), LENGTHS), WANTED)
    assert isinstance(found, str)
    what = "does not cover the image, of 4 × 5 × 6 voxels: it has 4 × 5 × 6 and begins at"
    assert found == f"{what} ({', '.join(map(str, shift))})"


@pytest.mark.parametrize("shift", [0.5, 0.1, 0.01, -0.4])
def test_a_part_of_a_voxel(shift: float) -> None:
    found = reorientation(seen_from(np.eye(3), np.array([0, shift, 0]), LENGTHS), WANTED)
    assert found == f"is shifted against the image by (0, {shift}, 0) voxels"


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (np.diag([2, 2, 2]), "has voxels of 4.005 × 5 × 6.03, the image of 2.002 × 2.5 × 3.015"),
        (np.diag([1, 1, 1.01]), "has voxels of 2.002 × 2.5 × 3.045, the image of 2.002 × 2.5 × 3.015"),
        (np.diag([1, 1, 1.0004]), "has voxels of 2.002 × 2.5 × 3.016, the image of 2.002 × 2.5 × 3.015"),
        (np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]), "has voxels of"),
    ],
)
def test_other_sizes_and_directions(steps: np.ndarray, says: str) -> None:
    found = reorientation(seen_from(steps, np.zeros(3), (90, 90, 90)), WANTED)
    assert isinstance(found, str)
    assert found.startswith(says)


def test_a_turn() -> None:
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    cubes = grid(np.eye(3, 4), LENGTHS)
    found = reorientation(grid(np.column_stack([turn, np.zeros(3)]), (90, 90, 90)), cubes)
    assert found == "is turned against the image, or sheared"


@pytest.mark.parametrize("origin", [0, 1e2, 1e4, -3e5])
def test_storage_with_32_bits_does_not_matter(origin: float) -> None:
    exact = np.column_stack([np.diag([0.7, 0.8, 1.1]) @ turned(0.3), np.full(3, origin / 3)])
    stored = exact.astype(np.float32).astype(np.float64)
    assert not np.array_equal(exact, stored)
    assert isinstance(reorientation(grid(stored, (512, 512, 300)), grid(exact, (512, 512, 300))), Reorientation)


def turned(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def test_a_single_slice_has_no_direction_across() -> None:
    slice_ = grid(AFFINE, (4, 5, 1))
    thicker = AFFINE.copy()
    thicker[:, 2] *= -2
    assert isinstance(reorientation(grid(thicker, (4, 5, 1)), slice_), Reorientation)
    thicker[:, 3] += AFFINE[:, 2]
    assert isinstance(reorientation(grid(thicker, (4, 5, 1)), slice_), str)


def test_kinds_and_systems() -> None:
    plane = np.eye(2, 3)
    found = reorientation(grid(AFFINE, LENGTHS), grid(plane, (4, 5), "geotransform"))
    assert found == "has an affine, the image a geotransform"
    one, other = (grid(plane, (4, 5), "geotransform", f"EPSG:{code}") for code in (32632, 32633))
    assert reorientation(one, other) == "is in EPSG:32632, the image in EPSG:32633"
    assert isinstance(reorientation(one, grid(plane, (4, 5), "geotransform")), Reorientation)
