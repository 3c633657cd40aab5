"""`emseg.denoise`: every kind of image, and what must not change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import emseg
from emseg.errors import DataError, UsageError

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    with Image.open(Path(__file__).parents[2] / "sample_images" / "astronaut.png") as picture:
        return np.asarray(picture.convert("RGB").resize((64, 64)), float)


def with_noise(x: np.ndarray, sigma: float = 20.0) -> np.ndarray:
    return x + np.random.default_rng(0).normal(0, sigma, x.shape)


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error.astype(float) ** 2)))


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint8, 1), (np.uint16, 257), (np.float32, 1), (np.float64, 1)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_type_keeps_its_type_and_loses_its_noise(
    clean: np.ndarray, dtype: type, unit: int, channels: int
) -> None:
    x = np.dstack([clean, clean[:, :, :1]])[:, :, :channels]
    y = with_noise(x) * unit
    if np.issubdtype(dtype, np.integer):
        y = np.clip(np.rint(y), 0, 255 * unit)
    result = emseg.denoise(y.astype(dtype), sigma=20)
    assert result.pixels.dtype == dtype
    assert result.pixels.shape == x.shape
    assert rms(result.pixels / unit - x) < 0.65 * rms(y / unit - x)


@pytest.mark.parametrize(
    ("dtype", "unit", "offset"),
    [
        (np.int8, 0.4, -50),
        (np.int16, 1, -128),
        (np.int32, 1e3, -1e5),
        (np.uint16, 2, 40_000),
        (np.uint32, 1, 5),
        (np.uint64, 3e16, 1e17),
        (np.float16, 1 / 255, 0),
        (np.float32, 1e-20, 0),
        (np.float32, 1, 1e5),
        (np.float64, 1e-200, 0),
        (np.float64, 1e300, 0),
    ],
)
def test_units_are_of_no_account(clean: np.ndarray, dtype: type, unit: float, offset: float) -> None:
    x = clean[:, :, 0]
    y = with_noise(x).clip(0, 255)
    stored = y * unit + offset
    result = emseg.denoise((stored if np.issubdtype(dtype, np.floating) else np.rint(stored)).astype(dtype))
    plain = emseg.denoise(y)
    assert result.sigma / (unit / 257 if dtype == np.uint16 else unit) == pytest.approx(plain.sigma, rel=0.05)
    back = (result.image.pixels[:, :, 0].astype(float) - offset) / unit
    assert rms(back - x) < 1.03 * rms(plain.image.pixels[:, :, 0] - x)


@pytest.mark.parametrize("far", [2e4, 1e6, -3.4e38])
def test_a_few_wild_numbers_do_not_matter_elsewhere(clean: np.ndarray, far: float) -> None:
    x = clean[:, :, 0]
    y = with_noise(x).astype(np.float32)
    y[3, 3] = y[40, 50] = far
    found = emseg.denoise(y).image.pixels[:, :, 0]
    near = np.abs(np.mgrid[:64, :64] - np.array([40, 50])[:, None, None]).max(0) < 12
    near[:16, :16] = True
    assert found[3, 3] == pytest.approx(far, rel=1e-3)
    assert rms((found - x)[~near]) < 0.75 * rms((y - x)[~near])


@pytest.mark.parametrize("sigma", [1e-30, 3e-4, 1e-3, 0.03, 1e6, 1e20, 1e300])
def test_noise_of_any_level(clean: np.ndarray, sigma: float) -> None:
    for how in ({}, {"fast": True}, {"method": "mixture"}) if sigma in (3e-4, 1e20) else ({}, {"fast": True}):
        for y in (with_noise(clean[:, :, 0]), clean[:, :, 0].astype(np.uint8)):
            result = emseg.denoise(y, sigma, **how)
            assert np.abs(result.image.pixels[:, :, 0] - y.astype(float)).max() <= min(5 * sigma + 0.05, 400)
            assert result.report["sigma"] == pytest.approx(sigma)


def test_what_cannot_be_denoised_is_refused(clean: np.ndarray) -> None:
    y = with_noise(clean[:, :, 0])
    with pytest.raises(DataError, match="no pixel has data"):
        emseg.denoise(y, mask=np.zeros(y.shape))
    for few in (y[:7, :7], y[:1], y[:16, :15]):
        with pytest.raises(DataError, match="too few pixels"):
            emseg.denoise(few)
        assert emseg.denoise(few, sigma=10).pixels.shape == few.shape
    with pytest.raises(DataError, match="too few pixels"):
        emseg.denoise(y, mask=np.indices(y.shape).sum(0) % 2)
    with pytest.raises(DataError, match="too few pixels"):
        emseg.denoise(np.abs(y[:7]), noise="poisson")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_no_noise_comes_back_to_the_last_bit(clean: np.ndarray, dtype: type) -> None:
    y = with_noise(clean).clip(0, 255).astype(dtype)
    assert (emseg.denoise(y, sigma=0).pixels == y).all()


@pytest.mark.parametrize("value", [0, 17, 255])
def test_a_constant_image_stays_constant(value: int) -> None:
    for dtype in (np.uint8, np.float32, np.float64):
        y = np.full((20, 30, 3), value, dtype)
        assert (emseg.denoise(y, sigma=25).pixels == y).all()
        assert (emseg.denoise(y).pixels == y).all()


@pytest.mark.parametrize("how", [{}, {"fast": True}])
def test_flat_parts_stay_flat(how: dict) -> None:
    """Where more patches are equal than a group holds, none may be left without an estimate."""
    flat = np.full((64, 80), 77, np.uint8)
    assert (emseg.denoise(flat, 20, **how).image.pixels[:, :, 0] == flat).all()
    drawn = flat.copy()
    drawn[20:40, 30:70] = 200
    found = emseg.denoise(drawn.astype(float), 10, **how).image.pixels[:, :, 0]
    assert np.abs(found - drawn).mean() < 1
    assert np.abs(found - drawn)[:12].max() < 0.5


def test_adding_a_constant_commutes(clean: np.ndarray) -> None:
    y = with_noise(clean[:, :, 0])
    plain, lifted = emseg.denoise(y, sigma=20).pixels, emseg.denoise(y + 1000, sigma=20).pixels
    assert np.abs(lifted - 1000 - plain).max() < 0.02


def test_a_mask_keeps_pixels_and_their_influence_out(clean: np.ndarray) -> None:
    y = with_noise(clean[:, :, 0]).clip(0, 255).astype(np.uint8)
    inside = np.ones(y.shape, bool)
    inside[20:30, 20:40] = False
    first, other = y.copy(), y.copy()
    other[~inside] = 255 - other[~inside]
    found = [emseg.denoise(image, mask=inside).image.pixels[:, :, 0] for image in (first, other)]
    assert (found[0][inside] == found[1][inside]).all()
    assert (found[1][~inside] == other[~inside]).all()


def test_missing_pixels_stay_missing(clean: np.ndarray) -> None:
    y = with_noise(clean[:, :, 0])
    y[5, 5:9] = np.nan
    found = emseg.denoise(y).image.pixels[:, :, 0]
    assert (np.isnan(found) == np.isnan(y)).all()


def test_the_report_says_what_was_found(clean: np.ndarray) -> None:
    report = emseg.denoise(with_noise(clean), workers=1).report
    assert report["sigma"] == pytest.approx(20, rel=0.25)
    assert len(report["sigma_by_channel"]) == 3
    assert (report["method"], report["size"], report["pixels"]) == ("local", [64, 64], 4096)


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(DataError, match="size"):
        emseg.denoise(np.zeros((9, 9)), sigma=1, mask=np.ones((9, 8)))


@pytest.mark.parametrize("how", [{"method": "mixture"}, {"method": "mixture", "fast": True}])
def test_one_mixture_for_all_patches(clean: np.ndarray, how: dict) -> None:
    clean = clean[:36, 20:56, :1]
    y = with_noise(clean)
    result = emseg.denoise(y, sigma=20, **how)
    assert rms(result.pixels - clean) < 0.75 * rms(y - clean)
    assert result.report["method"] == "mixture"
    steps = [row["log_likelihood"] for row in result.report["trace"]]
    assert (steps[-1] > steps[0]) if "fast" not in how else steps == []
    turned = emseg.denoise(y.swapaxes(0, 1), sigma=20, **how).pixels.swapaxes(0, 1)
    assert np.abs(turned - result.pixels).max() < 2


@pytest.mark.parametrize("how", [{}, {"fast": True}])
def test_a_channel_without_noise(clean: np.ndarray, how: dict) -> None:
    y = np.dstack([with_noise(clean[:, :, 0]), np.full(clean.shape[:2], 5.0)])
    found = emseg.denoise(y, **how).pixels
    assert np.abs(found[:, :, 1] - 5).max() < 0.01
    assert rms(found[:, :, 0] - clean[:, :, 0]) < 0.75 * rms(y[:, :, 0] - clean[:, :, 0])


def test_photons(clean: np.ndarray) -> None:
    x = clean / 8
    y = np.random.default_rng(0).poisson(x)
    white = emseg.denoise(y.astype(float))
    counted = emseg.denoise(y.astype(float), noise="poisson")
    assert counted.report["gain_by_channel"] == pytest.approx([1, 1, 1], rel=0.3)
    assert rms(counted.pixels - x) < min(rms(white.pixels - x), 0.75 * rms(y - x))
    given = emseg.denoise(y.astype(np.uint8), noise="poisson", gain=1)
    assert rms(given.pixels - x) < 0.75 * rms(y - x)
    flat = np.full((20, 20), 7, np.uint16)
    assert (emseg.denoise(flat, noise="poisson").pixels == flat).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sigma": -1},
        {"sigma": "much"},
        {"sigma": np.nan},
        {"method": "magic"},
        {"workers": -1},
        {"gain": 2},
        {"k": 3},
    ],
)
def test_nonsense_is_a_usage_error(wrong: dict) -> None:
    with pytest.raises(UsageError):
        emseg.denoise(np.zeros((9, 9)), **wrong)


def test_segmenting_the_denoised_image(clean: np.ndarray) -> None:
    y, x = np.mgrid[:64, :64]
    truth = (x + y > 60).astype(int) + (np.hypot(x - 44, y - 20) < 12)
    noisy = np.clip(with_noise(np.array([60.0, 110.0, 160.0])[truth], 30), 0, 255).astype(np.uint8)
    wrong = {
        level: (emseg.segment(noisy, k=3, denoise=level).labels != truth + 1).mean() for level in ("off", "auto", 30)
    }
    assert wrong["auto"] < 0.3 * wrong["off"]
    assert wrong[30] < 0.3 * wrong["off"]
    with pytest.raises(UsageError, match="denoise"):
        emseg.segment(noisy, k=3, denoise="much")
    with pytest.raises(UsageError, match="denoise"):
        emseg.compare(noisy, k=3, denoise=30)


@pytest.mark.parametrize(("dtype", "options"), [(float, {}), (np.uint8, {}), (np.uint8, {"method": "mixture"})])
def test_slices_of_a_volume_are_images(clean: np.ndarray, dtype: type, options: dict) -> None:
    """To the last bit, so that no processor's rounding can make them differ."""
    y = with_noise(np.concatenate([clean[:, :, 0], clean[::-1, :, 1]]))
    y = np.clip(y, 0, 255).astype(dtype)
    volume = emseg.Image.from_array(y)
    stacked = emseg.Image(volume.pixels, "gray", metadata={"volume": (2, 64, 64)})
    result = emseg.denoise(stacked, sigma=20, **options)
    assert result.pixels.shape == (2, 64, 64, 1)
    found = result.image.pixels[:, :, 0]
    assert result.report["size"] == [64, 64, 2]
    for part, rows in ((y[:64], slice(0, 64)), (y[64:], slice(64, 128))):
        np.testing.assert_array_equal(found[rows], emseg.denoise(part, sigma=20, **options).image.pixels[:, :, 0])


@pytest.mark.parametrize("sigma", [1e5, 1e9, 1e300])
def test_noise_on_top_that_leaves_nothing_of_photons(clean: np.ndarray, sigma: float) -> None:
    found, white = (emseg.denoise(clean, sigma, noise=noise) for noise in ("poisson", "gaussian"))
    np.testing.assert_array_equal(found.pixels, white.pixels)
    assert any("taken as white" in line for line in found.report["warnings"])


@pytest.mark.parametrize("sigma", [1e-300, 1e-30])
def test_noise_too_faint_for_numbers_is_none(sigma: float) -> None:
    for image in (np.full((10, 12), 5, np.uint8), np.full((10, 12), 0.1)):
        np.testing.assert_array_equal(emseg.denoise(image, sigma=sigma).pixels, image)
