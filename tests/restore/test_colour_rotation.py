"""Changes of colour space: orthonormal, and against the singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.restore.colour_rotation import axes_of_colour, rotated

pytestmark = pytest.mark.long


def bands(channels: int, height: int = 30, width: int = 41) -> np.ndarray:
    """Correlated channels of clearly different variances along their principal axes."""
    rng = np.random.default_rng(channels)
    mixing = rng.normal(size=(channels, channels)) * 3.0 ** np.arange(channels)
    return np.einsum("dc,chw->dhw", mixing, rng.normal(size=(channels, height, width))).astype(np.float32)


@pytest.mark.parametrize(("channels", "colour"), [(1, "gray"), (2, "bands"), (3, "bands"), (7, "bands"), (3, "rgb")])
def test_rotating_there_and_back_gives_the_channels(channels: int, colour: str) -> None:
    planes = bands(channels)
    axes = axes_of_colour(planes, colour)
    assert np.allclose(axes @ axes.T, np.eye(channels), atol=1e-12)
    assert np.allclose(rotated(axes.T, rotated(axes, planes)), planes, atol=1e-5 * np.abs(planes).max())


@pytest.mark.parametrize("channels", [2, 5])
def test_bands_get_their_principal_axes_largest_first(channels: int) -> None:
    planes = bands(channels)
    flat = planes.reshape(channels, -1).astype(float)
    left = np.linalg.svd(flat - flat.mean(1, keepdims=True))[0].T
    found = axes_of_colour(planes, "bands")
    assert np.allclose(np.abs((found * left).sum(1)), 1, atol=1e-8)
    assert (found.sum(1) >= 0).all()
    variances = rotated(found, planes).reshape(channels, -1).var(1)
    assert (np.diff(variances) < 0).all()


def test_grey_has_no_colour_in_opponent_axes() -> None:
    grey = np.broadcast_to(bands(1), (3, 30, 41))
    luminance, *differences = rotated(axes_of_colour(grey, "rgb"), grey)
    assert np.allclose(luminance, np.sqrt(3) * grey[0], rtol=1e-6)
    assert np.abs(differences).max() <= 1e-5 * np.abs(grey).max()


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_rotation_is_a_product_of_matrices(to: int, of: int) -> None:
    axes, planes = np.random.default_rng(10 * to + of).normal(size=(to, of)), bands(of, 4, 6)
    if of == 1:  # there is nothing to rotate
        assert rotated(np.ones((1, 1)), planes) is planes
    else:
        wanted = (axes @ planes.reshape(of, -1)).reshape(to, 4, 6)
        assert np.allclose(rotated(axes, planes), wanted, atol=1e-5 * np.abs(planes).max() * of)
