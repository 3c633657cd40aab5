"""Axes of arrays: every order gives the same image, and what may be two things is asked for."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import emseg
from emseg.errors import ImageError, UsageError
from emseg.image.arrays.from_memory import image_in_memory
from emseg.image.axes import arrangement, require_channels_last
from emseg.image.limits import Reading
from emseg.image.read import Source, count_pages, read_image

pytestmark = pytest.mark.long

LENGTHS = {"T": 2, "Z": 3, "C": 4, "Y": 20, "X": 30}
FULL = np.random.default_rng(0).integers(0, 60_000, tuple(LENGTHS.values()), np.uint16)


def part(axes: str) -> np.ndarray:
    """The array with these axes, in this order: of the others, the first."""
    first = FULL[tuple(slice(None) if axis in axes else 0 for axis in LENGTHS)]
    there = [axis for axis in LENGTHS if axis in axes]
    return np.ascontiguousarray(first.transpose([there.index(axis) for axis in axes]))


def expected(axes: str, page: int) -> np.ndarray:
    """By NumPy alone: slices below one another, channels last."""
    whole = FULL[page - 1 if "T" in axes else 0]
    whole = whole if "Z" in axes else whole[:1]
    whole = whole if "C" in axes else whole[:, :1]
    return np.concatenate([np.moveaxis(plane, 0, -1) for plane in whole])


ORDERS = [
    "".join(order)
    for letters in ("YX", "CYX", "ZYX", "TYX", "ZCYX", "TCYX", "TZYX", "TZCYX")
    for order in itertools.permutations(letters)
    if len(letters) < 4 or order.index("Y") < order.index("X")
]


@pytest.mark.parametrize("axes", ORDERS)
def test_every_order_gives_the_same_image(axes: str, tmp_path: Path) -> None:
    array = part(axes)
    np.save(tmp_path / "a.npy", array)
    pages = 2 if "T" in axes else 1
    assert count_pages(tmp_path / "a.npy", Reading(axes=axes)) == pages
    for page in range(1, pages + 1):
        image = read_image(tmp_path / "a.npy", Reading(page, axes=axes))
        np.testing.assert_array_equal(image.pixels, expected(axes, page))
        assert image.metadata.get("volume") == ((3, 20, 30) if "Z" in axes else None)
        assert image.notices == ()
        same = image_in_memory(array, how=Reading(page, axes=axes))
        np.testing.assert_array_equal(same.pixels, image.pixels)
    with pytest.raises(ImageError, match=f"there is no page {pages + 1}"):
        read_image(tmp_path / "a.npy", Reading(pages + 1, axes=axes))
    first = read_image(tmp_path / "a.npy", Reading(axes=axes))
    np.testing.assert_array_equal(first.pixels, expected(axes, 1))
    assert [("1 of 2 along T is used" in line, "page" in line) for line in first.notices] == [(True, True)] * (
        pages > 1
    )


def test_letters_that_nobody_knows_count_pages() -> None:
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 4, 3, 5)
    arranged = arrangement(array.shape, "PYAX", "x")
    assert (arranged.pages, arranged.paging) == (6, "PA")
    np.testing.assert_array_equal(arranged.part(array, 5), array[1, :, 1])


@pytest.mark.parametrize(
    "shape", [(3, 120, 160), (1, 512, 512), (40, 256, 256), (512, 512, 512), (100, 64, 64), (400, 300, 350)]
)
def test_what_may_be_two_things_is_asked_for(shape: tuple[int, ...], tmp_path: Path) -> None:
    wanted = r"may be channels, slices or rows first; say which: axes='CYX'"
    with pytest.raises(ImageError, match=wanted):
        require_channels_last(shape, "x")
    array = np.zeros(shape, np.uint8)
    with pytest.raises(ImageError, match=wanted):
        emseg.segment(array, 2)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", array)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(ImageError, match=wanted):
            read_image(tmp_path / name)


@pytest.mark.parametrize("shape", [(120, 160, 3), (3, 5, 7), (145, 145, 200), (610, 340, 103), (64, 64, 200)])
def test_channels_last_needs_no_word(shape: tuple[int, ...]) -> None:
    assert arrangement(shape, "", "x").axes == "YXC"


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((3, 4, 5), "YX", "3 axes, axes='YX' names 2; give a letter for each"),
        ((3, 4), "CYX", "2 axes, axes='CYX' names 3"),
        ((2, 3, 4, 5), "", "say what its axes are with axes, as ZCYX"),
        ((2, 2, 3, 4, 5), "", "say what its axes are"),
        ((7,), "", "give one image of shape"),
    ],
)
def test_axes_that_do_not_fit(shape: tuple[int, ...], axes: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        arrangement(shape, axes, "x")


def test_archives_count_arrays_unless_there_is_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", part("TYX"))
    np.savez(tmp_path / "two.npz", part("TYX"), part("TYX")[::-1])
    how = Reading(2, axes="TYX")
    np.testing.assert_array_equal(read_image(tmp_path / "one.npz", how).pixels[:, :, 0], part("TYX")[1])
    found = read_image(tmp_path / "two.npz", how)
    np.testing.assert_array_equal(found.pixels[:, :, 0], part("TYX")[1])  # the first image of the second array
    assert count_pages(tmp_path / "two.npz", how) == 2
    assert found.taken == {"axes": "TYX", "page": 2, "pages": 2}
    assert "1 of 2" in found.notices[0]


def test_python_takes_arrays_as_the_command_line_takes_files(tmp_path: Path) -> None:
    array = part("TCYX")
    np.save(tmp_path / "a.npy", array)
    how = {"page": 2, "axes": "TCYX", "channels": (1, 3)}
    found = [emseg.segment(given, 2, **how) for given in (array, tmp_path / "a.npy")]
    found.append(emseg.segment(Source(tmp_path / "a.npy", Reading(2, axes="TCYX", channels=(1, 3))), 2))
    for each in found:
        np.testing.assert_array_equal(each.labels, found[0].labels)
        source = each.report["input"]
        assert (source["page"], source["pages"], source["axes"], source["channels"]) == (2, 2, "TCYX", [1, 3])
    np.testing.assert_array_equal(found[0].image.pixels, expected("TCYX", 2)[:, :, [0, 2]])
    with pytest.raises(UsageError, match="an Image has its own"):
        emseg.segment(found[0].image, 2, axes="YXC")
