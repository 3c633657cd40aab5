"""Grain: rounding is carried to the features as adding it to the stored values shows, and files tell of theirs."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from emseg.features.build import build_features
from emseg.features.grain import STEP, quantised, stored_covariance, widened
from emseg.features.kinds.lab import SMALL, UNSEEN, lab
from emseg.features.pixel_index import pixel_samples
from emseg.features.reduce import reduced
from emseg.image.formats.pillow import decode
from emseg.image.limits import Reading
from emseg.image.missing.partly_known import partly_known
from emseg.image.model import Image

RNG = np.random.default_rng(0)
PHOTO = np.clip(RNG.normal(0, 40, (40, 50, 3)) + RNG.uniform(60, 190, (40, 50, 1)), 0, 255).astype(np.uint8)


def steps(pixels: np.ndarray) -> tuple[list[float], bool]:
    image = Image.from_array(pixels)
    covariance, lattice = stored_covariance(image, pixel_samples(image, None))
    assert (covariance == np.diag(np.diag(covariance))).all()
    return np.sqrt(np.diag(covariance) / STEP).tolist(), lattice


def test_the_step_of_stored_values() -> None:
    assert steps(PHOTO) == ([1, 1, 1], True)
    assert steps(PHOTO.astype(np.uint16) * 257) == ([257, 257, 257], True)
    found, lattice = steps((PHOTO / 255).astype(np.float32))
    assert lattice
    np.testing.assert_allclose(found, 1 / 255, rtol=1e-4)
    found, lattice = steps(RNG.normal(size=(40, 50, 2)))
    assert not lattice
    assert max(found) < 1e-14
    flat = np.array([[10, 200], [200, 10]], np.uint16)  # of a few flat colours, differences are no steps
    assert steps(flat) == ([1], True)


def test_rounding_is_carried_to_lab() -> None:
    """Against the spread of L*a*b* where the stored values are moved within their interval."""
    features = build_features(Image.from_array(PHOTO), "lab")
    assert features.grain is not None
    found = features.grain * np.outer(features.scale, features.scale)
    stored = PHOTO.reshape(-1, 3).T / 255
    moved = np.clip(stored[..., None] + RNG.uniform(-0.5, 0.5, (3, stored.shape[1], 40)) / 255, 0, 1)
    shift = lab(moved.reshape(3, -1)).reshape(moved.shape) - lab(stored)[..., None]
    expected = np.einsum("cnr,enr->ce", shift, shift) / shift[0].size
    own = found - min(UNSEEN, SMALL * float(features.scale[0])) ** 2 * np.eye(3)
    np.testing.assert_allclose(own - expected, 0, atol=0.1 * np.trace(expected))


def test_values_that_are_stored_have_twelfths() -> None:
    features = build_features(Image.from_array(PHOTO), "rgb")
    assert features.grain is not None
    np.testing.assert_allclose(features.grain * np.outer(features.scale, features.scale), np.eye(3) / 12)
    features = build_features(Image.from_array(PHOTO), "gray,xy:0.5")
    assert features.grain is not None
    luma = np.array([0.2125, 0.7154, 0.0721])
    own = features.grain * np.outer(features.scale, features.scale)
    np.testing.assert_allclose(own, np.diag([luma @ luma, 1, 1]) / 12, atol=1e-12)


@pytest.mark.parametrize("quality", [30, 50, 75, 90])
def test_jpeg_tells_what_it_rounds(quality: int) -> None:
    """A smooth picture is off by about as much as its tables say, and never by more than a few times that."""
    y, x = np.indices((128, 128))
    smooth = 128 + 60 * np.sin(x / 40) * np.cos(y / 33)
    file = io.BytesIO()
    PIL.Image.fromarray(np.rint(smooth).astype(np.uint8)).save(file, "JPEG", quality=quality)
    photo = decode(file.getvalue(), "smooth", Reading(), "JPEG")
    found = quantised(photo.metadata["quantisation"])
    assert found is not None
    error = np.var(photo.pixels[..., 0] - smooth)
    assert 0.1 * found[0] < error - STEP < 3 * found[0] + STEP


def test_no_tables_no_quantisation() -> None:
    assert quantised({}) is None
    assert quantised({0: (1, 2, 3)}) is None


def test_a_faint_direction_tells_nothing_apart() -> None:
    grain = np.eye(2) / 12
    wide = widened(grain, np.diag([5000.0, 0.5]))
    np.testing.assert_allclose(wide, np.diag([1, 24]) / 12, rtol=1e-12)
    assert widened(grain, np.diag([50.0, 0.5])) is grain  # small in all directions: a dark picture
    assert widened(grain, np.diag([5000.0, 400.0])) is grain


def test_grey_in_three_channels_is_as_grey_in_one() -> None:
    grey = PHOTO[..., 0]
    one = reduced(build_features(Image.from_array(grey), "gray"), "any")
    three = reduced(build_features(Image.from_array(np.repeat(grey[..., None], 3, 2)), "rgb"), "any")
    assert three.span is not None
    np.testing.assert_allclose(three.x, one.x, atol=1e-9)
    np.testing.assert_allclose(np.asarray(three.grain), np.asarray(one.grain), rtol=1e-6)
    np.testing.assert_allclose(three.log_jacobian, one.log_jacobian)
    np.testing.assert_allclose(three.standard(three.x)[1], three.standard(three.x)[0])


def test_what_is_unknown_of_one_band_is_known_of_its_copy() -> None:
    values = RNG.normal(0, 30, (20, 30))
    bands = np.stack([values, 2 * values + 3], -1)
    bands[3, 4, 0], bands[5, 6] = np.nan, np.nan
    features = reduced(
        build_features(partly_known(Image.from_array(bands[..., [0, 1]])), "bands", missing=True), "axes"
    )
    assert len(features.x) == 1
    assert not np.isnan(features.x).any()
    assert features.n_pixels == values.size - 1
