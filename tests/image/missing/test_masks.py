"""Masks of all kinds: which values are inside, what is said of the others, and how masks grow."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import pytest
import tifffile

from emseg.errors import DataError, for_python
from emseg.image.arrays.from_memory import mask_in_memory
from emseg.image.mask_rule import NOT_ZERO, MaskRule
from emseg.image.missing.masks import colours_against_indices, grown, inside_of
from emseg.image.model import Image
from emseg.image.read import read_mask

RNG = np.random.default_rng(0)
BOX = np.zeros((20, 30), bool)
BOX[5:12, 8:21] = True
PHOTO = Image.from_array(np.zeros(BOX.shape))


def stroke(size: tuple[int, int] = (30, 20)) -> PIL.Image.Image:
    """A white, anti-aliased line and a word on black."""
    large = PIL.Image.new("L", (size[0] * 4, size[1] * 4))
    PIL.ImageDraw.Draw(large).line((10, 12, 100, 66), fill=255, width=14)
    return large.resize(size, PIL.Image.Resampling.BOX)


def saved(path: Path, picture: PIL.Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def read(path: Path, rule: MaskRule = NOT_ZERO) -> tuple[np.ndarray, list[str]]:
    inside, notices = read_mask(path, PHOTO, rule=rule)
    return inside, [for_python(line) for line in notices]


WHITE = BOX.astype(np.uint8) * 255


@pytest.mark.parametrize(
    "picture",
    [
        PIL.Image.fromarray(BOX),
        PIL.Image.fromarray(WHITE),
        PIL.Image.fromarray(BOX.astype(np.uint8)),
        PIL.Image.fromarray(BOX.astype(np.uint16) * 65535),
        PIL.Image.fromarray(np.dstack([WHITE, 0 * WHITE, 0 * WHITE])),
        PIL.Image.fromarray(WHITE).convert("P"),
        PIL.Image.fromarray(np.dstack([WHITE] * 3 + [np.full_like(WHITE, 255)])),
        PIL.Image.fromarray(np.where(BOX, 1 + np.arange(30) % 9, 0).astype(np.uint8)),  # labels
    ],
    ids=["bits", "white", "ones", "16 bits", "red", "palette", "opaque", "labels"],
)
def test_masks_in_png_that_need_no_words(picture: PIL.Image.Image, tmp_path: Path) -> None:
    inside, notices = read(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(inside, BOX)
    assert notices == []


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.uint32])
def test_masks_of_numbers(kind: type, tmp_path: Path) -> None:
    array = np.where(BOX, 0.6 if np.dtype(kind).kind == "f" else 3, 0).astype(kind)
    tifffile.imwrite(tmp_path / "m.tif", array)
    np.save(tmp_path / "m.npy", array)
    for path in (tmp_path / "m.tif", tmp_path / "m.npy"):
        inside, notices = read(path)
        np.testing.assert_array_equal(inside, BOX)
        assert notices == []
    np.testing.assert_array_equal(mask_in_memory(array, PHOTO)[0], BOX)


def test_soft_edges_are_inside_and_told(tmp_path: Path) -> None:
    soft = np.asarray(stroke())
    between = int(((soft > 0) & (soft < 255)).sum())
    path = saved(tmp_path / "m.png", stroke())
    inside, notices = read(path)
    np.testing.assert_array_equal(inside, soft > 0)
    assert notices == [
        f"{between} pixels of the mask lie between 0 and 255, and count as inside; "
        "mask_above=127 counts the darker ones as outside"
    ]
    for found in (
        read(path, MaskRule(127)),
        read(path, MaskRule(above=127.4)),
        mask_in_memory(soft, PHOTO, rule=MaskRule(127)),
    ):
        np.testing.assert_array_equal(found[0], soft > 127)
        assert not found[1]
    assert mask_in_memory(soft, PHOTO)[1]
    assert mask_in_memory(stroke(), PHOTO)[1]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_what_compression_leaves_is_outside_and_told(kind: str, tmp_path: Path) -> None:
    sharp = PIL.Image.new("L", (30, 20))
    PIL.ImageDraw.Draw(sharp).line((2, 3, 25, 16), fill=255, width=4)
    PIL.ImageDraw.Draw(sharp).text((14, 1), "12", fill=255)
    options = {"quality": 85} if kind == "JPEG" else {"quality": 60}
    path = saved(tmp_path / "m", sharp if kind == "JPEG" else sharp.convert("RGB"), format=kind, **options)
    with PIL.Image.open(path) as stored:
        values = np.asarray(stored.convert("RGB")).max(axis=2)
    inside, (line,) = read(path)
    assert (inside != (np.asarray(sharp) > 0)).sum() < 0.5 * ((values > 0) != (np.asarray(sharp) > 0)).sum()
    np.testing.assert_array_equal(inside, values > values.max() // 2)
    assert f"pixels of the mask lie between 0 and {values.max()}, as its compression leaves them" in line
    everything, notices = read(path, MaskRule(0))
    np.testing.assert_array_equal(everything, values > 0)
    assert notices == []


def test_probabilities_are_told_of(tmp_path: Path) -> None:
    shares = RNG.random(BOX.shape).astype(np.float32)
    np.save(tmp_path / "m.npy", shares)
    inside, (line,) = read(tmp_path / "m.npy")
    np.testing.assert_array_equal(inside, shares > 0)
    assert "mask_above=0.49" in line
    np.testing.assert_array_equal(read(tmp_path / "m.npy", MaskRule(0.5))[0], shares > 0.5)


def test_a_limit_that_nothing_is_above_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.png", PIL.Image.fromarray(WHITE))
    with pytest.raises(DataError, match=r"m.png: no value of the mask is above mask_above=255; the largest is 255"):
        read(path, MaskRule(255.0))
    empty = saved(tmp_path / "e.png", PIL.Image.fromarray(0 * WHITE))
    assert not read(empty, MaskRule(255.0))[0].any()


def test_alpha_is_the_mask_of_one_colour(tmp_path: Path) -> None:
    for colour in (0, 255):
        rgba = np.dstack([np.full((*BOX.shape, 3), colour, np.uint8), WHITE])
        path = saved(tmp_path / "m.png", PIL.Image.fromarray(rgba))
        for inside, notices in (
            read(path),
            mask_in_memory(rgba, PHOTO),
            mask_in_memory(PIL.Image.fromarray(rgba), PHOTO),
        ):
            np.testing.assert_array_equal(inside, BOX)
            assert list(notices) == ["the mask is in one colour, so its alpha is taken as the mask"]


def test_what_is_transparent_is_outside(tmp_path: Path) -> None:
    values = (RNG.random(BOX.shape) < 0.5).astype(np.uint8) * 255
    values[6, 9] = values[0, 0] = 255
    values[7, 9] = 0
    path = saved(tmp_path / "m.png", PIL.Image.fromarray(np.dstack([values, WHITE]), "LA"))
    inside, (line,) = read(path)
    np.testing.assert_array_equal(inside, (values > 0) & BOX)
    assert (
        line
        == f"{((values > 0) & ~BOX).sum()} pixels of the mask are transparent, and are outside whatever their colour"
    )


def test_no_data_of_a_mask_is_outside(tmp_path: Path) -> None:
    values = BOX.astype(np.int16)
    values[0, :7] = -9999
    tifffile.imwrite(tmp_path / "m.tif", values, extratags=[(42113, "s", 0, "-9999")])
    inside, notices = read(tmp_path / "m.tif")
    np.testing.assert_array_equal(inside, BOX)
    assert notices == ["7 pixels of the mask hold no data, and are outside"]
    missing = np.where(BOX, 1.0, np.nan)
    assert mask_in_memory(missing, PHOTO)[1] == ()
    np.testing.assert_array_equal(mask_in_memory(missing, PHOTO)[0], BOX)
    masked = np.ma.masked_array(np.ones(BOX.shape), ~BOX)
    for mask in (missing, masked):
        inside, lines = mask_in_memory(mask, PHOTO, rule=MaskRule(-1))
        np.testing.assert_array_equal(inside, BOX)
        assert lines == ()


def test_below_zero_is_not_zero_but_not_above_it() -> None:
    values = np.where(BOX, -1, 0)
    np.testing.assert_array_equal(mask_in_memory(values, PHOTO)[0], BOX)
    assert not mask_in_memory(values, PHOTO, rule=MaskRule(0))[0].any()


def test_colours_of_a_palette_count_not_its_indices(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray((~BOX).astype(np.uint8), "P")
    picture.putpalette([255, 255, 255, 0, 0, 0])
    inside, (line,) = read(saved(tmp_path / "m.png", picture))
    np.testing.assert_array_equal(inside, BOX)
    assert (
        line == f"the mask has a palette, and black is outside; by its indices {BOX.size} pixels would count otherwise"
    )
    assert colours_against_indices(BOX[:, :, None], None) == ()
    assert colours_against_indices(BOX[:, :, None], BOX[:5]) == ()


def test_several_pages_or_whatever_is_said_of_the_file_is_told_of_the_mask() -> None:
    mask = Image.from_array(WHITE).with_notices("the first page is taken")
    assert inside_of(mask)[1] == ("of the mask, the first page is taken",)


def brute(inside: np.ndarray, by: int) -> np.ndarray:
    """Pixels whose distance to some pixel inside is at most `by`."""
    places = np.argwhere(inside)
    grid = np.stack(np.meshgrid(*map(np.arange, inside.shape), indexing="ij"), axis=-1)
    return (((grid[..., None, :] - places) ** 2).sum(-1) <= by * by).any(-1)


@pytest.mark.parametrize("by", [1, 2, 5])
def test_growing_and_shrinking_against_brute_force(by: int) -> None:
    spots = RNG.random((14, 17)) < 0.04
    np.testing.assert_array_equal(grown(spots, by), brute(spots, by))
    np.testing.assert_array_equal(grown(~spots, -by), ~brute(spots, by))
    volume = RNG.random((4, 6, 7)) < 0.03
    flat = volume.reshape(-1, 7)
    np.testing.assert_array_equal(grown(flat, by, (4, 6, 7)), brute(volume, by).reshape(-1, 7))
    channels = RNG.random((9, 8, 2)) < 0.05
    found = grown(channels, by)
    for c in range(2):
        np.testing.assert_array_equal(found[..., c], brute(channels[..., c], by))


def test_growing_nothing_or_everything() -> None:
    nothing, everything = np.zeros((3, 4), bool), np.ones((3, 4), bool)
    for by in (-2, 0, 2):
        np.testing.assert_array_equal(grown(nothing, by), nothing)
        np.testing.assert_array_equal(grown(everything, by), everything)


def test_files_grow_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.png", PIL.Image.fromarray(WHITE))
    np.testing.assert_array_equal(read(path, MaskRule(grow=2))[0], grown(BOX, 2))
    np.testing.assert_array_equal(mask_in_memory(BOX, PHOTO, rule=MaskRule(grow=-1))[0], BOX & grown(BOX, -1))
    volume = Image(np.zeros((20, 30, 1)), "gray", metadata={"volume": (4, 5, 30)})
    np.testing.assert_array_equal(mask_in_memory(BOX, volume, rule=MaskRule(grow=2))[0], grown(BOX, 2, (4, 5, 30)))


def test_jpeg_in_memory_is_a_picture_like_any_other() -> None:
    buffer = io.BytesIO()
    stroke().save(buffer, "JPEG")
    with PIL.Image.open(buffer) as picture:
        inside, notices = mask_in_memory(picture, PHOTO)
        values = np.asarray(picture)
    np.testing.assert_array_equal(inside, values > values.max() // 2)
    assert len(notices) == 1
