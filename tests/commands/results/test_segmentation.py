"""`Segmentation`: posterior, entropy and fractions of pixels, by closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import entropy, norm

import emseg
from emseg.errors import UsageError

PIXELS = np.random.default_rng(0).normal(np.where(np.arange(40) < 20, 80, 130), 12, (30, 40)).round().clip(0, 255)
MASK = np.ones(PIXELS.shape, np.uint8)
MASK[:3] = 0


@pytest.fixture(scope="module")
def found() -> emseg.Segmentation:
    return emseg.segment(PIXELS.astype(np.uint8), k=2, mask=MASK)


def test_the_posterior_is_bayes_rule(found: emseg.Segmentation) -> None:
    mixture = found.mixture
    means, spread = mixture.components.means, np.sqrt(mixture.components.covariances[:, 0])
    joint = mixture.weights[:, None] * norm.pdf(PIXELS.ravel(), means, spread)
    expected = (joint / joint.sum(0)).reshape(2, *PIXELS.shape) * MASK
    np.testing.assert_allclose(found.posterior(), expected, atol=1e-5)
    np.testing.assert_array_equal(found.labels, np.where(MASK > 0, expected.argmax(0) + 1, 0))
    np.testing.assert_allclose(found.entropy()[3:], entropy(expected, axis=0)[3:], atol=1e-4)
    assert (found.entropy()[:3] == 0).all()


def test_a_field_answers_for_its_pixels() -> None:
    found = emseg.segment(PIXELS.astype(np.uint8), k=2, mask=MASK, mrf="mean-field")
    assert found.smoothed is not None
    assert found.posterior() is found.smoothed
    np.testing.assert_allclose(found.entropy()[3:], entropy(found.smoothed, axis=0)[3:], atol=1e-4)


def test_fractions_are_for_mixed_pixels(found: emseg.Segmentation) -> None:
    with pytest.raises(UsageError, match="pixels hold one class each; use partial_volume=True"):
        found.fractions()
    mixed = emseg.segment(PIXELS.astype(np.uint8), k=2, mask=MASK, partial_volume=True).fractions()
    np.testing.assert_allclose(mixed.sum(0), MASK, atol=1e-5)


@pytest.mark.parametrize("mrf", ["none", "icm"])
def test_what_comes_of_a_volume_has_its_shape(mrf: str) -> None:
    """Three boxes of one class, each in several slices; one along the first row, one along the last."""
    shape = (6, 20, 15)
    truth = np.zeros(shape, int)
    truth[1:4, 2:8, 3:9] = truth[3:, :2, 11:] = truth[:2, 17:, :5] = 1
    pixels = (100 + 100 * truth + np.random.default_rng(1).normal(0, 5, shape)).astype(np.float32)
    image = emseg.Image(pixels.reshape(-1, 15, 1), "gray", metadata={"volume": shape})
    found = emseg.segment(image, k=2, mrf=mrf, regions=5, partial_volume=True)
    np.testing.assert_array_equal(found.labels, truth + 1)
    assert found.regions is not None
    assert found.entropy().shape == found.regions.ids.shape == shape
    assert found.posterior().shape == found.fractions().shape == (2, *shape)
    table = found.regions.table
    assert sorted(table["area"][1:].tolist()) == [3 * 2 * 4, 2 * 3 * 5, 3 * 6 * 6]
    for row, box in enumerate(ndimage.find_objects(found.regions.ids)):
        for side, first, length, centre in zip(
            box, ("front", "top", "left"), ("depth", "height", "width"), "zyx", strict=True
        ):
            assert (table[first][row], table[length][row]) == (side.start, side.stop - side.start)
            if row:
                assert table[centre][row] == pytest.approx((side.start + side.stop - 1) / 2)
    flat = emseg.segment(image, k=2, bias_field=True)
    assert flat.gain is not None
    assert flat.gain.shape == shape
