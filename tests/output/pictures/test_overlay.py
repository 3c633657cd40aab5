from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data
from skimage.color import rgb2lab

from emseg.image.model import Image
from emseg.output.pictures import overlay
from emseg.output.pictures.overlay import overlay_png
from emseg.output.pictures.palette import palette

from .png_chunks import header

pytestmark = pytest.mark.long


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(png)).convert("RGB"))


def packed(rgb: np.ndarray) -> Image:
    """As the reader makes it: words whose top byte is anything."""
    words = np.concatenate([rgb, np.random.default_rng(0).integers(0, 256, (*rgb.shape[:2], 1))], axis=2).astype(
        np.uint8
    )
    return Image(words[:, :, :3], "rgb", packed=words.view("<u4")[:, :, 0])


def halves(height: int, width: int) -> np.ndarray:
    labels = np.ones((height, width), np.uint8)
    labels[:, width // 2 :] = 2
    return labels


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return data.astronaut()[::2, ::2].copy()


def bands_of(grey: np.ndarray, k: int) -> np.ndarray:
    return (np.searchsorted(np.quantile(grey, np.arange(1, k) / k), grey) + 1).astype(np.uint8)


def test_luma_is_that_of_the_textbook() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    expected = rgb @ np.array([0.299, 0.587, 0.114])
    words = packed(rgb).packed
    assert words is not None
    assert np.abs(overlay._packed_luma(words) - expected).max() <= 1.5


@pytest.mark.parametrize("k", [1, 2, 4, 8, 20, 35])
def test_usual_numbers_of_regions_make_a_palette_file(photo: np.ndarray, k: int) -> None:
    assert header(overlay_png(packed(photo), bands_of(photo[:, :, 1], k), palette(k))) == (256, 256, 8, 3)


@pytest.mark.parametrize("k", [36, 255, 400])
def test_many_regions_make_an_rgb_file(photo: np.ndarray, k: int) -> None:
    labels = (np.arange(256 * 256).reshape(256, 256) // 64 % k + 1).astype(np.uint16)
    assert header(overlay_png(packed(photo), labels, palette(k))) == (256, 256, 8, 2)


def test_regions_have_the_hue_of_their_label(photo: np.ndarray) -> None:
    k = 4
    labels = bands_of(photo[:, :, 1], k)
    lab = rgb2lab(decoded(overlay_png(packed(photo), labels, palette(k))))
    target = rgb2lab(palette(k) / 255.0)
    for label in range(1, k + 1):
        a, b = np.median(lab[labels == label][:, 1:], axis=0)
        turn = np.arctan2(b, a) - np.arctan2(target[label, 2], target[label, 1])
        assert abs(np.angle(np.exp(1j * turn))) < 0.35
        assert np.hypot(a, b) > 15


def test_detail_within_a_region_is_kept(photo: np.ndarray) -> None:
    grey = photo @ np.array([0.299, 0.587, 0.114])
    seen = rgb2lab(decoded(overlay_png(packed(photo), np.ones((256, 256), np.uint8), palette(1))))[:, :, 0]
    assert np.corrcoef(grey.ravel(), seen.ravel())[0, 1] > 0.98
    assert np.ptp(seen) > 40


def test_no_data_is_a_dark_grey_image(photo: np.ndarray) -> None:
    labels = halves(256, 256)
    labels[:100] = 0
    seen = decoded(overlay_png(packed(photo), labels, palette(2)))[:98]
    assert np.ptp(seen, axis=2).max() <= 1
    assert seen.max() < 130
    assert np.ptp(seen) > 40


@pytest.mark.parametrize(("side", "line"), [(100, 1), (2500, 2), (4300, 3)])
def test_the_boundary_is_a_white_line_of_a_width_to_match(side: int, line: int) -> None:
    grey = np.full((side, side, 1), 90, np.uint8)
    white = (decoded(overlay_png(Image(grey, "gray"), halves(side, side), palette(2))) == 255).all(axis=2)
    assert (white.sum(axis=1) == line).all()
    middle = np.flatnonzero(white[0]).mean()
    assert abs(middle - (side / 2 - 0.5)) <= 1


def test_boundaries_run_both_ways_and_specks_have_none() -> None:
    labels = np.ones((60, 60), np.uint8)
    labels[20:40, 20:40] = 2
    labels[5, 5] = 3
    white = (decoded(overlay_png(Image(np.full((60, 60, 1), 9, np.uint8), "gray"), labels, palette(3))) == 255).all(
        axis=2
    )
    assert white[19, 20:40].all()
    assert white[39, 20:40].all()
    assert white[20:40, 19].all()
    assert white[20:40, 39].all()
    assert white.sum() == 79  # the corner belongs to two sides


def test_no_boundary_without_a_change(photo: np.ndarray) -> None:
    seen = decoded(overlay_png(packed(photo), np.ones((256, 256), np.uint8), palette(1)))
    assert not (seen == 255).all(axis=2).any()


@pytest.mark.parametrize("block", [1, 700, 5000])
def test_blocks_leave_no_seams(photo: np.ndarray, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tall = np.tile(photo, (1, 9, 1))  # beyond 0.5 MP; with the width set below, lines of several pixels
    labels = bands_of(tall[:, :, 1], 5)
    image = packed(tall)
    for line in (1, 2, 3, 5):
        whole = overlay._boundaries(labels, slice(0, 256), line)
        parts = [overlay._boundaries(labels, slice(top, min(top + 7, 256)), line) for top in range(0, 256, 7)]
        assert np.array_equal(np.concatenate(parts), whole)
    whole_png = overlay_png(image, labels, palette(5))
    monkeypatch.setattr(overlay, "_BLOCK", block)
    assert overlay_png(image, labels, palette(5)) == whole_png


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_any_kind_of_image_is_stretched_to_be_seen(dtype: type, channels: int) -> None:
    ramp = np.linspace(20, 120, 90).astype(dtype)
    pixels = np.broadcast_to(ramp[:, None, None], (90, 80, channels))
    seen = rgb2lab(decoded(overlay_png(Image.from_array(pixels), np.ones((90, 80), np.uint8), palette(1))))[:, :, 0]
    assert (np.diff(seen[:, 0]) >= -0.5).all()
    assert np.ptp(seen) > 40


def test_missing_values_and_constant_images() -> None:
    pixels = np.random.default_rng(0).normal(0, 1e-20, (30, 30))
    pixels[:5] = np.nan
    pixels[5, 5] = np.inf
    image = Image.from_array(pixels)
    assert image.valid is not None
    assert header(overlay_png(image, image.valid.astype(np.uint8), palette(1)))[:2] == (30, 30)
    for value in (0.0, 7.0, np.nan):
        constant = Image.from_array(np.full((3, 4), value))
        labels = np.full((3, 4), int(value == value), np.uint8)
        assert header(overlay_png(constant, labels, palette(1)))[:2] == (4, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (1, 70000)])
def test_smallest_shapes(shape: tuple[int, int]) -> None:
    labels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8)
    image = Image(np.zeros((*shape, 1), np.uint8), "gray")
    assert header(overlay_png(image, labels, palette(3)))[:2] == shape[::-1]


@pytest.mark.parametrize("size", [1e-300, 1e39, 1e300])
@pytest.mark.parametrize("channels", [1, 3])
def test_doubles_beyond_single_precision(size: float, channels: int) -> None:
    ramp = np.linspace(-size, size, 90)
    image = Image.from_array(np.broadcast_to(ramp[:, None, None], (90, 80, channels)))
    seen = rgb2lab(decoded(overlay_png(image, np.ones((90, 80), np.uint8), palette(1))))[:, 0, 0]
    assert (np.diff(seen) >= -0.5).all()
    assert size < 1e-100 or np.ptp(seen) > 40


def test_infinities_of_both_signs() -> None:
    pixels = np.random.default_rng(0).random((9, 9, 3))
    pixels[3, 3] = np.inf, -np.inf, 0
    image = Image.from_array(pixels)
    assert header(overlay_png(image, halves(9, 9), palette(2)))[:2] == (9, 9)


def test_packed_and_plain_pixels_look_the_same(photo: np.ndarray) -> None:
    """Plain ones are stretched first, which the tones undo but for rounding."""
    labels = bands_of(photo[:, :, 1], 4)
    one, other = (
        rgb2lab(decoded(overlay_png(image, labels, palette(4)))) for image in (packed(photo), Image(photo, "rgb"))
    )
    assert np.median(np.abs(one - other)) < 2
    assert (np.linalg.norm(one - other, axis=2) < 10).mean() > 0.95
