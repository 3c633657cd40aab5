"""Stacks in TIFF: whichever axes and whichever program, the same image comes out; what is left out is said."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError, UsageError, for_python
from emseg.image.formats.tiff import count
from emseg.image.limits import Fourth, Reading
from emseg.image.model import Image
from emseg.image.read import decode_image
from emseg.image.series.stored import Plane, Series
from emseg.image.series.tiff_series import holdings_of
from emseg.image.strips.directory import directory_at, page_offsets, short_tags

pytestmark = pytest.mark.long

LENGTHS = {"T": 2, "Z": 3, "C": 4, "Y": 18, "X": 23, "S": 3}
FULL = np.random.default_rng(0).integers(0, 250, tuple(LENGTHS.values()), np.uint16)
AXES = ["YX", "YXS", "CYX", "ZYX", "ZCYX", "CZYX", "TYX", "TCYX", "TZYX", "TZCYX", "TCZYX", "ZYXS", "TYXS"]


def part(axes: str) -> np.ndarray:
    first = FULL[tuple(slice(None) if axis in axes else 0 for axis in LENGTHS)]
    there = [axis for axis in LENGTHS if axis in axes]
    return np.ascontiguousarray(first.transpose([there.index(axis) for axis in axes]))


def expected(axes: str, page: int) -> np.ndarray:
    """By NumPy alone, shape (Z · Y, X, C · S)."""
    image = FULL[page - 1 if "T" in axes else 0]
    image = image if "Z" in axes else image[:1]
    image = image if "C" in axes else image[:, :1]
    image = image if "S" in axes else image[..., :1]
    z, _, y, x, _ = image.shape
    return image.transpose(0, 2, 3, 1, 4).reshape(z * y, x, -1)


def written(array: np.ndarray, **how: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **how)
    return buffer.getvalue()


def stored(axes: str, program: str, dtype: str = "u2", **more: Any) -> bytes:
    array = part(axes).astype(dtype)
    colour = {"photometric": "rgb" if "S" in axes else "minisblack"}
    if program == "imagej":
        order = [axis for axis in "TZCYXS" if axis in axes]
        array = array.transpose([axes.index(axis) for axis in order])
        return written(array, imagej=True, metadata={"axes": "".join(order)}, **({} if "S" in axes else colour), **more)
    return written(array, ome=program == "ome", metadata={"axes": axes}, **colour, **more)


CASES = [
    (axes, program, dtype)
    for axes, program, dtype in itertools.product(AXES, ("imagej", "ome", "shaped"), ("u1", "u2", "f4"))
    if not (program == "imagej" and "S" in axes and dtype != "u1")  # ImageJ's colours have 8 bits
]


@pytest.mark.parametrize(("axes", "program", "dtype"), CASES)
def test_every_program_and_every_order(axes: str, program: str, dtype: str) -> None:
    data = stored(axes, program, dtype)
    pages = 2 if "T" in axes else 1
    assert count(data, "x", Reading()) == pages
    for page in range(1, pages + 1):
        image = decode_image(data, "x", Reading(page))
        np.testing.assert_array_equal(image.pixels, expected(axes, page).astype(dtype))
        assert image.pixels.dtype == np.dtype(dtype)
        assert image.metadata.get("volume") == ((3, 18, 23) if "Z" in axes else None)
        assert image.colour == ("rgb" if "S" in axes else "bands" if "C" in axes else "gray")
        assert image.notices == ()
    first = decode_image(data, "x")
    np.testing.assert_array_equal(first.pixels, expected(axes, 1).astype(dtype))
    assert [line.split(";")[0] for line in first.notices] == ["image 1 of 2 along T is used"] * (pages - 1)
    with pytest.raises(ImageError, match=f"there is no page {pages + 1}"):
        decode_image(data, "x", Reading(pages + 1))


@pytest.mark.parametrize("axes", ["CYX", "ZYX", "TYX", "TZCYX"])
@pytest.mark.parametrize("program", ["imagej", "shaped"])
def test_planes_behind_a_single_page(axes: str, program: str) -> None:
    array = part(axes)
    how = {"imagej": True} if program == "imagej" else {"photometric": "minisblack"}
    data = written(array, metadata={"axes": axes, "truncated": True} | {}, truncate=True, **how)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert len(file.pages) == 1
    for page in range(1, 1 + count(data, "x", Reading())):
        np.testing.assert_array_equal(decode_image(data, "x", Reading(page)).pixels, expected(axes, page))
    with pytest.raises(ImageError, match="x: damaged"):
        decode_image(data[:-99], "x", Reading(count(data, "x", Reading())))


@pytest.mark.parametrize(
    "options", [{"tile": (16, 16)}, {"compression": "zlib"}, {"rowsperstrip": 5}, {"bigtiff": True}]
)
@pytest.mark.parametrize("axes", ["CYX", "TZCYX"])
def test_however_planes_are_stored(options: dict[str, Any], axes: str) -> None:
    data = stored(axes, "ome", **options)
    np.testing.assert_array_equal(decode_image(data, "x", Reading(1)).pixels, expected(axes, 1))


def test_planar_and_interleaved_samples_are_the_same() -> None:
    array, how = part("CYX"), {"photometric": "minisblack"}
    images = [
        decode_image(data, "x")
        for data in (
            written(array, planarconfig="separate", **how),
            written(np.moveaxis(array, 0, 2), planarconfig="contig", **how),
            stored("CYX", "imagej"),
        )
    ]
    for image in images:
        np.testing.assert_array_equal(image.pixels, expected("CYX", 1))
        assert image.colour == "bands"


def test_plain_pages_are_images_unless_somebody_names_their_axis() -> None:
    data = written(part("CYX"), photometric="minisblack", metadata=None)
    assert count(data, "x", Reading()) == 4
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels, expected("YX", 1))
    (line,) = image.notices
    assert line.startswith("page 1 of 4 is used; ")
    for word in ("page", "axes='CYX'", "takes all as channels", "axes='ZYX'", "as slices"):
        assert word in str(ImageError(line))
    np.testing.assert_array_equal(decode_image(data, "x", Reading(axes="CYX")).pixels, expected("CYX", 1))
    volume = decode_image(data, "x", Reading(axes="ZYX"))
    assert volume.metadata["volume"] == (4, 18, 23)
    assert volume.pixels.shape == (72, 23, 1)
    assert count(data, "x", Reading(axes="TYX")) == 4
    np.testing.assert_array_equal(decode_image(data, "x", Reading(3, axes="TYX")).pixels[..., 0], part("CYX")[2])


def test_words_of_the_file_can_be_overruled() -> None:
    data = stored("TZYX", "imagej")
    image = decode_image(data, "x", Reading(axes="CTYX", page=2))  # what was T are channels, what was Z is time
    np.testing.assert_array_equal(image.pixels, np.moveaxis(part("TZYX")[:, 1], 0, -1))
    for axes in ("CYX", "TZXY", "TZCYX"):
        with pytest.raises(ImageError, match=r"does not fit 2 × 3 planes stored as YX; give 2 letters before YX"):
            decode_image(data, "x", Reading(axes=axes))


def test_a_single_page_may_have_other_axes_than_it_says() -> None:
    array = part("CYX")
    data = written(array, planarconfig="contig", photometric="minisblack", metadata=None)  # 4 rows, 23 bands
    with pytest.raises(ImageError, match="may be channels, slices or rows first"):
        decode_image(data, "x")
    np.testing.assert_array_equal(decode_image(data, "x", Reading(axes="CYX")).pixels, expected("CYX", 1))
    assert decode_image(data, "x", Reading(axes="YXC")).pixels.shape == (4, 18, 23)
    assert count(data, "x", Reading(axes="TYX")) == 4
    np.testing.assert_array_equal(decode_image(data, "x", Reading(2, axes="TYX")).pixels[..., 0], array[1])


def test_channels_are_chosen_before_they_are_decoded() -> None:
    data = stored("TCYX", "ome")
    image = decode_image(data, "x", Reading(2, channels=(3, 1), max_memory=1))
    np.testing.assert_array_equal(image.pixels, expected("TCYX", 2)[..., [2, 0]])
    assert (image.channels, image.colour) == ((3, 1), "bands")
    assert decode_image(data, "x", Reading(2, channels=(2,))).colour == "gray"
    with pytest.raises(UsageError, match="has 4 channels"):
        decode_image(data, "x", Reading(channels=(5,)))


def test_names_of_channels() -> None:
    names = ["DAPI", "GFP & more", "Cy5", "µ"]
    data = written(
        part("TCYX"), ome=True, photometric="minisblack", metadata={"axes": "TCYX", "Channel": {"Name": names}}
    )
    image = decode_image(data, "x", Reading(1))
    assert image.channel_names == tuple(names)
    assert image.source["channel_names"] == names
    assert decode_image(data, "x", Reading(1, axes="TCYX")).channel_names == tuple(names)
    assert decode_image(data, "x", Reading(1, axes="CTYX")).channel_names == ()
    chosen = decode_image(data, "x", Reading(1, channels=("Cy5", "DAPI")))
    assert (chosen.channels, chosen.channel_names) == ((3, 1), ("Cy5", "DAPI"))
    np.testing.assert_array_equal(chosen.pixels, expected("TCYX", 1)[..., [2, 0]])
    labels = [f"{c} t{t}" for t in range(2) for c in "abcd"]
    data = written(part("TCYX"), imagej=True, metadata={"axes": "TCYX", "Labels": labels})
    assert decode_image(data, "x", Reading(2)).channel_names == ("a t0", "b t0", "c t0", "d t0")
    gdal = (
        "<GDALMetadata>"
        + "".join(f'<Item name="DESCRIPTION" sample="{b}" role="description">B{b + 2}</Item>' for b in range(4))
        + "</GDALMetadata>"
    )
    data = written(np.moveaxis(part("CYX"), 0, 2), planarconfig="contig", photometric="minisblack",
                   extratags=[(42112, "s", 0, gdal)])  # fmt: skip
    assert decode_image(data, "x").channel_names == ("B2", "B3", "B4", "B5")
    assert decode_image(data, "x", Reading(channels=("B4",))).channel_names == ("B4",)


def test_several_series_and_reduced_copies() -> None:
    buffer = io.BytesIO()
    grey = part("YX")
    with tifffile.TiffWriter(buffer, ome=True) as file:
        for array, name in ((part("CYX"), "cells"), (grey, "overview")):
            file.write(
                array, subifds=1, metadata={"axes": "CYX"[-array.ndim :], "Name": name}, photometric="minisblack"
            )
            file.write(array[..., ::2, ::2], subfiletype=1, photometric="minisblack")
    data = buffer.getvalue()
    assert count(data, "x", Reading()) == 2
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels, expected("CYX", 1))
    assert [line.partition(";")[0] for line in image.notices] == [
        "image 1 of 2 is used",
        "smaller copies of the image (2) are not used",
    ]
    np.testing.assert_array_equal(decode_image(data, "x", Reading(2)).pixels[..., 0], grey)
    np.testing.assert_array_equal(
        decode_image(data, "x", Reading(3)).pixels, part("CYX")[:, ::2, ::2].transpose(1, 2, 0)
    )
    np.testing.assert_array_equal(decode_image(data, "x", Reading(4)).pixels[..., 0], grey[::2, ::2])
    assert decode_image(data, "x", Reading(4)).notices == ()
    with pytest.raises(ImageError, match="there is no page 5"):
        decode_image(data, "x", Reading(5))


def test_overviews_of_a_plain_file_are_said() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(part("YX"), photometric="minisblack", metadata=None)
        file.write(part("YX")[::2, ::2], subfiletype=1, photometric="minisblack", metadata=None)
    image = decode_image(buffer.getvalue(), "x")
    (line,) = image.notices
    assert "smaller copies of the image (1) are not used" in line
    assert "page=2 takes it" in str(ImageError(line))
    assert count(buffer.getvalue(), "x", Reading()) == 1
    assert decode_image(buffer.getvalue(), "x", Reading(2)).shape == (9, 12)


def test_sizes_of_pixels_come_from_the_first_page() -> None:
    data = written(part("TZYX"), ome=True, photometric="minisblack", metadata={
        "axes": "TZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25,
        "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 2, "PhysicalSizeZUnit": "µm"})  # fmt: skip
    for page in (1, 2):
        size = decode_image(data, "x", Reading(page)).pixel_size
        assert size is not None
        assert (size.lengths, size.unit) == ((2, 0.25, 0.5), "µm")


def test_memory_is_judged_for_all_planes_together() -> None:
    data = stored("ZCYX", "imagej")
    need = 18 * 23 * 3
    decode_image(data, "x", Reading(max_pixels=need))
    with pytest.raises(ImageError, match=r"23 × 54 pixels are more than 1,241"):
        decode_image(data, "x", Reading(max_pixels=need - 1))


@pytest.mark.parametrize(
    "text",
    [
        "ImageJ=1.53\nimages=99999999999\nchannels=3\nslices=33333333333\n",
        "ImageJ=1.53\nimages=0\nchannels=-3\n",
        '<OME><Image><Pixels SizeX="9" SizeY="9" SizeC="99999" SizeT="99999" SizeZ="99999"/></Image></OME>',
        "<OME><Image></OME>",
        "<OME/>",
        '{"shape": [99999, 99999, 18, 23], "axes": "TCYX"}',
        '{"shape": [4',
    ],
)
def test_words_that_make_no_sense_leave_the_pages(text: str) -> None:
    data = written(part("CYX"), photometric="minisblack", metadata=None, description=text)
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels[:18, :, :1], expected("YX", 1))
    assert image.shape == (18, 23)
    assert any("does not fit" in line for line in image.notices) == (
        text.startswith(("ImageJ", "<OME>")) or '"axes"' in text
    )


def test_planes_in_other_files_are_asked_for() -> None:
    plane = Plane(8)
    series = Series("C", (2,), (plane, None), told=True)
    assert series.grid(1).tolist() == [[0, 1]]
    data = stored("CYX", "ome").replace(b'FirstC="', b'FirstX="')
    assert isinstance(decode_image(data, "x"), Image)


def test_holdings_are_counted() -> None:
    found = holdings_of(stored("TZCYX", "ome"))
    assert (found.images, found.copies, found.series[0].axes, found.series[0].told) == (2, 0, "TZC", True)
    with pytest.raises(IndexError):
        found.find(3)


def test_an_ome_file_of_several_says_so() -> None:
    data = stored("CYX", "ome")
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        words = file.pages.first.description
    own = words.partition('UUID="')[2].partition('"')[0]
    uuids = [own, "urn:uuid:00000000-0000-0000-0000-000000000001"]
    planes = "".join(
        f'<TiffData IFD="{c % 2}" FirstC="{c}" PlaneCount="1"><UUID FileName="{"ab"[c // 2]}.ome.tif">{uuids[c // 2]}'
        "</UUID></TiffData>"
        for c in range(4)
    )
    words = words[: words.index("<TiffData")] + planes + words[words.index("</Pixels>") :]
    two = written(part("CYX")[:2], photometric="minisblack", metadata=None, description=words)
    with pytest.raises(ImageError, match="some of its planes are in other files; save all of them in one"):
        decode_image(two, "x")
    image = decode_image(two, "x", Reading(channels=(2, 1)))
    np.testing.assert_array_equal(image.pixels, expected("CYX", 1)[..., [1, 0]])


def test_slides_of_aperio_and_overviews_with_masks() -> None:
    rng = np.random.default_rng(0)
    slide, inside = rng.integers(0, 255, (64, 80, 3), np.uint8), np.ones((64, 80), bool)
    inside[:9] = False
    words = "Aperio Image Library v11\r\n80x64 [0,0 80x64] (16x16) RAW|AppMag = 20"
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(slide, tile=(16, 16), photometric="rgb", metadata=None, description=words)
        file.write(slide[::4, ::4], photometric="rgb", metadata=None, description=words)
        file.write(slide[::2, ::2], tile=(16, 16), photometric="rgb", metadata=None, description=words)
        file.write(
            slide[:20, :20], photometric="rgb", metadata=None, description="Aperio\r\nlabel 20x20", subfiletype=1
        )
    data = buffer.getvalue()
    assert count(data, "x", Reading()) == 3  # the slide, its thumbnail and its label
    image = decode_image(data, "x")
    np.testing.assert_array_equal(image.pixels, slide)
    assert len(image.notices) == 2
    np.testing.assert_array_equal(decode_image(data, "x", Reading(4)).pixels, slide[::2, ::2])
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(slide, photometric="rgb", metadata=None)
        file.write(inside, photometric="mask", subfiletype=4, metadata=None)
        file.write(slide[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
        file.write(inside[::2, ::2], photometric="mask", subfiletype=5, metadata=None)
    data = buffer.getvalue()
    assert count(data, "x", Reading()) == 1
    for page, step in ((1, 1), (2, 2)):
        image = decode_image(data, "x", Reading(page))
        np.testing.assert_array_equal(image.pixels, slide[::step, ::step])
    np.testing.assert_array_equal(decode_image(data, "x").valid, inside)
    with pytest.raises(ImageError, match="there is no page 3"):
        decode_image(data, "x", Reading(3))


@pytest.mark.parametrize("axes", ["TZC", "CZT", "ZTC", "TCZ", "CSZ", "ECZ", "PTZC", "", "T"])
def test_the_grid_of_an_image_is_that_of_its_arrangement(axes: str) -> None:
    """By brute force: the numbers of all planes, arranged as an array would be."""
    lengths = tuple(range(2, 2 + len(axes)))
    series = Series(axes, lengths, [], told=True)
    numbers = np.arange(int(np.prod(lengths))).reshape(*lengths, 1, 1)
    for image in range(1, series.images + 1):
        np.testing.assert_array_equal(series.grid(image), series.arrangement.ordered(numbers, image)[:, 0, 0])


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}, {"bigtiff": True, "byteorder": ">"}])
def test_short_tags_are_those_of_the_directory(options: dict[str, Any]) -> None:
    data = written(part("CYX"), photometric="minisblack", metadata=None, **options)
    for offset in page_offsets(data):
        page, codes = directory_at(data, offset), (256, 257, 258, 277, 273)
        found = {code: value for code, _, _, value in short_tags(data, offset, codes)}
        assert found.keys() == {code for code in codes if code in page.entries}
        order, size = "little" if data[:1] == b"I" else "big", 8 if "bigtiff" in options else 4
        for code, value in found.items():
            raw = value.to_bytes(size, order)[: {3: 2, 4: 4, 16: 8}[page.entries[code].kind]]
            assert int.from_bytes(raw, order) == page.number(code, 0)


GOOD = (
    stored("TZCYX", "imagej"),
    stored("TZCYX", "ome"),
    stored("ZCYX", "shaped"),
    written(part("CYX"), imagej=True, truncate=True, metadata={"axes": "CYX"}),
)


@given(st.sampled_from(GOOD), st.sampled_from(["", "CYX", "ZCYX", "CTZYX"]), st.data())
def test_damage_is_one_line(image_or_one_line: Any, good: bytes, axes: str, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(4, 2500))] = data.draw(st.sampled_from(b'\0\1\xff09"=<'))
    cut = data.draw(st.integers(8, len(good)))
    how = Reading(data.draw(st.integers(0, 3)), max_pixels=10**6, axes=axes)
    with image_or_one_line():
        decode_image(bytes(damaged[:cut]), "x", how)


@pytest.mark.parametrize("axes", ["ZYX", "CZYX"])
def test_words_that_colours_do_not_fit_are_said(axes: str) -> None:
    """Three slices that their writer stored as red, green and blue: neither is certain, so a line says it."""
    array = np.ascontiguousarray(FULL[:, :3, :3, ..., 0][0].transpose(1, 0, 2, 3)[:, : 3 if axes == "CZYX" else 1])
    array = array if axes == "CZYX" else array[:, 0]
    how = {"photometric": "rgb", "planarconfig": "separate"}
    image = decode_image(written(array, metadata={"axes": axes}, **how), "x")
    assert any("does not fit" in line for line in image.notices)
    assert image.metadata["volume"] == (3, 18, 23)


def test_slices_and_times_that_tifffile_stores_as_colours() -> None:
    """An array whose first axis is 3 long is stored as red, green and blue unless its writer forbids it."""
    volume = np.ascontiguousarray(FULL[0, :3, 0, :, :, 0]).astype(np.uint8)
    colours = {"photometric": "rgb", "planarconfig": "separate"}  # as tifffile has chosen by itself
    guessed = decode_image(written(volume, **colours), "x")
    assert guessed.colour == "rgb"
    (line,) = map(for_python, guessed.notices)
    assert "3 planes are taken as red, green and blue, as tifffile has stored them; axes='ZYX' takes them" in line
    assert (
        "features='bands'" in decode_image(written(volume, **colours), "x", Reading(fourth=Fourth("", True))).notices[0]
    )
    said = decode_image(written(volume, **colours), "x", Reading(axes="ZYX"))
    np.testing.assert_array_equal(said.pixels, volume.reshape(-1, 23, 1))
    assert said.metadata["volume"] == volume.shape
    assert not said.notices
    both = np.stack([volume, volume[::-1]])
    for data, how in (
        (written(both, metadata={"axes": "TZYX"}, **colours), Reading(page=2)),
        (written(both, **colours), Reading(page=2, axes="TZYX")),
    ):
        assert count(data, "x", how) == 2
        np.testing.assert_array_equal(decode_image(data, "x", how).pixels, volume[::-1].reshape(-1, 23, 1))
    times = written(volume, metadata={"axes": "TYX"}, **colours)
    assert count(times, "x", Reading()) == 3
    np.testing.assert_array_equal(decode_image(times, "x", Reading(page=3)).pixels[..., 0], volume[2])
    plain = decode_image(written(np.moveaxis(volume, 0, -1), photometric="rgb"), "x")
    assert not plain.notices


def test_axes_take_no_pages_of_several_sizes_together() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for array in (part("YX"), part("YX")[:9]):
            writer.write(array, photometric="minisblack", metadata=None)
    with pytest.raises(ImageError, match=r"its 2 pages have several sizes or types, so .*CYX.* takes none together"):
        decode_image(buffer.getvalue(), "x", Reading(axes="CYX"))


def test_axes_that_a_user_gives_leave_no_doubt() -> None:
    """Of slices that are stored as colours: the colours are taken, and nothing is left to say."""
    volume = np.ascontiguousarray(FULL[0, :3, 0, :, :, 0]).astype(np.uint8)
    data = written(volume, photometric="rgb", planarconfig="separate", metadata={"axes": "ZYX"})
    image = decode_image(data, "x", Reading(axes="SYX"))
    assert (image.colour, image.notices) == ("rgb", ())
