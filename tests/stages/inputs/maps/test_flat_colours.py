"""Drawings of flat colours: pixels that mix two of them have no say in what the classes are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

import emseg
from emseg.image.model import Image
from emseg.stages.inputs.maps.flat_colours import pure_pixels, without_edges
from emseg.stages.inputs.measurement import balls, measure_features

pytestmark = pytest.mark.long

COLOURS = np.array(
    [[255, 255, 255], [220, 40, 40], [40, 120, 220], [40, 180, 90], [250, 200, 40], [20, 20, 20], [150, 80, 180]],
    np.uint8,
)
SATURATED = np.array(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255], [255, 255, 255], [0, 0, 0]],
    np.uint8,
)
TOLD = "of the pixels are at edges of flat colours, and are left out of the fit; stray='fit' counts them"


def discs(k: int, fine: int = 4, size: int = 160) -> tuple[NDArray[np.uint8], NDArray[np.int_]]:
    """Discs in k - 1 colours on white, antialiased, and the colour that covers most of each pixel, from 1."""
    rng, (y, x) = np.random.default_rng(k), np.mgrid[: size * fine, : size * fine]
    big = np.zeros((size * fine, size * fine), int)
    for i in range(5 * k):
        down, across, radius = rng.uniform((0, 0, 9 * fine), (size * fine, size * fine, 20 * fine))
        big[(y - down) ** 2 + (x - across) ** 2 < radius**2] = 1 + i % (k - 1)
    blocks = big.reshape(size, fine, size, fine)
    shares = np.stack([(blocks == c).mean((1, 3)) for c in range(k)], axis=-1)
    return np.rint(shares @ COLOURS[:k]).astype(np.uint8), shares.argmax(-1) + 1


def jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=quality)
    return file.getvalue()


def error(result: emseg.Segmentation, truth: NDArray[np.int_]) -> float:
    return float(emseg.evaluate(result.labels, [truth])["scores"]["error"])


@pytest.mark.parametrize("k", [3, 5, 7])
def test_antialiased_drawings_keep_all_their_colours(k: int) -> None:
    image, truth = discs(k)
    result = emseg.segment(image, k=k)
    assert error(result, truth) < 0.01
    assert [line.partition("% ")[2] for line in result.report["warnings"]] == [TOLD]
    every = emseg.segment(image, k=k, stray="fit")
    assert not every.report["warnings"]
    assert error(every, truth) > 3 * error(result, truth)


@pytest.mark.parametrize("k", [3, 5, 8])
@pytest.mark.parametrize("quality", [75, 92])
def test_jpeg_files_that_halve_the_resolution_of_colours(k: int, quality: int) -> None:
    index = np.random.default_rng(k).integers(0, k, (10, 14))
    index.ravel()[:k] = np.arange(k)
    index = index.repeat(12, 0).repeat(12, 1)
    result = emseg.segment(jpeg(SATURATED[index], quality), k=k)
    assert error(result, index + 1) < 0.015
    assert error(emseg.segment(jpeg(SATURATED[index], quality), k=k, stray="fit"), index + 1) > 0.05


def strokes() -> tuple[NDArray[np.uint8], NDArray[np.int_]]:
    """Lines as thin as those of letters, at all angles, dark on light: none of their pixels is flat."""
    y, x = np.mgrid[:640, :880] / 4
    ink = np.zeros(y.shape, bool)
    for i in range(24):
        angle, away = i * np.pi / 12 + 0.1, 20 + 5 * i
        ink |= (np.abs((x - 110) * np.cos(angle) + (y - 80) * np.sin(angle)) < 0.9) & (np.hypot(x - 110, y - 80) < away)
    cover = ink.reshape(160, 4, 220, 4).mean((1, 3))
    image = np.rint(np.array([250, 250, 240]) * (1 - cover[..., None]) + np.array([20, 20, 60]) * cover[..., None])
    return image.astype(np.uint8), (cover <= 0.5) + 1


def test_thin_strokes_are_as_thin_as_they_are() -> None:
    image, truth = strokes()
    result = emseg.segment(image, k=2)
    assert error(result, truth) < 0.02
    assert error(result, truth) < 0.5 * error(emseg.segment(image, k=2, stray="fit"), truth)


@pytest.mark.parametrize("kind", ["uint16", "uint16 of 8 bits", "rgba", "masked", "float"])
def test_a_drawing_stored_another_way_is_the_same_drawing(kind: str) -> None:
    image, _ = discs(4)
    mask = None
    wanted = emseg.segment(image, k=4).labels
    if kind == "uint16":
        stored = image.astype(np.uint16) * 257
    elif kind == "float":
        stored = image / 255
    elif kind == "uint16 of 8 bits":  # whose white is another one, so that only bands can be compared
        stored = image.astype(np.uint16)
        wanted = emseg.segment(image, k=4, features="bands").labels
        assert (emseg.segment(stored, k=4, features="bands").labels == wanted).all()
        return
    else:
        mask = np.ones(image.shape[:2], np.uint8)
        mask[:, :30] = 0
        stored = image if kind == "masked" else np.dstack([image, mask * 255])
        mask = mask if kind == "masked" else None
        found = emseg.segment(stored, k=4, mask=mask).labels
        assert (found[:, :30] == 0).all()
        assert emseg.evaluate(found[:, 30:], [wanted[:, 30:]])["scores"]["error"] < 0.001
        return
    assert emseg.evaluate(emseg.segment(stored, k=4).labels, [wanted])["scores"]["error"] < 0.001


def test_what_is_no_drawing_is_fitted_as_a_whole(samples: Path) -> None:
    noisy = np.random.default_rng(0).normal(60 + 60 * (np.arange(120)[:, None] // 40 + np.zeros(130)), 5)
    sharp = COLOURS[np.random.default_rng(0).integers(0, 4, (12, 14)).repeat(9, 0).repeat(9, 1)]
    smooth = np.linspace(0, 255, 160)[None].repeat(90, 0)
    for picture in (noisy, sharp, smooth, np.zeros((20, 20)), np.zeros((3, 40))):
        assert pure_pixels(Image.from_array(np.round(picture).astype(np.uint8)), None, 4) is None
    for name in ("astronaut.png", "brick.png", "camera.png", "cell.png", "coffee.jpg", "phantom.png"):
        with PIL.Image.open(samples / name) as file:
            photo = Image.from_array(np.asarray(file))
        assert all(pure_pixels(photo, None, k) is None for k in (2, 4))


def test_options_that_need_all_pixels_have_them() -> None:
    image, _ = discs(3)
    for given in (
        {"stray": "fit"},
        {"floor": 1e-11},
        {"k": "2:3"},
        {"mrf": "icm"},
        {"noise": True},
        {"family": "student"},
        {"sample_weight": np.ones(image.shape[:2])},
        {"features": "lab,xy:0.1"},
    ):
        result = emseg.segment(image, **{"k": 3, **given})  # type: ignore[arg-type]
        assert not any("stray" in line for line in result.report["warnings"])


def test_only_pure_pixels_are_counted() -> None:
    image, _ = discs(3)
    photo = Image.from_array(image)
    settings = {"spec": "auto", "family": "gaussian", "missing": "drop", "compress": True, "stored_values": False}
    features = measure_features(photo, None, **settings, may_be_texture=False)  # type: ignore[arg-type]
    counted, (line,) = without_edges(photo, None, features, 3)
    pure = pure_pixels(photo, None, 3)
    assert pure is not None
    assert counted.n_pixels == pure.sum()
    assert line.startswith(f"{1 - pure.mean():.1%} ")
    exact = (image[:, :, None] == COLOURS[:3]).all(-1).any(-1)
    assert pure[exact].mean() > 0.999
    assert (pure & ~exact).mean() < 0.02


def test_balls_cover_what_is_there() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(centre, 1, (n, 3)) for centre, n in ((0, 50), (100, 200), (200, 100))])
    centres, outside = balls(values.astype(np.float32), 3, 8)
    np.testing.assert_allclose(centres.mean(1), [100, 200, 0], atol=1)
    assert outside == 0
    assert balls(values.astype(np.float32), 2, 8)[1] == pytest.approx(50 / 350)
    assert balls(values[:2].astype(np.float32), 3, 8)[1] == 1


@pytest.mark.parametrize("k", [32, 64])
def test_as_many_classes_as_colours_are_exact(k: int) -> None:
    """Some colours have a single pixel. Each is the class that was asked for, and a line says how small it is."""
    rng = np.random.default_rng(k)
    colours = rng.choice(256, (k, 3)).astype(np.uint8)
    index = rng.integers(0, k, (8, 12)).repeat(10, 0).repeat(10, 1)
    index.ravel()[:k] = np.arange(k)
    result = emseg.segment(colours[index], k=k)
    assert error(result, index + 1) == 0
    assert all("1 pixel" in line for line in result.report["warnings"])
