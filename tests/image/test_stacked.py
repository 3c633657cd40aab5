"""Several files as one image: their channels side by side, on one grid."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import emseg
from emseg.errors import ImageError, UsageError
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.read import Source, read_image
from emseg.image.stacked import PartOfStack, stacked
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.stages.inputs.memory import WorkingMemory

RNG = np.random.default_rng(0)
BANDS = [RNG.integers(0, 200, (12, 16)).astype(dtype) for dtype in ("u1", "u2", "f4")]


def geotiff(path: Path, array: np.ndarray, east: float = 6e5, zone: int = 33, **how: Any) -> str:
    tags = [(33550, "d", 3, (10.0, 10.0, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, east, 5e6, 0.0), True)]
    tags.append((34735, "H", 8, (1, 1, 0, 1, 3072, 0, 1, 32600 + zone), True))
    tifffile.imwrite(path, array, photometric="minisblack", metadata=None, extratags=tags, **how)
    return str(path)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_channels_stand_side_by_side_in_the_order_given(order: tuple[int, ...]) -> None:
    found = stacked([Image.from_array(BANDS[at], name=f"in/b{at}.tif") for at in order])
    np.testing.assert_array_equal(found.pixels, np.stack([BANDS[at] for at in order], axis=2))
    assert found.pixels.dtype == np.float32
    assert (found.colour, found.name) == ("bands", f"in/b{order[0]}.tif")
    assert found.channel_names == tuple(f"b{at}" for at in order)


def test_values_keep_their_bits() -> None:
    wide = np.array([[2**31 + 1]], np.uint32)
    found = stacked([Image.from_array(wide), Image.from_array(np.array([[0.5]], np.float32))])
    assert found.pixels[0, 0].tolist() == [2**31 + 1, 0.5]
    assert found.channel_names == ("array 1", "array 2")


def test_what_is_unknown_in_one_file_is_known_in_the_others() -> None:
    hole = BANDS[2].copy()
    hole[3, 4] = np.nan
    colours = RNG.integers(0, 255, (12, 16, 3), np.uint8)
    whole = np.ones((12, 16), bool)
    whole[0] = False
    found = stacked([Image.from_array(hole), Image.from_array(colours, whole, "c.png")])
    expected = np.ones((12, 16, 4), bool)
    expected[3, 4, 0], expected[0, :, 1:] = False, False
    np.testing.assert_array_equal(found.known, expected)
    np.testing.assert_array_equal(found.valid, expected.all(axis=2))
    assert found.channel_names == ("array", "c 1", "c 2", "c 3")


def test_files_and_arrays_python_and_their_report(tmp_path: Path) -> None:
    paths = [geotiff(tmp_path / f"b{at}.tif", band) for at, band in enumerate(BANDS)]
    by_path = emseg.segment(paths, 3, stack=True)
    by_array = emseg.segment(BANDS, 3, stack=True)
    by_source = emseg.segment([Source(path, Reading()) for path in paths], 3, stack=True)
    together = emseg.segment(np.stack(BANDS, axis=2), 3, features="bands")
    for found in (by_array, by_source, together):
        np.testing.assert_array_equal(found.labels, by_path.labels)
    files = by_path.report["input"]["files"]
    assert [entry["path"] for entry in files] == paths
    assert [entry["sha256"] for entry in files] == [read_image(path).sha256 for path in paths]
    assert by_path.report["input"]["channel_names"] == ["b0", "b1", "b2"]
    assert by_array.report["input"]["sha256"] is None
    applied = emseg.apply(by_path, paths, stack=True)
    np.testing.assert_array_equal(applied.labels, by_path.labels)
    two = emseg.segment(paths, 3, stack=True, channels=("b2", 1))
    np.testing.assert_array_equal(two.image.pixels, np.stack([BANDS[2], BANDS[0]], axis=2))
    assert two.report["input"]["channels"] == [3, 1]


def test_pages_of_each_file_are_taken(tmp_path: Path) -> None:
    for at in range(2):
        tifffile.imwrite(
            tmp_path / f"{at}.tif", np.stack([BANDS[0] + at, BANDS[0] + 10 + at]), photometric="minisblack"
        )
    found = emseg.segment([tmp_path / "0.tif", tmp_path / "1.tif"], 2, stack=True, page=2)
    np.testing.assert_array_equal(found.image.pixels, np.stack([BANDS[0] + 10, BANDS[0] + 11], axis=2))
    first = emseg.segment([tmp_path / "0.tif", tmp_path / "1.tif"], 2, stack=True)
    assert [line.partition(";")[0].rpartition(": ")[2] for line in first.notices] == ["page 1 of 2 is used"] * 2
    assert first.notices[1].startswith(str(tmp_path / "1.tif"))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"east": 6e5 + 5}, "is shifted against"),
        ({"east": 7e5}, "does not cover"),
        ({"zone": 34}, r"is in EPSG:32634, .*first.tif in EPSG:32633"),
    ],
)
def test_other_grids_are_refused_by_name(how: dict[str, Any], message: str, tmp_path: Path) -> None:
    first, other = geotiff(tmp_path / "first.tif", BANDS[0]), geotiff(tmp_path / "other.tif", BANDS[1], **how)
    with pytest.raises(ImageError, match=rf"other.tif: {message}.*; files of a stack need one grid"):
        emseg.segment([first, other], 2, stack=True)


def test_sizes_are_held_against_each_other() -> None:
    with pytest.raises(ImageError, match="b: has 16 × 5 pixels, a 16 × 12; files of a stack need one grid"):
        stacked([Image.from_array(BANDS[0], name="a"), Image.from_array(BANDS[1][:5], name="b")])


def test_a_larger_file_is_cut_to_the_grid_of_the_first(tmp_path: Path) -> None:
    large = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    first = geotiff(tmp_path / "first.tif", BANDS[0])
    other = geotiff(tmp_path / "large.tif", large, east=6e5 - 40)
    found = emseg.segment([first, other], 2, stack=True)
    np.testing.assert_array_equal(found.image.pixels[:, :, 1], large[:12, 4:20])
    assert any("it is cut to the grid of" in line for line in found.notices)


def test_volumes_are_turned_to_the_first(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
    cubes = RNG.normal(0, 9, (2, 4, 5, 6)).astype(np.float32)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = 3
    for name, cube, affine in (("a", cubes[0], np.eye(4)), ("b", cubes[1], np.eye(4)), ("c", cubes[1][::-1], flip)):
        nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(cube), affine), tmp_path / f"{name}.nii.gz")
    images = [read_image(tmp_path / f"{name}.nii.gz") for name in "abc"]
    plain, turned = stacked(images[:2]), stacked([images[0], images[2]])
    np.testing.assert_array_equal(plain.pixels, turned.pixels)
    np.testing.assert_array_equal(plain.pixels.reshape(6, 5, 4, 2), cubes.transpose(3, 2, 1, 0))
    assert plain.channel_names == ("a", "b")


def test_what_is_no_stack() -> None:
    for given in ("a.png", BANDS[0], []):
        with pytest.raises(UsageError, match="stack=True: goes with a list of images"):
            emseg.segment(given, 2, stack=True)
    with pytest.raises(ImageError, match="or all of them as one image with stack=True"):
        emseg.segment(["a.png", "b.png"], 2)


def test_memory_is_that_of_all_files(tmp_path: Path) -> None:
    work = WorkingMemory(4, "bands")
    alone = work.bytes_per_pixel(10**6, 3, 2) + 3 * 2
    last = PartOfStack(work, 2, 4, 0).bytes_per_pixel(10**6, 1, 2) + 2
    assert alone < last < alone + 4 * 2
    first = PartOfStack(work, 0, 0, 2).bytes_per_pixel(10**6, 1, 2) + 2
    assert first == last  # files of one type need no reading to be refused
    assert SegmentOptions().k == 4
    side = 4000
    path = str(tmp_path / "x.npy")
    np.lib.format.open_memmap(path, "w+", np.uint16, (side, side)).flush()
    most = side * side * (work.bytes_per_pixel(side * side, 2, 2) + 4)
    with pytest.raises(ImageError, match="of memory, allowed are"):
        emseg.segment([Source(path, Reading(max_memory=most))] * 2, 4, stack=True)
