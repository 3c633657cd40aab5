"""Hot pixels: single ones, far from all others, are no class and make none broad."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import emseg

TRUTH = np.arange(120)[:, None] // 30 + np.zeros((1, 150), int)
BANDS = np.random.default_rng(0).normal(500 + 600 * TRUTH, 40).clip(0, 4095).astype(np.uint16)
COLOURS = np.array([[255, 255, 255], [220, 40, 40], [40, 120, 220], [40, 180, 90]], np.uint8)


def with_hot(count: int, image: NDArray[np.uint16] = BANDS) -> NDArray[np.uint16]:
    """A 12-bit picture with single pixels at the end of 16 bits."""
    hot = image.copy()
    places = np.random.default_rng(count).choice(40 * 50, count, replace=False)
    hot[3 * (places // 50), 3 * (places % 50)] = 65535
    return hot


@pytest.mark.parametrize("count", [1, 2, 5, 17])
@pytest.mark.parametrize("k", [4, 5])
def test_they_take_no_class(count: int, k: int) -> None:
    result = emseg.segment(with_hot(count), k=k)
    spare = 0.001 if k == 5 else 0.0  # a class more than there are splits the tails of one
    assert emseg.evaluate(result.labels, [TRUTH + 1])["scores"]["error"] < 2 * count / TRUTH.size + spare + 1e-9
    assert np.max(result.report["means"]) < 4096
    line = result.report["warnings"][0]
    assert line.endswith("counts it" if count == 1 else "counts them")
    assert line.startswith(f"{count} single pixel")
    assert "far from all others, and left out of the fit; stray='fit'" in line
    assert not any("single" in line for line in emseg.segment(with_hot(count), k=k, stray="fit").report["warnings"])


@pytest.mark.parametrize("count", [1, 3, 10])
def test_salt_on_a_drawing_is_no_class(count: int) -> None:
    drawing = COLOURS[TRUTH]
    places = np.random.default_rng(count).choice(TRUTH.size, count, replace=False)
    drawing.reshape(-1, 3)[places] = 0
    result = emseg.segment(drawing, k=4)
    assert emseg.evaluate(result.labels, [TRUTH + 1])["scores"]["error"] <= count / TRUTH.size + 1e-9
    assert any("single pixel" in line for line in result.report["warnings"])
    drawing.reshape(-1, 3)[places[0]] = 9  # six values, of which two are salt
    result = emseg.segment(drawing, k=5)
    assert emseg.evaluate(result.labels, [TRUTH + 1])["scores"]["error"] <= count / TRUTH.size + 1e-9
    assert any("single pixel" in line for line in result.report["warnings"]) or count == 1


def test_a_class_for_each_value_is_what_was_asked_for() -> None:
    drawing = COLOURS[TRUTH]
    drawing[3, 5] = 0
    result = emseg.segment(drawing, k=5)
    assert sorted(result.report["pixel_counts"]) == [1, 4499, 4500, 4500, 4500]
    assert result.report["warnings"] == ["class 1 has 1 pixel; k=4 has no class for such"]


def test_a_small_object_is_a_class() -> None:
    """Sixteen pixels that touch each other are what is looked for."""
    image = BANDS[:60].copy()
    image[20:24, 30:34] = 60000
    result = emseg.segment(image, k=3)
    assert not result.report["warnings"]
    assert sorted(result.report["pixel_counts"])[0] == 16


def test_an_image_without_them_has_no_line() -> None:
    assert not emseg.segment(BANDS, k=4).report["warnings"]
