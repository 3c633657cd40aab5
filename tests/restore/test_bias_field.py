"""`--bias-field`: a known gain is found, and labels are those of the even image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import DataError
from emseg.restore.gain_evidence import LEAST_SAVING

pytestmark = pytest.mark.long

Y, X = np.mgrid[:120, :150]
GAIN = 1.15 - 0.6 * (((Y - 60) / 120) ** 2 + ((X - 75) / 150) ** 2)
TRUTH = ((Y // 20 + X // 25) % 2 + (np.hypot(Y - 50, X - 60) < 25)).astype(int)


def vignetted(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    even = 60 + 30 * TRUTH + rng.normal(0, 4, TRUTH.shape)
    if kind == "rgb":
        even = np.stack([even, 0.8 * even + rng.normal(0, 3, even.shape), 190 - 0.9 * even], axis=-1)
    uneven = even * (GAIN if kind == "gray" or kind == "float" else GAIN[:, :, None])
    return uneven if kind == "float" else np.clip(uneven.round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["gray", "float", "rgb"])
def test_the_gain_is_found(kind: str) -> None:
    image = vignetted(kind)
    plain, found = (emseg.segment(image, k=3, bias_field=bias) for bias in (False, True))
    order = found.mixture.components.means[:, 0].argsort()
    wrong = [(order.argsort()[result.labels - 1] != TRUTH).mean() for result in (plain, found)]
    assert wrong[1] < 0.004
    if kind != "rgb":
        assert wrong[0] > 3 * wrong[1]
    np.testing.assert_allclose(found.gain / found.gain.mean(), GAIN / GAIN.mean(), atol=0.07)
    assert found.image.pixels.reshape(image.shape).tolist() == image.tolist()
    assert plain.gain is None
    assert "bias" in found.report["seconds"]


def test_an_even_image_stays_even() -> None:
    even = np.random.default_rng(1).normal(80 + 40 * TRUTH, 5)
    found = emseg.segment(even, k=3, bias_field=True)
    assert np.ptp(found.gain) == 0
    assert (found.labels - 1 != TRUTH).mean() < 0.001


@pytest.mark.parametrize("kind", ["side", "corner", "disc", "stripes", "blobs"])
def test_classes_that_lie_as_a_gain_would_are_no_gain(kind: str) -> None:
    y, x = np.mgrid[:140, :140]
    truth = {
        "side": x > 70,
        "corner": (x < 50) & (y < 50),
        "disc": np.hypot(x - 70, y - 70) < 42,
        "stripes": x // 14 % 2,
        "blobs": (np.hypot(x - 40, y - 90) < 28) + 2 * (np.hypot(x - 105, y - 40) < 24),
    }[kind].astype(int)
    even = np.clip(np.random.default_rng(0).normal(80 + 45 * truth, 12), 0, 255).round().astype(np.uint8)
    plain, found = (emseg.segment(even, k=truth.max() + 1, bias_field=bias) for bias in (False, True))
    assert (found.labels == plain.labels).all()
    assert (found.gain == 1).all()
    assert not found.report["bias_field"]["found"]
    assert found.report["bias_field"]["saving"] < LEAST_SAVING
    assert found.report["warnings"] == [
        "bias_field=True found no gain that explains more than the classes do; the image is taken as it is"
    ]


@pytest.mark.parametrize("top", [39000, 36000, 32000])
def test_burnt_out_pixels_are_bounds(top: int) -> None:
    """A vignette of a half, whose middle is burnt out: 8, 28 and 57 % of the pixels."""
    y, x = (np.mgrid[:200, :200] - 99.5) / 99.5
    gain = 1 - 0.25 * (y * y + x * x)
    rng = np.random.default_rng(0)
    target = np.zeros(gain.shape, np.bool_)
    for across, down in rng.uniform(-0.95, 0.95, (40, 2)):
        target |= np.hypot(x - across, y - down) < 0.06
    image = rng.normal(40000 * gain * np.where(target, 0.55, 1), 600).clip(0, top).astype(np.uint16)
    plain, found = (emseg.segment(image, k=2, bias_field=bias) for bias in (False, True))
    error = [emseg.evaluate(result.labels, [2 - target])["scores"]["error"] for result in (plain, found)]
    assert error[0] > 0.03
    assert error[1] < 0.001
    assert found.report["bias_field"]["burnt_out"] > 0.05
    low, high = found.report["bias_field"]["range"]
    assert low < 0.8 < 1.15 < high


def test_values_above_what_the_type_holds_are_told() -> None:
    image = np.clip(vignetted("float") * 3, 0, 255).astype(np.uint8)
    found = emseg.segment(image, k=3, bias_field=True)
    (line,) = found.report["warnings"]
    assert "are brighter than uint8 holds once bias_field=True evens them out" in line


def test_a_class_without_pixels_is_no_end() -> None:
    image = np.zeros((60, 60), np.uint8)
    image[20:40, 20:40] = np.random.default_rng(0).integers(100, 104, (20, 20))
    found = emseg.segment(image, k=2, bias_field=True)
    assert (found.gain == 1).all()
    assert len(set(found.labels[image > 0])) == 1


def test_masked_pixels_do_not_count() -> None:
    image = vignetted("float")
    mask = np.ones(image.shape, np.uint8)
    mask[40:80, 90:] = 0
    spoilt = np.where(mask, image, 1e4)
    found = emseg.segment(spoilt, k=3, bias_field=True, mask=mask)
    ratio = (found.gain / GAIN)[mask > 0]
    np.testing.assert_allclose(ratio / ratio.mean(), 1, atol=0.1)


def test_the_gain_is_a_file(tmp_path: Path) -> None:
    PIL.Image.fromarray(vignetted("gray")).save(tmp_path / "v.png")
    arguments = ["segment", str(tmp_path / "v.png"), "-k", "3", "--bias-field", "-q", "-o", str(tmp_path / "out")]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    assert not (tmp_path / "out" / "v.bias.tif").exists()
    arguments += ["--save", "bias"]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    stored = tifffile.imread(tmp_path / "out" / "v.bias.tif")
    np.testing.assert_allclose(stored / stored.mean(), GAIN / GAIN.mean(), atol=0.07)


def test_too_few_pixels_are_one_line() -> None:
    with pytest.raises(DataError, match="pixels are too few for a bias field; leave out bias_field"):
        emseg.segment(np.arange(60.0).reshape(6, 10), k=2, bias_field=True)


def test_pixels_that_mix_with_the_background_make_no_gain() -> None:
    """A disc whose rim, two thirds of it, is darker: of a polynomial, that is a gain that falls outwards."""
    rng = np.random.default_rng(2)
    fine = np.hypot(*np.mgrid[-1:1:480j, -1:1:480j])
    spots = np.sin(9 * np.mgrid[-1:1:480j, -1:1:480j]).prod(0) > 0.1
    drawn = np.where(fine < 0.9, 80 + 60 * spots, 0.0)
    image = drawn.reshape(120, 4, 120, 4).mean((1, 3)) + rng.normal(0, 3, (120, 120))
    mask = ((fine < 0.92).reshape(120, 4, 120, 4).mean((1, 3)) > 0.1).astype(np.uint8)
    found = emseg.segment(image, k=2, bias_field=True, mask=mask)
    assert found.gain[mask > 0].std() < 0.012


def test_too_few_pixels_are_counted_as_they_are() -> None:
    with pytest.raises(DataError, match="array: 2 pixels are too few for a bias field; leave out bias_field"):
        emseg.segment(np.array([[3, 3]], np.uint8), k=1, bias_field=True)
    with pytest.raises(DataError, match=r"[1-9]\d* of 110 pixels are not burnt out, too few for a bias field"):
        emseg.segment(np.minimum(np.arange(110), 60).astype(np.uint8).reshape(10, 11), k=2, bias_field=True)


def test_cells_on_a_glowing_ground_have_no_gain() -> None:
    """As in fluorescence: the ground glows in the middle, and each cell has a brightness of its own."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:200, :240]
    glow = np.exp(-((y - 90) ** 2 + (x - 130) ** 2) / 2 / 70**2)
    image, truth = 8 + 10 * glow + rng.normal(0, 1, y.shape), np.ones(y.shape, int)
    for down, across in rng.uniform(10, 190, (40, 2)):
        cell = (y - down) ** 2 + (x - across * 1.2) ** 2 < 64
        image[cell], truth[cell] = rng.uniform(40, 120) + rng.normal(0, 4, cell.sum()), 2
    image = np.clip(image, 0, 255).round().astype(np.uint8)
    for k in (2, 3):
        plain, found = (emseg.segment(image, k=k, bias_field=bias).labels for bias in (False, True))
        errors = [emseg.evaluate((labels > k - 1) + 1, [truth])["scores"]["error"] for labels in (plain, found)]
        assert errors[1] <= errors[0] + 0.002


def test_the_gain_of_nuclei_never_hurts(shared_data: Path) -> None:
    """Points of percent of wrong pixels, by the better of both cuts where there are three classes."""
    for path in sorted((shared_data / "nuclei" / "images").glob("*.png")):
        truth = np.asarray(PIL.Image.open(path.parents[1] / "gt" / f"{path.stem}_fg.png")) > 0
        for k in (2, 3):
            labels = [emseg.segment(path, k=k, bias_field=bias).labels for bias in (False, True)]
            without, found = (min(np.mean((part > cut) != truth) for cut in range(1, k)) for part in labels)
            assert found <= without + 0.002
