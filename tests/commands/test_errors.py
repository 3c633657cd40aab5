"""What cannot be done is one line with a remedy, of the class that sets the right exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.errors import DataError, EmsegError, ImageError, UsageError

pytestmark = pytest.mark.long

FINE = np.random.default_rng(0).integers(0, 255, (12, 15, 3)).astype(np.uint8)


def refused(error: type[EmsegError], remedy: str, image: Any = FINE, **options: Any) -> None:
    with pytest.raises(error, match=remedy) as caught:
        emseg.segment(image, **options)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == (2 if error is UsageError else 1)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"k": 0}, "k is 0; it must be a whole number of 1 or more"),
        ({"k": -3}, "1 or more"),
        ({"k": True}, "k is True"),
        ({"k": 2.5}, "k is 2.5"),
        ({"k": 4.0}, "k is 4.0"),
        ({"k": "4"}, "k is '4'"),
        ({"k": None}, "k is None"),
        ({"tol": -1}, "tol is -1; it must be a number of 0 or more"),
        ({"tol": float("nan")}, "tol is nan"),
        ({"tol": float("inf")}, "tol is inf"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"restarts": -1}, "restarts is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": None}, "seed is None"),
        ({"floor": -1e-3}, "floor is -0.001"),
        ({"floor": 1.0}, "from 0 to below 1"),
        ({"covariance": "round"}, "one of full, tied, diag, spherical"),
        ({"algorithm": "emm"}, "one of em, map"),
        ({"features": "nonsense"}, "unknown name 'nonsense'"),
        ({"features": "lab:-1"}, "positive number"),
        ({"colour": "red"}, "unknown option 'colour'; there are k, criterion, features"),
        ({"tol": "small"}, "tol is 'small'"),
        ({"floor": None}, "floor is None"),
        ({"covariance": ["full"]}, "covariance is"),
        ({"algorithm": ["em"]}, "algorithm"),
        ({"features": 3}, "features"),
        ({"features": None}, "features"),
        ({"compress": "no"}, "compress"),
    ],
)
def test_options(options: dict[str, Any], remedy: str) -> None:
    refused(UsageError, remedy, **options)


@pytest.mark.parametrize("features", ["auto", "rgb", "gray"])
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_constant_image(features: str, compress: bool, k: int) -> None:
    image = np.full((9, 7, 3), 77, np.uint8)
    refused(DataError, "all pixels are equal", image, k=k, features=features, compress=compress)


@pytest.mark.parametrize("image", [np.zeros((1, 1)), np.full((1, 1, 3), 9, np.uint8), np.ones((1, 1), np.uint16)])
def test_a_single_pixel(image: np.ndarray) -> None:
    refused(DataError, "all pixels are equal", image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
@pytest.mark.parametrize("compress", [True, False])
def test_more_components_than_distinct_values(dtype: type, compress: bool) -> None:
    image = np.tile(np.array([[1, 5, 9]], dtype), (50, 40))
    refused(DataError, "3 distinct values cannot make 4 components; use k=3", image, k=4, compress=compress)
    assert sorted(set(emseg.segment(image, k=3, compress=compress).labels.ravel())) == [1, 2, 3]


def test_masks() -> None:
    refused(DataError, "fully masked", mask=np.zeros((12, 15)))
    refused(DataError, "the mask is 15x11 pixels, the image 15x12", mask=np.ones((11, 15)))
    refused(DataError, "all pixels are equal", mask=np.eye(12, 15) * np.eye(12, 15)[4])


def test_a_mask_with_channels() -> None:
    refused(DataError, "mask", mask=np.ones((12, 15, 3)) - np.eye(12, 15)[:, :, None] * [0, 1, 1])


def test_nothing_but_nan() -> None:
    refused(DataError, "no pixel is left", np.full((4, 4), np.nan))


@pytest.mark.parametrize("image", [np.zeros((0, 5)), np.zeros(5), np.zeros((2, 2), complex), np.zeros((2, 2, 2, 2))])
def test_arrays_that_are_no_image(image: np.ndarray) -> None:
    refused(ImageError, "is empty|has the shape|holds complex numbers", image)


def test_files(tmp_path: Path) -> None:
    refused(ImageError, "no-such-file.png", tmp_path / "no-such-file.png")
    (tmp_path / "notes.png").write_text("no image at all")
    refused(ImageError, r"notes\.png", str(tmp_path / "notes.png"))
    PIL.Image.fromarray(FINE).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    refused(ImageError, r"half\.png", tmp_path / "half.png")
    refused(ImageError, r"half\.png", mask=tmp_path / "half.png")


def awkward(name: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    gray = rng.integers(0, 200, (30, 30)).astype(np.uint8)
    outlier = rng.normal(size=(30, 30))
    outlier[3, 3] = 1e9
    return {
        "grey in colour": np.stack([gray] * 3, axis=-1),
        "mostly black": np.where(rng.random((30, 30)) < 0.97, 0, gray),
        "one outlier": outlier,
        "huge": gray * 1e100,
        "tiny": gray * 1e-100,
        "far from zero": 1e8 + gray.astype(float),
        "vast": gray * 1e300,
        "minute": gray * 1e-300,
    }[name]


PICTURES = ["grey in colour", "mostly black", "one outlier", "huge", "tiny", "far from zero"]


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("floor", [0.0, 1e-11, 1e-3])
def test_awkward_but_possible_images_end_in_a_status(name: str, k: int, covariance: str, floor: float) -> None:
    image = awkward(name)
    features = "rgb" if image.ndim == 3 else "gray"
    found = emseg.segment(image, k=k, covariance=covariance, floor=floor, features=features)
    assert np.isfinite(found.mixture.components.means).all()
    assert (found.labels > 0).all()
    if floor:
        assert found.status.name != "DEGENERATE"


@pytest.mark.parametrize("name", ["vast", "minute"])
def test_values_whose_squares_are_no_numbers(name: str) -> None:
    refused(DataError, "scale the values first", awkward(name), k=2)


@pytest.mark.parametrize("weight", ["1e4", "1e-4", "1e999", "nan"])
def test_weights_are_of_sensible_size(weight: str) -> None:
    refused(UsageError, "from 0.001 to 1000", features=f"rgb:{weight}")


@pytest.mark.parametrize("weight", ["1e3", "1e-3"])
def test_the_floor_holds_whatever_a_group_weighs(weight: str) -> None:
    gray = np.random.default_rng(0).integers(0, 200, (30, 30)).astype(np.uint8)
    found = emseg.segment(np.stack([gray] * 3, axis=-1), k=3, features=f"rgb:{weight}")
    plain = emseg.segment(np.stack([gray] * 3, axis=-1), k=3, features="rgb")
    assert found.status.name in {"CONVERGED", "STALLED"}
    np.testing.assert_allclose(found.mixture.components.means, plain.mixture.components.means, rtol=0.05)
