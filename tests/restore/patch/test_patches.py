"""Cutting, putting back, and covering a plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.restore.patch.patches import (
    SIDE,
    bands,
    cosine_planes,
    cosines,
    cut,
    cut_at,
    padded_to_grid,
    pixel_runs,
    put_at,
    run_indices,
    spread,
)


def test_the_basis_is_orthonormal_and_begins_with_the_constant() -> None:
    basis = cosines().astype(float)
    assert np.allclose(basis.T @ basis, np.eye(64), atol=1e-6)
    assert np.allclose(basis[:, 0], 1 / 8)


@given(st.integers(8, 20), st.integers(8, 20))
def test_patches_that_are_put_add_up(height: int, width: int) -> None:
    rng = np.random.default_rng(height * 100 + width)
    plane = rng.standard_normal((height, width)).astype(np.float32)
    members = rng.integers(0, (height - 7) * (width - 7), (5, 3))
    where = run_indices(members, width - 7)
    assert (cut_at(pixel_runs(plane), where) == cut(plane)[members]).all()
    rows, wanted = rng.standard_normal((5, 3, 64)).astype(np.float32), np.zeros(plane.shape)
    for member, row in zip(members.ravel(), rows.reshape(-1, SIDE, SIDE), strict=True):
        y, x = divmod(int(member), width - 7)
        wanted[y : y + SIDE, x : x + SIDE] += row
    assert np.allclose(put_at(rows, where, plane.shape), wanted, atol=1e-5)
    assert float((cut_at(pixel_runs(plane), where) * rows).sum()) == pytest.approx(
        float((plane * wanted).sum()), abs=1e-3
    )


@given(st.integers(8, 20), st.integers(8, 20))
def test_constant_patches_are_spread(height: int, width: int) -> None:
    weight = np.random.default_rng(height * 100 + width).standard_normal((height - 7, width - 7)).astype(np.float32)
    where = run_indices(np.arange(weight.size), width - 7)
    constant = np.repeat(weight.reshape(-1, 1), SIDE * SIDE, axis=1)
    assert np.allclose(spread(weight), put_at(constant, where, (height, width)), atol=1e-5)


@pytest.mark.parametrize("order", [1, 3, 8])
def test_the_lowest_cosines_of_every_patch(order: int) -> None:
    plane = np.random.default_rng(0).standard_normal((12, 19)).astype(np.float32)
    wanted = (cut(plane) @ cosines()).reshape(5, 12, 8, 8)[:, :, :order, :order]
    assert np.allclose(cosine_planes(plane, order), wanted.reshape(5, 12, -1), atol=1e-5)


@given(st.integers(8, 60), st.integers(8, 60), st.integers(1, 900))
def test_bands_hold_every_patch_once(height: int, width: int, pixels: int) -> None:
    plane = np.arange(height * width, dtype=np.float32).reshape(height, width)
    parts = np.concatenate([cut(plane[rows]) for rows in bands(plane.shape, pixels)])
    assert (parts == cut(plane)).all()


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 8))
def test_fitted_planes_are_covered_and_begin_with_the_plane(height: int, width: int, step: int) -> None:
    plane = np.arange(height * width).reshape(height, width)
    found = padded_to_grid(plane, step)
    assert (found[:height, :width] == plane).all()
    for length, own in zip(found.shape, plane.shape, strict=True):
        assert length >= SIDE
        assert (length - SIDE) % step == 0
        assert length < max(own, SIDE) + step
