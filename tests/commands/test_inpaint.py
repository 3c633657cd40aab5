"""`emseg.inpaint`: what says that pixels are missing, and that the others stay as they are."""

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
        return np.asarray(picture.convert("RGB").resize((48, 48)))


@pytest.fixture(scope="module")
def holes() -> np.ndarray:
    return np.random.default_rng(0).random((48, 48)) < 0.3


@pytest.mark.parametrize(("dtype", "unit"), [(np.uint8, 1), (np.uint16, 257), (np.float32, 0.01), (np.float64, 1000)])
def test_known_pixels_come_back_to_the_last_bit(clean: np.ndarray, holes: np.ndarray, dtype: type, unit: float) -> None:
    y = (clean.astype(float) * unit).astype(dtype)
    y[holes] = 0
    result = emseg.inpaint(y, holes)
    assert result.pixels.dtype == dtype
    assert (result.pixels[~holes] == y[~holes]).all()
    error = result.pixels[holes] / unit - clean[holes]
    assert np.sqrt((error**2).mean()) < 30


@pytest.mark.parametrize(
    ("dtype", "unit", "offset"),
    [
        (np.uint8, 0.1, 100),
        (np.int16, 0.5, -50),
        (np.uint16, 1, 30_000),
        (np.uint32, 1, 0),
        (np.float32, 1e-6, 0),
        (np.float64, 1e30, 0),
    ],
)
def test_units_are_of_no_account(clean: np.ndarray, holes: np.ndarray, dtype: type, unit: float, offset: float) -> None:
    """A picture of little contrast, or in other units, is filled as well as any other."""
    y = clean[:, :, 0].astype(float)
    coarse = np.rint(y * unit) / unit if np.issubdtype(dtype, np.integer) else y
    plain = emseg.inpaint(coarse, holes, uncertainty=True)
    found = emseg.inpaint((coarse * unit + offset).astype(dtype), holes, uncertainty=True)
    back = (found.image.pixels[:, :, 0].astype(float) - offset) / unit
    wrong, usual = (np.sqrt(((pixels - y)[holes] ** 2).mean()) for pixels in (back, plain.image.pixels[:, :, 0]))
    assert wrong < 1.1 * usual
    assert found.deviation is not None
    assert plain.deviation is not None
    assert np.median(found.deviation[:, holes] / unit) == pytest.approx(np.median(plain.deviation[:, holes]), rel=0.2)


def test_a_wild_number_does_not_matter_elsewhere(clean: np.ndarray, holes: np.ndarray) -> None:
    y = clean[:, :, 0].astype(np.float32)
    usual = emseg.inpaint(y, holes).pixels[24:, 24:]
    y[np.nonzero(~holes)[0][0], np.nonzero(~holes)[1][0]] = -3.4e38
    assert np.abs(emseg.inpaint(y, holes).pixels[24:, 24:] - usual).max() < 10


def test_nan_is_missing_and_filled(clean: np.ndarray, holes: np.ndarray) -> None:
    y = clean[:, :, 0].astype(np.float32)
    y[holes] = np.nan
    result = emseg.inpaint(y)
    assert np.isfinite(result.pixels).all()
    assert (result.missing == holes).all()
    assert (result.image.pixels[:, :, 0] == emseg.inpaint(np.where(holes, 0, y), holes).image.pixels[:, :, 0]).all()


def test_of_a_pixel_known_in_part_that_part_is_kept(clean: np.ndarray, holes: np.ndarray) -> None:
    y = clean.astype(np.float32)
    y[holes, 1] = np.nan
    result = emseg.inpaint(y, uncertainty=True)
    assert np.isfinite(result.pixels).all()
    assert (result.pixels[:, :, ::2] == y[:, :, ::2]).all()
    assert result.deviation is not None
    assert ((result.deviation > 0) == np.stack([0 * holes, holes, 0 * holes])).all()
    masked = emseg.inpaint(y, holes)
    assert (masked.pixels[holes] != y[holes]).any(axis=0).all()


def test_slices_of_a_volume_are_filled_each_from_itself(clean: np.ndarray, holes: np.ndarray) -> None:
    y = np.concatenate([clean[:, :, 0], clean[:, :, 1]]).astype(np.float32)
    volume = emseg.Image(y[:, :, None], "gray", metadata={"volume": (2, 48, 48)})
    found = emseg.inpaint(volume, np.concatenate([0 * holes, holes])).image.pixels[:, :, 0]
    assert (found[:48] == y[:48]).all()
    assert np.abs(found[48:] - y[48:])[holes].mean() < 20
    with pytest.raises(DataError, match="slice 2 is missing altogether"):
        emseg.inpaint(volume, np.concatenate([holes, holes | True]))


def test_a_value_that_the_mask_does_not_have(clean: np.ndarray, holes: np.ndarray) -> None:
    with pytest.raises(DataError, match="the value 9 nowhere"):
        emseg.inpaint(clean, holes, mask_value=9)
    with pytest.raises(UsageError, match="mask_value"):
        emseg.inpaint(np.where(holes, np.nan, clean[:, :, 0]), mask_value=9)


def test_a_value_of_the_mask(clean: np.ndarray, holes: np.ndarray) -> None:
    mask = np.where(holes, 7, 3).astype(np.uint8)
    assert (emseg.inpaint(clean, mask, mask_value=7).missing == holes).all()


def test_alpha_is_missing_and_then_opaque(clean: np.ndarray, holes: np.ndarray, tmp_path: Path) -> None:
    alpha = np.where(holes, 0, 200).astype(np.uint8)
    Image.fromarray(np.dstack([clean, alpha])).save(tmp_path / "a.png")
    result = emseg.inpaint(tmp_path / "a.png", "alpha")
    assert (result.missing == holes).all()
    assert result.image.alpha is not None
    assert (result.image.alpha == np.where(holes, 255, 200)).all()


def test_uncertainty_is_in_stored_values(clean: np.ndarray, holes: np.ndarray) -> None:
    shallow = emseg.inpaint(clean[:, :, :1], holes, uncertainty=True)
    deep = emseg.inpaint(clean[:, :, :1].astype(np.uint16) * 257, holes, uncertainty=True)
    assert shallow.deviation is not None
    assert deep.deviation is not None
    assert (shallow.deviation[:, ~holes] == 0).all()
    assert (shallow.deviation[:, holes] > 0).all()
    assert np.median(deep.deviation[:, holes]) == pytest.approx(257 * np.median(shallow.deviation[:, holes]), rel=0.02)
    error = np.abs(shallow.image.pixels[:, :, 0].astype(float) - clean[:, :, 0])[holes]
    assert 0.8 <= (error <= 1.645 * shallow.deviation[0][holes] + 0.5).mean() <= 0.97


@pytest.mark.parametrize("shape", [(1, 9), (5, 5), (8, 30)])
def test_small_images(shape: tuple[int, int]) -> None:
    y = np.full(shape, 9, np.uint8)
    missing = np.zeros(shape, bool)
    missing[0, 2] = True
    y[missing] = 200
    assert (emseg.inpaint(y, missing).pixels == 9).all()


@pytest.mark.parametrize(
    ("mask", "error", "said"),
    [
        (np.zeros((48, 48)), DataError, "mask is empty"),
        (np.ones((48, 48)), DataError, "all pixels are missing"),
        (np.ones((4, 4)), DataError, "size|shape"),
        (None, UsageError, "nothing says"),
        ("alpha", DataError, "no alpha"),
    ],
)
def test_masks_that_make_no_sense(clean: np.ndarray, mask: object, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        emseg.inpaint(clean, mask)


def test_nonsense_is_a_usage_error(clean: np.ndarray) -> None:
    for wrong in ({"mask_value": "x"}, {"uncertainty": 1}, {"seed": -1}, {"sigma": 3}):
        with pytest.raises(UsageError):
            emseg.inpaint(clean, np.eye(48), **wrong)
