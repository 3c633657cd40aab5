"""`--features auto`: texture where brightness tells nothing apart, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import emseg
from emseg.features.automatic import FAR, NEAR, NOTHING, chosen, correlation
from emseg.features.kinds.texture import texture
from emseg.image.model import Image
from emseg.image.read import read_image


def mosaic(size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Coarse and fine noise of equal mean and variance."""
    rng = np.random.default_rng(0)
    coarse, fine = np.kron(rng.normal(size=(size // 4, size // 4)), np.ones((4, 4))), rng.normal(size=(size, size))
    truth = 1 + (np.arange(size) >= size // 2)[None].repeat(size, 0)
    return np.clip(128 + 30 * np.where(truth == 1, coarse, fine), 0, 255).astype(np.uint8), truth


def test_correlation_is_that_of_shifted_lines() -> None:
    lines = np.random.default_rng(0).normal(size=(40, 300)).cumsum(1)
    expected = ((lines - lines.mean())[:, 7:] * (lines - lines.mean())[:, :-7]).mean() / lines.var()
    assert correlation(lines, 7) == pytest.approx(expected)
    assert correlation(np.ones((3, 90)), 7) == 1


def test_a_mosaic_of_textures() -> None:
    image, truth = mosaic()
    spec, scores = chosen(Image.from_array(image), None)
    assert spec == "texture"
    values = image.astype(np.float64)
    assert scores["gray"] == pytest.approx(np.mean([correlation(some, NEAR) for some in (values[::2], values.T[::2])]))
    planes = texture(values)
    assert scores["texture"] == pytest.approx(np.mean([correlation(p, FAR) for q in planes for p in (q, q.T)]))
    found = emseg.segment(image, k=2)
    assert found.report["features"] == {
        "spec": "texture",
        "names": ["activity", "fineness", "sparseness"],
        "evidence": scores,
    }
    assert emseg.evaluate(found.labels, [truth])["scores"]["error"] < 0.1
    assert emseg.segment(image, k=2, features="gray").report["features"]["spec"] == "gray"


def test_noise_has_neither() -> None:
    rng = np.random.default_rng(1)
    spec, scores = chosen(Image.from_array(rng.integers(0, 256, (256, 256)).astype(np.uint8)), None)
    assert spec == "auto"
    assert abs(scores["gray"]) < NOTHING


@pytest.mark.parametrize("name", ["astronaut.png", "brick.png", "camera.png", "cell.png", "coffee.jpg", "phantom.png"])
def test_photographs_are_what_they_were(samples: Path, name: str) -> None:
    assert chosen(read_image(str(samples / name)), None)[0] == "auto"


def test_where_there_is_no_choice() -> None:
    image, _ = mosaic()
    assert chosen(Image.from_array(image[:180]), None) == ("auto", {})
    assert chosen(Image.from_array(image), np.ones(image.shape, np.bool_)) == ("auto", {})
    assert chosen(Image.from_array(np.repeat(image[..., None], 5, 2)), None) == ("auto", {})
    counts = emseg.segment(image, k=2, family="poisson").report["features"]
    assert counts["spec"] == "gray"
    assert "evidence" not in counts


def test_mosaics(shared_data: Path) -> None:
    for path in sorted((shared_data / "textures" / "images").glob("*.png")):
        assert chosen(read_image(str(path)), None)[0] == "texture", path.name
    for path in sorted((shared_data / "nuclei" / "images").glob("*.png")):
        assert chosen(read_image(str(path)), None)[0] == "auto", path.name
