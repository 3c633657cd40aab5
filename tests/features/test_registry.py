"""What holds for every feature: it says what it is, and it is what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emseg.errors import UsageError
from emseg.features.build import build_features
from emseg.features.feature import Pixels
from emseg.features.registry import DEFAULT, FEATURES, feature_of
from emseg.features.specification import parse_spec
from emseg.image.model import Image
from emseg.image.windows import windows

pytestmark = pytest.mark.long

RNG = np.random.default_rng(3)
KINDS = Path(__file__).parents[2] / "emseg" / "features" / "kinds"
every_feature = pytest.mark.parametrize("name", list(FEATURES))


def picture(name: str, shape: tuple[int, int]) -> Image:
    """An image with channels for the feature; grey values of which few are equal."""
    channels = 3 if "rgb" in FEATURES[name].colours else 1
    return Image.from_array(RNG.integers(0, 256, (*shape, channels)).astype(np.uint8))


def test_every_file_is_in_the_list_once() -> None:
    modules = [entry.module for entry in FEATURES.values()]
    assert sorted(modules) == sorted(path.stem for path in KINDS.glob("*.py") if path.stem != "__init__")


def test_the_list_needs_no_numpy() -> None:
    code = "import sys, emseg.features.specification; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=KINDS.parents[2]).returncode == 0


def test_every_image_has_a_default() -> None:
    assert set(DEFAULT) == {"gray", "rgb", "bands"}
    for colour, name in DEFAULT.items():
        assert colour in FEATURES[name].colours


@every_feature
def test_channels_that_an_image_lacks_are_missed_by_name(name: str) -> None:
    for colour in ("gray", "rgb", "bands"):
        if colour in FEATURES[name].colours:
            assert parse_spec(name, colour) == {name: FEATURES[name].weight}
        else:
            with pytest.raises(UsageError, match=f"{name} does not fit .*; use features='{DEFAULT[colour]}'"):
                parse_spec(name, colour)


@every_feature
def test_as_many_values_as_names(name: str) -> None:
    image, feature = picture(name, (20, 30)), feature_of(name)
    values = feature.measure(Pixels(image, None))
    names = feature.value_names(image.pixels.shape[2])
    assert len(values) == len(names) == len(set(names))
    assert feature.units
    assert np.isfinite(values).all()
    assert build_features(image, name).names == names


@every_feature
def test_a_feature_that_repeats_is_that_of_the_value(name: str) -> None:
    """Equal stored values have equal features if `repeats` says so, wherever they are."""
    image, feature = picture(name, (16, 18)), feature_of(name)
    turned = Image.from_array(np.ascontiguousarray(image.pixels[::-1, ::-1]))
    one, other = (build_features(part, name, standard=False) for part in (image, turned))
    first, second = (part.on_grid(part.x) for part in (one, other))
    assert np.allclose(first, second[:, ::-1, ::-1], atol=1e-9) == (feature.repeats or not feature.is_position)
    assert feature.fits_volumes == feature.repeats


@every_feature
def test_a_value_depends_on_nothing_beyond_the_halo(name: str) -> None:
    """Other pixels than those within the halo are replaced by noise of the same mean and variance."""
    feature = feature_of(name)
    side = 2 * feature.halo + 40
    pixels = picture(name, (side, side)).pixels
    middle = slice(feature.halo + 18, feature.halo + 22)
    kept = slice(18, 2 * feature.halo + 22)
    shuffled = pixels.copy()
    outside = np.ones(pixels.shape[:2], bool)
    outside[kept, kept] = False
    shuffled[outside] = RNG.permutation(shuffled[outside])  # so that mean and variance of the whole stay
    one, other = (build_features(Image.from_array(part), name, standard=False) for part in (pixels, shuffled))
    first, second = (part.on_grid(part.x)[:, middle, middle] for part in (one, other))
    np.testing.assert_allclose(first, second, atol=1e-9)


@every_feature
def test_windows_with_the_halo_give_the_features_of_the_whole(name: str) -> None:
    """Where a feature depends on nothing of the whole image but its halo; texture has its own test."""
    feature = feature_of(name)
    if feature.halo or feature.is_position:
        pytest.skip("depends on the mean of the image, or on the place")
    image = picture(name, (33, 41))
    whole = build_features(image, name, compress=False, standard=False)
    for window in windows(image.shape, (10, 15), feature.halo):
        part = build_features(Image.from_array(image.pixels[window.read]), name, compress=False, standard=False)
        found = part.on_grid(part.x)[:, *window.inside]
        np.testing.assert_allclose(found, whole.on_grid(whole.x)[:, *window.interior], atol=1e-12)


@every_feature
def test_volumes(name: str) -> None:
    image = picture(name, (6, 4))
    volume = Image(image.pixels, image.colour, metadata={"volume": (2, 3, 4)})
    if feature_of(name).fits_volumes:
        assert build_features(volume, name).n_pixels == 24
    else:
        with pytest.raises(UsageError, match=f"{name} does not fit a volume"):
            build_features(volume, name)
