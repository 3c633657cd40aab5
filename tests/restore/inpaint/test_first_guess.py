"""First guesses against the harmonic function that they approach, and depths against scipy's distance transform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt, zoom

from emseg.restore.inpaint.first_guess import SHALLOW, depth, doubled, halved, interpolated


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 0.9, 0.99, 0.999])
def test_the_depth_of_scattered_holes(share: float) -> None:
    missing = np.random.default_rng(1).random((60, 45)) < share
    assert depth(missing) == pytest.approx(distance_transform_edt(missing).max() if missing.any() else 0)


@pytest.mark.parametrize("hole", [np.s_[3:9, 4:30], np.s_[:, 20:41], np.s_[:59, :44], np.s_[10:, :7]])
def test_the_depth_of_blocks(hole: tuple[slice, slice]) -> None:
    missing = np.zeros((60, 45), bool)
    missing[hole] = True
    assert depth(missing) == pytest.approx(distance_transform_edt(missing).max())
    assert depth(missing[:, : 2 * int(SHALLOW)].T) == pytest.approx(
        distance_transform_edt(missing[:, : 2 * int(SHALLOW)]).max()
    )


def test_nothing_known_is_infinitely_deep() -> None:
    assert depth(np.ones((3, 4), bool)) == np.inf
    assert depth(np.zeros((3, 4), bool)) == 0


@pytest.mark.parametrize("share", [0.3, 0.7, 0.9])
def test_a_guess_is_nearly_the_membrane_through_the_known_pixels(share: float) -> None:
    """The membrane solves the linear system that each missing pixel is the mean of its neighbours."""
    rng, shape = np.random.default_rng(0), (24, 30)
    plane = rng.normal(100, 30, shape).astype(np.float32)
    missing = rng.random(shape) < share
    found = interpolated(plane[None], missing)[0]
    assert (found[~missing] == plane[~missing]).all()
    index = np.pad(np.arange(plane.size).reshape(shape), 1, "edge")
    system = np.eye(plane.size)
    for near in (index[:-2, 1:-1], index[2:, 1:-1], index[1:-1, :-2], index[1:-1, 2:]):
        np.add.at(system, (np.flatnonzero(missing), near[missing]), -0.25)
    membrane = np.linalg.solve(system, np.where(missing, 0, plane).ravel()).reshape(shape)
    error, spread = (found - membrane)[missing], (membrane - plane[~missing].mean())[missing]
    assert np.sqrt((error**2).mean()) < 0.15 * np.sqrt((spread**2).mean())


def test_what_missing_pixels_held_is_never_read() -> None:
    planes = np.random.default_rng(0).normal(size=(2, 21, 34)).astype(np.float32)
    missing = np.random.default_rng(1).random((21, 34)) < 0.6
    found = interpolated(np.where(missing, np.float32(np.nan), planes), missing)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= np.abs(planes).max()  # a mean of known values


def test_without_missing_or_without_known_pixels() -> None:
    planes = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)
    assert (interpolated(planes, np.zeros((5, 6), bool)) == planes).all()
    assert (interpolated(planes, np.ones((5, 6), bool)) == 0).all()


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0, 1))
def test_halving_takes_means_of_the_known_pixels(height: int, width: int, share: float) -> None:
    rng = np.random.default_rng(100 * height + width)
    planes, missing = rng.normal(size=(2, height, width)).astype(np.float32), rng.random((height, width)) < share
    coarse, lost = halved(planes, missing)
    assert coarse.shape == (2, -(-height // 2), -(-width // 2))
    for i, j in np.ndindex(lost.shape):
        block = np.s_[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        known = ~missing[block]
        assert lost[i, j] == (not known.any())
        for plane, value in zip(planes, coarse[:, i, j], strict=True):
            assert value == pytest.approx(plane[block][known].mean() if known.any() else 0, abs=1e-6)


@pytest.mark.parametrize("shape", [(10, 14), (9, 13)])
def test_doubling_is_linear_interpolation(shape: tuple[int, int]) -> None:
    coarse = np.random.default_rng(0).normal(size=(3, 5, 7)).astype(np.float32)
    wanted = zoom(coarse, (1, 2, 2), order=1, mode="nearest", grid_mode=True)[:, : shape[0], : shape[1]]
    assert np.allclose(doubled(coarse, shape), wanted, atol=1e-6)
