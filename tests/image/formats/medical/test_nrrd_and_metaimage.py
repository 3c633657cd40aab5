"""NRRD and MetaImage: types, axes, places, and headers that are not what they seem."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError
from emseg.image.formats.medical import metaimage, nrrd
from emseg.image.limits import Reading
from emseg.image.read import decode_image, read_image

RNG = np.random.default_rng(0)
NRRD_NAMES = {
    "u1": "uchar",
    "i1": "signed char",
    "u2": "ushort",
    "i2": "short",
    "u4": "uint32",
    "f4": "float",
    "f8": "double",
}
META_NAMES = {kind: name for name, kind in metaimage.TYPES.items()}


def as_nrrd(array: np.ndarray, packed: bool = False, **more: str) -> bytes:
    fields = {
        "type": NRRD_NAMES[array.dtype.str[1:]],
        "dimension": str(array.ndim),
        "sizes": " ".join(map(str, array.shape[::-1])),
        "encoding": "gzip" if packed else "raw",
        "endian": "big" if array.dtype.byteorder == ">" else "little",
    }
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in (fields | more).items()]
    data = gzip.compress(array.tobytes()) if packed else array.tobytes()
    return "\n".join(["NRRD0005", "# a remark", *lines, "key:=a value", "", ""]).encode() + data


def as_metaimage(array: np.ndarray, channels: int = 1, packed: bool = False, **more: str) -> bytes:
    sizes = array.shape[: array.ndim - (channels > 1)][::-1]
    fields = {
        "ObjectType": "Image",
        "NDims": str(len(sizes)),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(array.dtype.byteorder == ">"),
        "CompressedData": str(packed),
        "DimSize": " ".join(map(str, sizes)),
        "ElementNumberOfChannels": str(channels),
        "ElementType": META_NAMES[array.dtype.str[1:]],
        **more,
    }
    fields["ElementDataFile"] = more.get("ElementDataFile", "LOCAL")
    head = "".join(f"{key} = {value}\n" for key, value in fields.items()).encode()
    return head + (zlib.compress(array.tobytes()) if packed else array.tobytes())


@pytest.mark.parametrize("dtype", ["<u1", "<i1", "<u2", ">u2", "<i2", ">i2", "<u4", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("write", [as_nrrd, as_metaimage])
def test_volumes_and_planes_come_back(dtype: str, packed: bool, write: object) -> None:
    volume = RNG.integers(0, 100, (3, 4, 5)).astype(dtype)
    image = decode_image(write(volume, packed=packed), "x")  # type: ignore[operator]
    assert (image.metadata["volume"], image.colour) == ((3, 4, 5), "gray")
    assert image.pixels.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(image.pixels.reshape(3, 4, 5), volume)
    plane = decode_image(write(volume[0], packed=packed), "x")  # type: ignore[operator]
    assert "volume" not in plane.metadata
    np.testing.assert_array_equal(plane.pixels[..., 0], volume[0])


def test_channels_colours_and_times() -> None:
    array = RNG.integers(0, 100, (3, 4, 5, 3)).astype("u1")
    vectors = "none (0.5,0,0) (0,0.25,0) (0,0,2)"
    image = decode_image(as_nrrd(array, kinds="vector domain domain domain", space_directions=vectors), "x")
    assert (image.colour, image.metadata["volume"]) == ("bands", (3, 4, 5))
    np.testing.assert_array_equal(image.pixels.reshape(array.shape), array)
    assert image.pixel_size is not None
    assert image.pixel_size.lengths == (2.0, 0.25, 0.5)
    image = decode_image(as_nrrd(array[0], kinds="RGB-color domain domain"), "x")
    assert image.colour == "rgb"
    np.testing.assert_array_equal(image.pixels, array[0])
    planes = np.moveaxis(array[0], -1, 0)
    image = decode_image(as_nrrd(np.ascontiguousarray(planes), kinds="domain domain vector"), "x")
    np.testing.assert_array_equal(image.pixels, array[0])
    times = RNG.integers(0, 100, (2, 3, 4, 5)).astype("u1")
    image = decode_image(as_nrrd(times, kinds="domain domain domain time"), "x", Reading(page=2))
    np.testing.assert_array_equal(image.pixels.reshape(3, 4, 5), times[1])
    image = decode_image(as_metaimage(array, 3), "x")
    assert image.colour == "rgb"
    np.testing.assert_array_equal(image.pixels.reshape(array.shape), array)
    image = decode_image(as_metaimage(times), "x")
    assert "image 1 of 2 along T is used" in image.notices[0]


@pytest.mark.parametrize("space", ["left-posterior-superior", "right-anterior-superior", "LPS", ""])
def test_places_are_in_millimetres_to_the_right_front_and_top(space: str) -> None:
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    sides, origin = (0.5, 0.25, 2.0), (10.0, -20.0, 30.0)
    vectors = [turn[:, axis] * side for axis, side in enumerate(sides)]
    spelled = " ".join(f"({','.join(repr(float(v)) for v in vector)})" for vector in vectors)
    volume = RNG.integers(0, 100, (3, 4, 5)).astype("u1")
    place = {"space_directions": spelled, "space_origin": f"({','.join(map(str, origin))})"}
    image = decode_image(as_nrrd(volume, **place, **({"space": space} if space else {})), "x")
    flip = np.diag([-1.0, -1, 1]) if space.lower().startswith("l") else np.eye(3)
    if space:
        np.testing.assert_allclose(image.metadata["affine"][:3, :3], flip @ np.stack(vectors, axis=1))
        np.testing.assert_allclose(image.metadata["affine"][:3, 3], flip @ origin)
    assert image.pixel_size is not None
    np.testing.assert_allclose(image.pixel_size.lengths, sides[::-1])
    rows = " ".join(repr(float(v)) for v in turn.T.ravel())
    words = {"TransformMatrix": rows, "Offset": "10 -20 30", "ElementSpacing": "0.5 0.25 2"}
    image = decode_image(as_metaimage(volume, **words), "x")
    np.testing.assert_allclose(image.metadata["affine"][:3, :3], np.diag([-1.0, -1, 1]) @ np.stack(vectors, axis=1))
    np.testing.assert_allclose(image.metadata["affine"][:3, 3], [-10, 20, 30])


def test_samples_beside_a_header(tmp_path: Path) -> None:
    array = RNG.integers(0, 100, (3, 4, 5)).astype("u2")
    head = as_metaimage(array, ElementDataFile="elsewhere.raw")[: -array.nbytes]
    (tmp_path / "v.mhd").write_bytes(head.rstrip(b"\n"))
    with pytest.raises(ImageError, match=r"there are no samples beside this header; put .*v\.raw there"):
        read_image(tmp_path / "v.mhd")
    (tmp_path / "v.raw").write_bytes(array.tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "v.mhd").pixels.reshape(3, 4, 5), array)
    with pytest.raises(ImageError, match=r"are in another file; save it as one \.mha"):
        decode_image(head, "x")
    with pytest.raises(ImageError, match=r"its samples are in another file; save it as one \.nrrd"):
        decode_image(as_nrrd(array, data_file="/etc/passwd"), "x")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"sizes": "5 4"}, "usable of sizes"),
        ({"sizes": "0 4 3"}, "usable of sizes"),
        ({"sizes": "900000 900000 900000"}, "pixels are more than"),
        ({"sizes": "50 40 30"}, "cut short"),
        ({"type": "block"}, "NRRD of type block is not read"),
        ({"encoding": "hex"}, "NRRD of encoding hex is not read"),
        ({"byte_skip": "9"}, "skips bytes"),
    ],
)
def test_nrrd_that_is_not_read(more: dict[str, str], match: str) -> None:
    with pytest.raises(ImageError, match=match) as caught:
        decode_image(as_nrrd(np.ones((3, 4, 5), "u1"), **more), "x")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"DimSize": "5 4"}, "usable of sizes"),
        ({"DimSize": "900000 900000 900000"}, "pixels are more than"),
        ({"DimSize": "50 40 30"}, "cut short"),
        ({"ElementType": "MET_STRING"}, "MET_STRING is not read"),
        ({"BinaryData": "False"}, "save it as binary numbers"),
    ],
)
def test_metaimages_that_are_not_read(more: dict[str, str], match: str) -> None:
    with pytest.raises(ImageError, match=match) as caught:
        decode_image(as_metaimage(np.ones((3, 4, 5), "u1"), **more), "x")
    assert str(caught.value).isprintable()


def test_a_bomb_is_unpacked_as_far_as_the_header_says() -> None:
    array = np.zeros((3, 4, 5), "u1")
    data = as_nrrd(array)[: -array.nbytes].replace(b"encoding: raw", b"encoding: gzip") + gzip.compress(bytes(1 << 26))
    assert decode_image(data, "x").shape == (12, 5)
    assert len(data) * 1000 > nrrd.LARGEST_HEADER
    endless = b"NRRD0005\n" + b"a: b\n" * (nrrd.LARGEST_HEADER // 4)
    with pytest.raises(ImageError, match="the header does not end"):
        decode_image(endless, "x")


def test_a_mask_is_matched_by_its_place() -> None:
    from emseg.image.place.alignment import aligned

    volume = RNG.integers(0, 100, (3, 4, 5)).astype("u1")
    place = {"space": "RAS", "space_directions": "(1,0,0) (0,1,0) (0,0,2)", "space_origin": "(0,0,0)"}
    turned = {"space": "RAS", "space_directions": "(-1,0,0) (0,1,0) (0,0,2)", "space_origin": "(4,0,0)"}
    photo = decode_image(as_nrrd(volume, **place), "photo")
    mask = decode_image(as_nrrd(np.ascontiguousarray(volume[:, :, ::-1]), **turned), "mask")
    found, notices = aligned(mask.pixels, mask.metadata, "mask", photo, "mask")
    np.testing.assert_array_equal(found, photo.pixels)
    assert notices == ()


GOOD = (as_nrrd(np.ones((3, 4, 5), "u1"), packed=True), as_metaimage(np.ones((3, 4, 5), "u2"), Offset="0 0 0"))


@given(st.sampled_from(GOOD), st.data())
def test_damage_is_one_line(image_or_one_line: Any, good: bytes, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(14, len(good) - 1))] = data.draw(st.integers(0, 255))
    with image_or_one_line():
        decode_image(bytes(damaged[: data.draw(st.integers(20, len(good)))]), "x")
