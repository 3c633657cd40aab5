"""`--features auto`: texture where brightness tells nothing apart, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import pytest
import tifffile

import emseg
from emseg.features.automatic import CLEAR, FAR, NEAR, NOTHING, chosen, correlation, valley
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
    assert [line.partition(",")[0] for line in found.report["warnings"]] == ["brightness tells no parts apart"]
    assert emseg.segment(image, k=2, features="gray").report["features"]["spec"] == "gray"


def test_noise_has_neither() -> None:
    rng = np.random.default_rng(1)
    spec, scores = chosen(Image.from_array(rng.integers(0, 256, (256, 256)).astype(np.uint8)), None)
    assert spec == "auto"
    assert abs(scores["gray"]) < NOTHING


@pytest.mark.parametrize("name", ["astronaut.png", "brick.png", "camera.png", "cell.png", "coffee.jpg", "phantom.png"])
def test_photographs_are_what_they_were(samples: Path, name: str) -> None:
    assert chosen(read_image(str(samples / name)), None)[0] == "auto"


def page(size: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """A page of text in letters of so many pixels, and where the ink is."""
    sheet = PIL.Image.new("L", (400, 240), 255)
    pen, font = PIL.ImageDraw.Draw(sheet), PIL.ImageFont.load_default(size)
    for line in range(int(240 / (1.4 * size))):
        pen.text((10, 8 + 1.4 * size * line), "pack my box with five dozen liquor jugs, said the sphinx", 0, font)
    ink = np.asarray(sheet) < 128
    grey = np.where(ink, 60.0, 230.0) + np.random.default_rng(size).normal(0, noise, ink.shape)
    return np.clip(grey, 0, 255).round().astype(np.uint8), ink


@pytest.mark.parametrize("size", [10, 14, 18, 24, 32])
@pytest.mark.parametrize("noise", [0, 4, 15, 30])
def test_text_on_paper_has_two_modes_and_no_texture(size: int, noise: float) -> None:
    grey, ink = page(size, noise)
    assert valley(grey.astype(np.float64)) < CLEAR / 2
    assert chosen(Image.from_array(grey), None)[0] == "auto"
    if noise == 4:
        assert emseg.evaluate(emseg.segment(grey, k=2).labels, [ink.astype(int)])["scores"]["error"] < 0.001


def test_one_mode_has_no_valley() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.normal(128, 20, 40_000), rng.uniform(0, 256, 40_000), rng.normal(5, 1, 40_000)):
        assert valley(np.clip(values, 0, 255).round()) > CLEAR
    assert valley(np.full(9, 3.0)) == 1
    assert valley(np.repeat([3.0, 4.0, 9.0], 9)) == valley(np.repeat([0.0, 1.0], 9)) == 0
    burnt = np.clip(rng.normal(128, 70, 40_000), 0, 255).round()
    assert valley(burnt) > CLEAR, "tails that the ends of the range cut are no modes"


@pytest.mark.parametrize("kind", ["int16", "uint32", "float32"])
def test_three_channels_without_a_white_are_bands(kind: str) -> None:
    truth = np.arange(60) > 30
    values = np.random.default_rng(0).normal(0, 9, (50, 60, 3)) + np.where(truth, 900, 100)[:, None]
    found = emseg.segment(values.astype(kind), k=2)
    assert found.report["features"]["spec"] == "bands"
    assert found.report["warnings"] == [
        f"three channels of {kind} whose white is unknown are taken as bands, not as colours; features='bands' says so"
    ]
    assert (found.labels == 1 + truth).all()
    unit = (values / 1000).clip(0, 1).astype("float32")
    assert emseg.segment(unit, k=2).report["features"]["spec"] == "lab"


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


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_three_channels_of_an_array_are_colours_and_a_line_says_so(kind: str, tmp_path: Path) -> None:
    """Of 8 bits they are a picture without a word. A file says itself what its channels are."""
    top = 1.0 if kind == "float32" else np.iinfo(kind).max
    image = (np.random.default_rng(0).random((12, 14, 3)) * top).astype(kind)
    lines = emseg.segment(image, 2).report["warnings"]
    told = f"three channels of {kind} are taken as red, green and blue; features='bands' takes them as bands"
    assert lines == ([] if kind == "uint8" else [told])
    np.save(tmp_path / "image.npy", image)
    assert emseg.segment(tmp_path / "image.npy", 2).report["warnings"] == lines
    tifffile.imwrite(tmp_path / "image.tif", image, photometric="rgb")
    for result in (
        emseg.segment(tmp_path / "image.tif", 2),
        emseg.segment(image, 2, features="rgb"),
        emseg.segment(image, 2, features="bands"),
    ):
        assert not result.report["warnings"]
