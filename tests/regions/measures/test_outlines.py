"""Outlines and surfaces: scikit-image in the plane, closed forms in space."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label, regionprops_table

from emseg.regions.measures.outlines import borders, perimeters


@pytest.mark.parametrize("width", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("everywhere", [True, False])
def test_perimeters_of_scikit_image(width: float, everywhere: bool) -> None:
    """Regions that touch, with holes, and at the edge of the image."""
    noise = ndimage.gaussian_filter(np.random.default_rng(int(width)).normal(size=(90, 110)), width)
    ids = label((noise > 0) + int(everywhere), connectivity=1).astype(np.int32)
    found = regionprops_table(ids, properties=["perimeter", "perimeter_crofton"])
    np.testing.assert_allclose(perimeters(ids, int(ids.max())), found["perimeter"], atol=1e-9)
    np.testing.assert_allclose(borders(ids, int(ids.max()), (1, 1)), found["perimeter_crofton"], rtol=1e-12)


@pytest.mark.parametrize("sides", [(1, 1), (2, 1), (0.3, 0.5)])
def test_circles(sides: tuple[float, float]) -> None:
    y, x = np.mgrid[-60:61, -60:61] * np.array(sides)[:, None, None]
    for radius in (12, 20):
        found = borders((np.hypot(y, x) < radius).astype(np.int32), 1, sides)
        if radius < 60 * min(sides):
            assert found == pytest.approx(2 * np.pi * radius, rel=0.04)


@pytest.mark.parametrize("sides", [(1, 1, 1), (2, 1, 1), (0.5, 1, 3)])
def test_balls_and_spheroids(sides: tuple[float, float, float]) -> None:
    places = [np.arange(-np.ceil(22 / side), np.ceil(22 / side) + 1) * side for side in sides]
    z, y, x = np.meshgrid(*places, indexing="ij")
    ids = (z**2 + y**2 + x**2 < 400).astype(np.int32)
    assert borders(ids, 1, sides) == pytest.approx(4 * np.pi * 400, rel=0.02)
    flat = 0.75**0.5  # the eccentricity of a spheroid twice as long as it is wide
    surface = 2 * np.pi * 100 * (1 + 2 / flat * np.arcsin(flat))
    ids = ((z / 20) ** 2 + (y / 10) ** 2 + (x / 10) ** 2 < 1).astype(np.int32)
    assert borders(ids, 1, sides) == pytest.approx(surface, rel=0.05)
