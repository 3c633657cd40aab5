"""The number of classes that noise hides: right on images whose classes are known, and not asked for elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import emseg

pytestmark = pytest.mark.long

SIDE = 96


def bands(k: int) -> np.ndarray:
    """K classes in upright bands, in the opposite order below."""
    y, x = np.mgrid[:SIDE, :SIDE]
    order = x * k // SIDE
    return np.where(y < SIDE // 2, order, k - 1 - order)


def noisy(z: np.ndarray, gap: float, seed: int = 0) -> np.ndarray:
    """Means `gap` standard deviations of the noise apart, 8 bits."""
    rng = np.random.default_rng(seed)
    means = 128 + 15 * gap * (np.arange(z.max() + 1) - z.max() / 2)
    return np.clip(np.rint(means[z] + 15 * rng.standard_normal(z.shape)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("k", "gap"), [(1, 1.0), (2, 1.0), (3, 1.5), (4, 1.5), (5, 2.0)])
def test_classes_that_no_histogram_shows_are_counted(k: int, gap: float) -> None:
    found = emseg.segment(noisy(bands(k), gap), k="auto").report
    assert found["K"] == k
    assert found["selection"]["independent_area"] < 2
    values = [row["value"] for row in found["selection"]["table"]]
    assert values.index(min(values)) + 1 == k


def test_the_classes_are_the_true_ones() -> None:
    """Their means are those of the field's classes, which EM without a field alone does not find."""
    z = bands(3)
    image = noisy(z, 1.5)
    found = emseg.segment(image, k="1:5", mrf="mean-field")
    assert (found.labels != z + 1).mean() < 0.02
    start = emseg.segment(image, k="1:5", max_iter=1).report
    np.testing.assert_allclose(start["means"], [[image[z == k].mean()] for k in range(3)], atol=2)


def test_colours_a_mask_and_a_volume() -> None:
    z = bands(3)
    colours = np.stack([noisy(z, 1.2, 1), noisy((z + 1) % 3, 1.2, 2), noisy(z, 1.2, 3)], axis=2)
    assert emseg.segment(colours, k="1:5", features="rgb").report["K"] == 3
    inside = np.hypot(*(np.indices(z.shape) - SIDE / 2)) < SIDE / 2
    assert emseg.segment(noisy(z, 1.5), k="1:5", mask=inside).report["K"] == 3
    z = np.kron(np.arange(8).reshape(2, 2, 2) % 3, np.ones((12, 12, 12), int))
    assert emseg.segment(noisy(z, 1.5), k="1:5", axes="ZYX").report["K"] == 3


def test_weights_are_not_passed_over() -> None:
    """A field does not know them; so the other criterion, which does, decides."""
    image, weight = noisy(bands(3), 1.5), np.random.default_rng(0).uniform(0.5, 1.5, (SIDE, SIDE))
    assert emseg.segment(image, k="1:4", sample_weight=weight).report["K"] == 1
    image[3, 7] = 255
    image[50, 60] = 0
    assert emseg.segment(image, k="1:4").report["K"] == 3


def test_photographs_are_left_to_the_other_criterion(samples: Path) -> None:
    found = emseg.segment(samples / "camera.png", k="auto").report["selection"]
    assert found["independent_area"] > 100
    assert found["chosen"] == 3
