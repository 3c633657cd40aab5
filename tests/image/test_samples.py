"""The pictures shipped with emseg: small, readable, documented; the phantom agrees with its truth."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emseg.image.read import read_image


@pytest.fixture(scope="module")
def phantom() -> dict[str, object]:
    return runpy.run_path(str(Path(__file__).parents[1] / "data" / "make_phantom.py"))


def test_samples_are_small_readable_and_documented(samples: Path) -> None:
    files = [path for path in samples.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2_500_000
    sources = (samples / "SOURCES.md").read_text(encoding="utf-8")
    pictures = [path for path in files if path.suffix in (".png", ".jpg")]
    images = [read_image(path) for path in pictures]
    assert all(f"`{path.relative_to(samples).as_posix()}`" in sources for path in pictures)
    assert all(max(image.shape) <= 600 for image in images)
    kinds = {(path.suffix, image.colour) for path, image in zip(pictures, images, strict=True)}
    assert kinds == {(".png", "gray"), (".png", "rgb"), (".jpg", "rgb")}


def test_truth_is_a_palette_of_four_labels(samples: Path, phantom: dict) -> None:
    with PIL.Image.open(samples / "truth" / "phantom.labels.png") as stored:
        assert stored.mode == "P"
        labels = np.asarray(stored)
    assert np.unique(labels).tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(labels, phantom["truth"]())


def test_phantom_is_its_truth_plus_noise(samples: Path, phantom: dict) -> None:
    pixels, labels, means = read_image(samples / "phantom.png").pixels, phantom["truth"](), phantom["MEANS"]
    residual = pixels - means[labels - 1].astype(float)
    assert abs(residual.mean()) < 0.1
    assert residual.std() == pytest.approx(phantom["NOISE"], rel=0.02)
    distance = ((pixels[..., None, :] - means.astype(float)) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(distance.argmin(axis=-1) + 1, labels)
    light = means @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(light) > 0), "label 1 is the darkest"
