"""Pages that are more than numbers in rows: palettes, inks, YCbCr, streams, strips left out."""

from __future__ import annotations

import io
import struct
import sys
import zlib

import numpy as np
import PIL.Image
import pytest

from emseg.errors import ImageError
from emseg.image.read import decode_image
from tests.image.strips.tiff_files import COMPRESSIONS, Kind, assembled, compressed, samples_of, tiff

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
Tags = dict[int, tuple[str, list[int]]]


def page(
    height: int, width: int, samples: int, segments: list[bytes], rows: int, **more: tuple[str, list[int]]
) -> bytes:
    """A page of 8 bits; `more` are tags by their number, as `t262`."""
    tags: Tags = {256: ("I", [width]), 257: ("I", [height]), 258: ("H", [8] * samples), 259: ("H", [1])}
    tags |= {262: ("H", [1]), 273: ("I", [0] * len(segments)), 277: ("H", [samples]), 278: ("I", [rows])}
    tags |= {279: ("I", [len(segment) for segment in segments])}
    return assembled(tags | {int(code[1:]): value for code, value in more.items()}, segments)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("compression", ["none", "lzw", "deflate"])
@pytest.mark.parametrize("alpha", [False, True])
def test_palettes(bits: int, compression: str, alpha: bool) -> None:
    kind = Kind(f"u{bits // 8}" if bits > 4 else f"b{bits}", 2 if alpha else 1, compression)
    stored = samples_of(kind)
    for step, dtype in ((1, np.uint16), (257, np.uint8), (256, np.uint8)):
        colours = RNG.integers(0, 65536 // step, (1 << bits, 3)) * step
        colours[0] = 255 * step
        tags: Tags = {262: ("H", [3]), 320: ("H", colours.T.ravel().tolist())}
        image = decode_image(tiff(kind, stored, tags | ({338: ("H", [2])} if alpha else {})), "x")
        expected = colours[stored[..., 0]] if dtype == np.uint16 else colours[stored[..., 0]] >> 8
        assert (image.colour, image.pixels.dtype) == ("rgb", dtype)
        np.testing.assert_array_equal(image.pixels, expected)
        if alpha:
            np.testing.assert_array_equal(image.alpha == 0, stored[..., 1] == 0)
            assert image.valid is None or np.array_equal(image.valid, stored[..., 1] != 0)


def test_a_palette_of_unscaled_bytes_and_one_that_does_not_fit() -> None:
    kind = Kind("u1", 1, "none")
    stored, colours = samples_of(kind), RNG.integers(0, 256, (256, 3))
    tags: Tags = {262: ("H", [3]), 320: ("H", colours.T.ravel().tolist())}
    np.testing.assert_array_equal(decode_image(tiff(kind, stored, tags), "x").pixels, colours[stored[..., 0]])
    with pytest.raises(ImageError, match="the palette does not fit the samples"):
        decode_image(tiff(kind, stored, {**tags, 320: ("H", [0] * 30)}), "x")


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("planar", [False, True])
def test_inks_become_red_green_and_blue(dtype: str, planar: bool) -> None:
    kind = Kind(dtype, 4, "lzw", planar)
    stored, white = samples_of(kind), np.iinfo(dtype).max
    image = decode_image(tiff(kind, stored, {262: ("H", [5])}), "x")
    left = white - stored.astype(np.float64)
    assert (image.colour, image.pixels.dtype) == ("rgb", np.dtype(dtype))
    np.testing.assert_allclose(image.pixels, left[..., :3] * left[..., 3:] / white, rtol=0, atol=1)


@pytest.mark.parametrize("dtype", ["b1", "b4", "b12", "u1", "u2", "u4"])
def test_white_is_zero(dtype: str) -> None:
    kind = Kind(dtype, 1, "lzw")
    stored = samples_of(kind)
    image = decode_image(tiff(kind, stored, {262: ("H", [0])}), "x")
    scale = 255 // ((1 << kind.bits) - 1) if kind.bits < 8 else 1
    np.testing.assert_array_equal(image.pixels, ((1 << kind.bits) - 1 - stored.astype(np.uint64)) * scale)


@pytest.mark.parametrize("across", [1, 2, 4])
@pytest.mark.parametrize("down", [1, 2])
@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits"])
def test_luminance_and_colours_of_several_pixels(across: int, down: int, compression: str) -> None:
    height, width, rows = 16, 24, 8
    light = RNG.integers(30, 220, (height, width)).astype(np.uint8)
    colours = RNG.integers(90, 160, (height // down, width // across, 2)).astype(np.uint8)
    units = light.reshape(height // down, down, width // across, across).transpose(0, 2, 1, 3)
    units = np.concatenate([units.reshape(*colours.shape[:2], -1), colours], axis=2).reshape(height // down, -1)
    parts = [compressed(units[top : top + rows // down], compression) for top in range(0, height // down, rows // down)]
    code = COMPRESSIONS[compression]
    data = page(height, width, 3, parts, rows, t259=("H", [code]), t262=("H", [6]), t530=("H", [across, down]))
    blue, red = np.moveaxis(colours.repeat(down, 0).repeat(across, 1) - 128.0, 2, 0)
    expected = [light + 1.402 * red, light - 0.344136 * blue - 0.714136 * red, light + 1.772 * blue]
    image = decode_image(data, "x")
    assert image.colour == "rgb"
    np.testing.assert_allclose(image.pixels, np.clip(np.stack(expected, axis=-1), 0, 255), rtol=0, atol=1)


def smooth(height: int, width: int, samples: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([3 * x, 4 * y, 2 * (x + y), 2 * x + y][:samples], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("code", "kind", "options", "samples"),
    [
        (7, "JPEG", {"quality": 90}, 1),
        (7, "JPEG", {"quality": 90}, 4),
        (50001, "WEBP", {"lossless": True}, 3),
        (50001, "WEBP", {"lossless": True, "exact": True}, 4),
        (34933, "PNG", {}, 1),
        (34933, "PNG", {}, 2),
        (34933, "PNG", {}, 3),
        (34712, "JPEG2000", {"irreversible": False}, 1),
        (34712, "JPEG2000", {"irreversible": False}, 3),
    ],
)
def test_strips_that_are_images(code: int, kind: str, options: dict[str, object], samples: int) -> None:
    array, parts, expected = smooth(32, 40, samples), [], []
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "CMYK" if kind == "JPEG" else "RGBA"}[samples]
    for top in (0, 16):
        buffer = io.BytesIO()
        raw = np.ascontiguousarray(array[top : top + 16])
        PIL.Image.frombytes(mode, (40, 16), raw.tobytes()).save(buffer, kind, **options)
        parts.append(buffer.getvalue())
        expected.append(np.asarray(PIL.Image.open(buffer)).reshape(16, 40, samples))
    image = decode_image(page(32, 40, samples, parts, 16, t259=("H", [code])), "x")
    whole = np.concatenate(expected)
    if mode == "CMYK":  # Pillow turns Adobe's inks round
        whole = 255 - whole
    np.testing.assert_array_equal(image.pixels, whole)


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_faxes(compression: str) -> None:
    bits = RNG.random((19, 50)) < 0.3
    buffer = io.BytesIO()
    PIL.Image.fromarray(bits).save(buffer, "TIFF", compression=compression)
    np.testing.assert_array_equal(decode_image(buffer.getvalue(), "x").pixels[..., 0], 255 * bits)
    tagged = PIL.Image.open(io.BytesIO(buffer.getvalue())).tag_v2
    (start,), (count,) = tagged[273], tagged[279]
    part = buffer.getvalue()[start : start + count]
    more = {f"t{code}": ("I", [tagged[code]]) for code in (292, 293) if code in tagged}
    data = page(19, 50, 1, [part], 19, t258=("H", [1]), t259=("H", [tagged[259]]), t42113=("B", [ord("7")]), **more)
    turned = tagged[262] == 0
    np.testing.assert_array_equal(decode_image(data, "x").pixels[..., 0], 255 * (bits != turned))


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_faxes_that_end_early(compression: str, share: float) -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RNG.random((64, 64)) < 0.3).save(buffer, "TIFF", compression=compression)
    tagged = PIL.Image.open(io.BytesIO(buffer.getvalue())).tag_v2
    (start,), (count,) = tagged[273], tagged[279]
    part = buffer.getvalue()[start : start + int(share * count)]
    more = {f"t{code}": ("I", [tagged[code]]) for code in (292, 293) if code in tagged}
    with pytest.raises(ImageError, match=r"^x: damaged"):
        decode_image(page(64, 64, 1, [part], 64, t258=("H", [1]), t259=("H", [tagged[259]]), **more), "x")


@pytest.mark.parametrize("samples", [1, 3, 4])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 2}])
def test_streams_of_jpeg_that_end_early(samples: int, share: float, options: dict[str, object]) -> None:
    mode, photometric = {1: ("L", 1), 3: ("RGB", 6), 4: ("CMYK", 5)}[samples]
    whole, cut = [], []
    for _ in range(2):
        buffer = io.BytesIO()
        raw = RNG.integers(0, 256, (64, 64, samples), np.uint8).tobytes()
        PIL.Image.frombytes(mode, (64, 64), raw).save(buffer, "JPEG", **options)
        whole.append(buffer.getvalue())
        start = whole[-1].index(b"\xff\xda")
        cut.append(whole[-1][: start + int(share * (len(whole[-1]) - start))])
    tags: Tags = {"t259": ("H", [7]), "t262": ("H", [photometric])}  # type: ignore[dict-item]
    for end in (b"", b"\xff\xd9"):
        for parts in ([whole[0], cut[1] + end], [cut[0] + end, whole[1]]):
            with pytest.raises(ImageError, match=r"^x: damaged"):
                decode_image(page(128, 64, samples, parts, 64, **tags), "x")  # type: ignore[arg-type]
    assert decode_image(page(128, 64, samples, whole, 64, **tags), "x").shape == (128, 64)  # type: ignore[arg-type]
    buffer = io.BytesIO()
    PIL.Image.new(mode, (64, 64), 99).save(buffer, "JPEG", **options)
    flat = [buffer.getvalue()] * 2
    assert decode_image(page(128, 64, samples, flat, 64, **tags), "x").shape == (128, 64)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [34887, 50002, 34934])
def test_what_only_imagecodecs_reads(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    for samples in (1, 3):
        with pytest.raises(ImageError, match=r"^x: holds .*, which needs imagecodecs; pip install imagecodecs$"):
            decode_image(page(4, 4, samples, [bytes(99)], 4, t259=("H", [code])), "x")


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "f4"])
def test_lerc(dtype: str) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    array = RNG.integers(0, 100, (16, 24)).astype(dtype)
    tags: Tags = {"t258": ("H", [8 * array.dtype.itemsize]), "t339": ("H", [{"u": 1, "i": 2, "f": 3}[dtype[0]]])}
    part = imagecodecs.lerc_encode(array)
    np.testing.assert_array_equal(
        decode_image(page(16, 24, 1, [part], 16, t259=("H", [34887]), **tags), "x").pixels[..., 0], array
    )


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"t259": ("H", [32909])}, "PixarLog"),
        ({"t259": ("H", [12345])}, "compression 12345"),
        ({"t258": ("H", [17])}, "samples of 17 bits"),
        ({"t317": ("H", [7]), "t259": ("H", [8])}, "predictor 7"),
    ],
)
def test_what_is_not_read_is_named(tags: dict[str, tuple[str, list[int]]], words: str) -> None:
    data = page(4, 4, 1, [zlib.compress(bytes(64))], 4, **tags)
    with pytest.raises(ImageError, match=f"^x: holds {words}.*, which is not read; export it without compression"):
        decode_image(data, "x")


@pytest.mark.parametrize("compression", list(COMPRESSIONS))
@pytest.mark.parametrize("segments", ["strip", "strips", "tiles"])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_a_strip_that_ends_early_is_refused(compression: str, segments: str, dtype: str) -> None:
    kind = Kind(dtype, 1, compression, segments=segments)
    data = tiff(kind, samples_of(kind))
    count = 325 if segments == "tiles" else 279
    at = data.index(struct.pack("<HH", count, 4))
    (many, where) = struct.unpack_from("<II", data, at + 4)
    where = at + 8 if many == 1 else where
    (size,) = struct.unpack_from("<I", data, where)
    for less in (1, size // 2):
        short = data[:where] + struct.pack("<I", size - less) + data[where + 4 :]
        if compression in ("deflate", "lzw", "zstd", "lzma") and less == 1:
            continue  # the last byte may be a checksum, or a mark of the end
        with pytest.raises(ImageError, match=r"^x: damaged"):
            decode_image(short, "x")


@pytest.mark.parametrize("compression", ["none", "lzw"])
@pytest.mark.parametrize("planar", [False, True])
def test_strips_that_were_never_written_are_no_data(compression: str, planar: bool) -> None:
    kind = Kind("u2", 3, compression, planar)
    stored = samples_of(kind)
    data = tiff(kind, stored)
    for code in (273, 279):  # the second strip: rows 4 to 7
        at = data.index(struct.pack("<HH", code, 4))
        (where,) = struct.unpack_from("<I", data, at + 8)
        data = data[: where + 4] + bytes(4) + data[where + 8 :]
    image = decode_image(data, "x")
    inside = np.ones(stored.shape[:2], bool)
    inside[4:8] = False
    np.testing.assert_array_equal(image.valid, inside)
    np.testing.assert_array_equal(image.pixels[inside], stored[inside])


@pytest.mark.parametrize("compression", [1, 5, 7, 8])
def test_strips_that_share_more_bytes_than_they_hold_are_refused(compression: int) -> None:
    many, part = 100, bytes(200_000)
    tags: Tags = {256: ("I", [8]), 257: ("I", [many]), 258: ("H", [8]), 259: ("H", [compression]), 262: ("H", [1])}
    tags |= {273: ("I", [8] * many), 277: ("H", [1]), 278: ("I", [1]), 279: ("I", [len(part)] * many)}
    with pytest.raises(ImageError, match="strips or tiles lie on one another"):
        decode_image(shared(tags, part), "x")


def test_strips_of_one_colour_may_share_their_bytes() -> None:
    part = zlib.compress(bytes([7]) * 64 * 4096)
    tags: Tags = {256: ("I", [4096]), 257: ("I", [64 * 300]), 258: ("H", [8]), 259: ("H", [8]), 262: ("H", [1])}
    tags |= {273: ("I", [8] * 300), 277: ("H", [1]), 278: ("I", [64]), 279: ("I", [len(part)] * 300)}
    assert (decode_image(shared(tags, part), "x").pixels == 7).all()


def shared(tags: Tags, part: bytes) -> bytes:
    """A file whose strips all are the bytes behind its head."""
    at = 8 + len(part) + len(part) % 2
    page, values = struct.pack("<H", len(tags)), b""
    for code, (kind, numbers) in sorted(tags.items()):
        stored = np.asarray(numbers, {"H": "<u2", "I": "<u4"}[kind]).tobytes()
        where = at + 2 + 12 * len(tags) + 4 + len(values)
        page += struct.pack("<HHI", code, {"H": 3, "I": 4}[kind], len(numbers))
        page += stored.ljust(4, b"\0") if len(stored) <= 4 else struct.pack("<I", where)
        values += stored if len(stored) > 4 else b""
    return struct.pack("<2sHI", b"II", 42, at) + part.ljust(at - 8, b"\0") + page + bytes(4) + values
