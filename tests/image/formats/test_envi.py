"""ENVI cubes: text and samples beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import ImageError
from emseg.image.formats.envi import LARGEST_HEADER, TYPES
from emseg.image.limits import Reading
from emseg.image.read import count_pages, decode_image, read_image

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
ORDERS = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}


def saved(
    folder: Path, cube: np.ndarray, interleave: str = "bsq", order: int = 0, end: str = ".img", **more: Any
) -> Path:
    codes = {kind: code for code, kind in TYPES.items()}
    facts = {
        "samples": cube.shape[1],
        "lines": cube.shape[0],
        "bands": cube.shape[2],
        "header offset": 0,
        "data type": codes[cube.dtype.str[1:]],
        "interleave": interleave,
        "byte order": order,
        "description": "{\n  bands = 3,\n  of something}",
    }
    lines = [f"{key} = {value}" for key, value in (facts | more).items() if value is not None]
    (folder / "cube.hdr").write_text("\n".join(["ENVI", *lines]))
    data = cube.astype(cube.dtype.newbyteorder("<>"[order])).transpose(ORDERS.get(interleave, (0, 1, 2)))
    (folder / f"cube{end}").write_bytes(bytes(int(more.get("header offset", 0))) + data.tobytes())
    return folder / "cube.hdr"


@pytest.mark.parametrize("interleave", list(ORDERS))
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "u8"])
def test_cubes_come_back(tmp_path: Path, interleave: str, order: int, kind: str) -> None:
    cube = RNG.integers(0, 99, (4, 5, 6)).astype(kind)
    image = read_image(saved(tmp_path, cube, interleave, order))
    assert (image.colour, image.pixels.dtype) == ("bands", cube.dtype)
    np.testing.assert_array_equal(image.pixels, cube)
    assert count_pages(tmp_path / "cube.hdr") == 1


@pytest.mark.parametrize("end", ["", ".dat", ".img", ".IMG", ".bsq"])
def test_the_samples_are_beside_it(tmp_path: Path, end: str) -> None:
    cube = RNG.integers(0, 99, (4, 5, 3)).astype(np.uint8)
    image = read_image(saved(tmp_path, cube, end=end, **{"header offset": 7}))
    np.testing.assert_array_equal(image.pixels, cube)
    assert image.colour == "bands"


def test_the_value_to_ignore(tmp_path: Path) -> None:
    cube = RNG.integers(1, 99, (4, 5, 2)).astype(np.float32)
    cube[1, 2] = -9999
    image = read_image(saved(tmp_path, cube, **{"data ignore value": "-9999"}))
    np.testing.assert_array_equal(image.valid, cube[..., 0] > 0)
    cube[2, 2, 1] = -9999
    image = read_image(saved(tmp_path, cube, **{"data ignore value": "-9999"}))
    np.testing.assert_array_equal(image.known, cube > 0)
    np.testing.assert_array_equal(image.valid, (cube > 0).all(axis=2))
    assert (
        "is no uint8"
        in read_image(saved(tmp_path, cube[1:2, 2:3].astype("u1"), **{"data ignore value": "-9999"})).notices[0]
    )


def test_resume_sees_the_samples_change(tmp_path: Path) -> None:
    cube = RNG.integers(0, 99, (9, 8, 4)).astype(np.uint8)
    arguments = ["segment", str(saved(tmp_path, cube)), "-k", "2", "-q", "--resume", "-o", str(tmp_path / "out")]
    stamps = []
    for change in (False, False, True):
        if change:
            saved(tmp_path, cube[::-1])
        assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
        stamps.append((tmp_path / "out" / "cube.json").stat().st_mtime_ns)
    assert stamps[0] == stamps[1] < stamps[2]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"samples": 10**9, "lines": 10**9}, "pixels are more than"),
        ({"samples": 0}, "has no pixels"),
        ({"bands": 0}, "usable of bands"),
        ({"bands": None}, "usable of bands"),
        ({"lines": "many"}, "usable of lines"),
        ({"lines": 400}, "cut short"),
        ({"header offset": 10**11}, "cut short"),
        ({"data type": 6}, "data type 6"),
        ({"interleave": "zip"}, "is not read"),
        ({"byte order": 2}, "is not read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, more: dict[str, Any], match: str) -> None:
    cube = np.ones((4, 5, 2), np.uint8)
    path = saved(tmp_path, cube)
    text = path.read_text().splitlines()
    for key, value in more.items():
        text = [line for line in text if not line.startswith(key)] + ([] if value is None else [f"{key} = {value}"])
    path.write_text("\n".join(text))
    with pytest.raises(ImageError, match=match) as caught:
        read_image(path)
    assert str(caught.value).isprintable()


def test_a_header_alone_or_in_memory(tmp_path: Path) -> None:
    path = saved(tmp_path, np.ones((4, 5, 2), np.uint8))
    with pytest.raises(ImageError, match="read from a file"):
        decode_image(path.read_bytes(), "x")
    with pytest.raises(ImageError, match="pixels are more than 19"):
        read_image(path, Reading(max_pixels=19))
    (tmp_path / "cube.img").unlink()
    with pytest.raises(ImageError, match="there are no samples beside"):
        read_image(path)


@pytest.mark.parametrize(
    "filler", [" " * 200_000, "a={\n" * 300_000, "a" * 200_000 + "=", "{" * 200_000, "a = {\n" * 9]
)
def test_no_header_takes_long(tmp_path: Path, filler: str) -> None:
    cube = RNG.integers(0, 99, (4, 5, 6)).astype("u1")
    path = saved(tmp_path, cube)
    for text in (path.read_text() + "\n" + filler, path.read_text() + "\n" + filler + "}", "\ufeff" + path.read_text()):
        path.write_text(text, encoding="utf-8")
        np.testing.assert_array_equal(read_image(path).pixels, cube)


def test_a_header_that_is_no_header(tmp_path: Path) -> None:
    path = saved(tmp_path, np.ones((4, 5, 2), np.uint8))
    path.write_text(path.read_text() + " " * LARGEST_HEADER)
    with pytest.raises(ImageError, match="an ENVI header of 17 MB; name the header, not the samples"):
        read_image(path)


@given(st.data())
def test_damage_is_one_line(
    image_or_one_line: Any, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = saved(tmp_path_factory.getbasetemp(), np.ones((4, 5, 2), np.uint8))
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    with image_or_one_line():
        read_image(path)


def test_bands_have_names(tmp_path: Path) -> None:
    cube = RNG.integers(0, 99, (4, 5, 3)).astype(np.uint8)
    path = saved(tmp_path, cube, **{"band names": "{B2 (490 nm),\n B3, B8A}"})
    assert read_image(path).channel_names == ("B2 (490 nm)", "B3", "B8A")
    chosen = read_image(path, Reading(channels=("B8A", 1)))
    np.testing.assert_array_equal(chosen.pixels, cube[..., [2, 0]])
    assert chosen.channel_names == ("B8A", "B2 (490 nm)")
    assert read_image(saved(tmp_path, cube, **{"band names": "{one, two}"})).channel_names == ()


def test_axes_of_a_cube_can_be_named(tmp_path: Path) -> None:
    cube = RNG.integers(0, 99, (3, 20, 30)).astype(np.uint8)  # a stack whose header was written wrongly
    path = saved(tmp_path, cube)
    with pytest.raises(ImageError, match="may be channels, slices or rows first"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, Reading(axes="CYX")).pixels, np.moveaxis(cube, 0, 2))
    assert read_image(path, Reading(axes="ZYX")).metadata["volume"] == (3, 20, 30)
    np.testing.assert_array_equal(read_image(path, Reading(2, axes="TYX")).pixels[..., 0], cube[1])
    assert (count_pages(path), count_pages(path, Reading(axes="TYX"))) == (1, 3)
    np.testing.assert_array_equal(read_image(path, Reading(axes="YXC")).pixels, cube)
    wide = RNG.integers(0, 99, (10, 20, 30)).astype(np.uint8)
    np.testing.assert_array_equal(read_image(saved(tmp_path, wide)).pixels, wide)
