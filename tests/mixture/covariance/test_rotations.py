"""Coordinates of frames: every vector is a frame, and every frame has coordinates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import special_ortho_group

from emseg.mixture.covariance.rotations import orthogonal, skew_entries, triangle, unit_lower


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_every_vector_is_an_orthogonal_matrix(seed: int, d: int) -> None:
    entries = 3 * np.random.default_rng(seed).normal(size=(2, d * (d - 1) // 2))
    q = orthogonal(entries, d)
    np.testing.assert_allclose(q @ np.swapaxes(q, 1, 2), np.stack([np.eye(d)] * 2), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(q), 1, rtol=1e-10)


@given(st.integers(0, 10**6), st.integers(2, 6), st.booleans())
def test_a_frame_comes_back_but_for_signs_and_places(seed: int, d: int, ordered: bool) -> None:
    axes = special_ortho_group.rvs(d, random_state=seed)
    entries, order = skew_entries(axes, ordered)
    assert (order == np.arange(d)).all() or not ordered
    assert np.abs(entries).max() < 3 ** (d - 1)  # they stay moderate
    back = orthogonal(entries[None], d)[0]
    np.testing.assert_allclose(np.abs((back * axes[:, order]).sum(0)), 1, rtol=1e-9)


def test_triangles_are_unit_lower_matrices() -> None:
    entries = np.arange(1.0, 7).reshape(1, 6)
    lower = unit_lower(entries, 4)
    np.testing.assert_array_equal(lower[0], np.tril(lower[0]))
    np.testing.assert_array_equal(np.diag(lower[0]), 1)
    np.testing.assert_array_equal(triangle(lower), entries)


@pytest.mark.parametrize("d", [1, 2])
def test_the_smallest_frames(d: int) -> None:
    entries, order = skew_entries(np.eye(d)[:, ::-1].copy(), ordered=False)
    assert entries.shape == (d * (d - 1) // 2,)
    assert sorted(order.tolist()) == list(range(d))
