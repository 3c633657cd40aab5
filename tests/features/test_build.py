"""`build_features` against scikit-image's colour conversions and plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import color

from emseg.errors import DataError, EmsegError, UsageError
from emseg.features.build import build_features
from emseg.features.model import Features
from emseg.image.model import Image

RNG = np.random.default_rng(7)


def own_units(features: Features) -> np.ndarray:
    """Samples in the features' own units, shape (D, N)."""
    return features.shift[:, None] + features.scale[:, None] * features.x


def rgb_image(dtype: str, shape: tuple[int, int] = (17, 23)) -> Image:
    if dtype == "float64":
        return Image.from_array(RNG.random((*shape, 3)))
    top = np.iinfo(dtype).max
    return Image.from_array(RNG.integers(0, top + 1, (*shape, 3)).astype(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_lab_is_that_of_scikit_image(dtype: str) -> None:
    image = rgb_image(dtype)
    features = build_features(image, "lab")
    unit = image.pixels / (1.0 if dtype == "float64" else np.iinfo(dtype).max)
    assert features.names == ("L*", "a*", "b*")
    measured = np.moveaxis(features.on_grid(own_units(features)), 0, -1)
    np.testing.assert_allclose(measured, color.rgb2lab(unit), atol=1e-10)


def test_hsv_is_that_of_scikit_image_with_hue_as_an_angle() -> None:
    image = rgb_image("uint8")
    image.pixels[0, :5] = [[0, 0, 0], [255, 255, 255], [9, 9, 9], [200, 200, 3], [200, 3, 200]]
    features = build_features(image, "hsv")
    hue, saturation, value = np.moveaxis(color.rgb2hsv(image.pixels), -1, 0)
    expected = saturation * np.cos(2 * np.pi * hue), saturation * np.sin(2 * np.pi * hue), value
    np.testing.assert_allclose(features.on_grid(own_units(features)), expected, atol=1e-12)


def test_gray_of_colour_is_the_luma_on_the_stored_scale() -> None:
    image = rgb_image("uint8")
    features = build_features(image, "gray")
    np.testing.assert_allclose(features.on_grid(own_units(features))[0], 255 * color.rgb2gray(image.pixels), atol=1e-10)


def test_bands_and_position_are_what_they_say() -> None:
    pixels = RNG.normal(size=(6, 9, 5))
    features = build_features(Image.from_array(pixels), "auto,xy")
    back = features.on_grid(own_units(features))
    assert features.names == ("band 1", "band 2", "band 3", "band 4", "band 5", "x", "y")
    np.testing.assert_allclose(back[:5], np.moveaxis(pixels, -1, 0), atol=1e-12)
    np.testing.assert_allclose(back[5:], np.indices((6, 9))[::-1], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    pixels=hnp.arrays(
        st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int64, np.float32]),
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=6),
        elements=st.integers(0, 3),
    ),
    compress=st.booleans(),
    data=st.data(),
)
def test_every_pixel_gets_its_own_features_back(pixels: np.ndarray, compress: bool, data: st.DataObject) -> None:
    mask = data.draw(hnp.arrays(bool, pixels.shape[:2]).filter(np.any))
    image = Image(pixels, "bands")
    features = build_features(image, "bands", mask, compress)
    back = features.on_grid(own_units(features))
    np.testing.assert_allclose(back[:, mask], pixels[mask].T, atol=1e-9)
    assert not back[:, ~mask].any()
    assert features.weight.sum() == features.n_pixels == mask.sum()
    assert features.x.flags.c_contiguous
    if compress and pixels.dtype.kind != "f" and 8 * pixels.dtype.itemsize * pixels.shape[2] <= 64:
        assert features.weight.size == len(np.unique(pixels[mask], axis=0))


@pytest.mark.parametrize("spec", ["lab", "rgb", "gray", "hsv", "chroma"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_distinct_values_with_counts_are_the_pixels(spec: str, dtype: str) -> None:
    image = Image.from_array(RNG.integers(0, 4, (30, 20, 3)).astype(dtype))
    mask = RNG.random((30, 20)) < 0.8
    few, all_ = (build_features(image, spec, mask, compress) for compress in (True, False))
    assert few.weight.size <= 64 < all_.weight.size == mask.sum()
    np.testing.assert_array_equal(few.on_grid(few.x), all_.on_grid(all_.x))
    np.testing.assert_array_equal(few.shift, all_.shift)
    np.testing.assert_array_equal(few.scale, all_.scale)


def test_packed_pixels_give_the_same_and_their_top_byte_is_ignored() -> None:
    words = RNG.integers(0, 2**32, (12, 31), dtype=np.uint32) & np.uint32(0xF3030303)
    pixels = words.view(np.uint8).reshape(12, 31, 4)[..., :3]
    valid = RNG.random((12, 31)) < 0.7
    packed = build_features(Image(pixels, "rgb", valid, packed=words), "lab")
    plain = build_features(Image(pixels.copy(), "rgb", valid), "lab")
    np.testing.assert_array_equal(packed.x, plain.x)
    np.testing.assert_array_equal(packed.weight, plain.weight)
    labels = RNG.integers(1, 5, packed.weight.size).astype(np.uint8)
    assert packed.on_grid(labels).dtype == np.uint8
    np.testing.assert_array_equal(packed.on_grid(labels), plain.on_grid(labels))


def test_standardising_keeps_proportions_within_a_group_and_weights_it() -> None:
    features = build_features(rgb_image("uint8"), "lab,xy:0.5")
    variance = features.x.var(axis=1)
    np.testing.assert_allclose(features.x.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose([variance[:3].mean(), variance[3:].mean()], [1, 0.25])
    assert len(set(features.scale[:3])) == len(set(features.scale[3:])) == 1
    assert features.spec == "lab,xy:0.5"


def test_a_constant_image_has_zero_spread_and_scale_one() -> None:
    features = build_features(Image.from_array(np.full((3, 4, 3), 0.1)), "rgb")
    np.testing.assert_array_equal(features.scale, 1)
    np.testing.assert_allclose(features.x, 0, atol=1e-15)


@pytest.mark.parametrize(
    ("image", "spec", "mask", "error", "remedy"),
    [
        (np.zeros((2, 3)), "lab", None, UsageError, "features='gray'"),
        (np.zeros((2, 3, 5)), "gray", None, UsageError, "features='bands'"),
        (np.full((2, 3, 3), 7.0), "lab", None, DataError, "features='rgb'"),
        (np.zeros((2, 3, 3), np.int16), "hsv", None, DataError, "features='rgb'"),
        (np.zeros((2, 3)), "gray", np.zeros((2, 3), bool), DataError, "fully masked"),
        (np.full((2, 3), np.nan), "gray", None, DataError, "fully masked"),
        (np.zeros((2, 3)), "gray", np.ones((3, 2), bool), DataError, "2x3 pixels, the image 3x2"),
    ],
)
def test_what_cannot_be_measured_is_one_line_with_a_remedy(
    image: np.ndarray, spec: str, mask: np.ndarray | None, error: type[EmsegError], remedy: str
) -> None:
    with pytest.raises(error, match=remedy) as caught:
        build_features(Image.from_array(image), spec, mask)
    assert "\n" not in str(caught.value)


def test_chroma_ignores_the_light() -> None:
    rng = np.random.default_rng(0)
    surface = rng.uniform(0.3, 1, (1, 6, 3))
    light = np.array([1.0, 0.7, 0.5])[:, None, None]
    srgb = np.where(
        surface * light > 0.0031308, 1.055 * (surface * light) ** (1 / 2.4) - 0.055, 12.92 * surface * light
    )
    features = build_features(Image.from_array(srgb), "chroma")
    own = (features.shift[:, None] + features.scale[:, None] * features.on_grid(features.x).reshape(2, -1)).reshape(
        2, 3, 6
    )
    red, green, blue = np.moveaxis(np.log(surface[0]), -1, 0)
    np.testing.assert_allclose(own[0], np.tile((red - blue) / np.sqrt(2), (3, 1)), atol=0.05)
    np.testing.assert_allclose(own[1], np.tile((2 * green - red - blue) / np.sqrt(6), (3, 1)), atol=0.05)
    assert features.names == ("log R/B", "log G²/RB")


@pytest.mark.parametrize("base", [1 << 63, (1 << 63) - 50, (1 << 64) - 200, 1 << 53, -(1 << 63), -(1 << 60)])
@pytest.mark.parametrize("spec", ["gray", "bands,xy"])
def test_integers_of_64_bits_are_as_exact_as_small_ones(base: int, spec: str) -> None:
    """Floats of 64 bits hold 2⁶³ and 2⁶³ + 1000 as one number; the oracle is the image less its least value."""
    small = np.random.default_rng(0).integers(0, 100, (20, 30))
    kind = np.uint64 if base > 0 else np.int64
    image = np.array([int(value) + base for value in small.ravel()], kind).reshape(small.shape)
    ours, wanted = (build_features(Image.from_array(part), spec) for part in (image, small))
    np.testing.assert_allclose(ours.on_grid(ours.x), wanted.on_grid(wanted.x), atol=1e-12)
    np.testing.assert_allclose(ours.shift[0], wanted.shift[0] + base, rtol=1e-15)
    np.testing.assert_allclose(ours.scale, wanted.scale, rtol=1e-12)
