"""Files below 4 MB of many or deep parts: chunks, tags, pages, scans, members, brackets and lines."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import PIL.Image
import tifffile

from tests.image.damage.grown_files import ENVI, LARGEST, MHA, NRRD, small_files


def filled(head: bytes, part: bytes, tail: bytes = b"") -> bytes:
    """As many of the part as there is room for."""
    return head + part * ((LARGEST - len(head) - len(tail)) // len(part)) + tail


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _in_png(part: bytes) -> bytes:
    png = small_files()["png"]
    return filled(png[:33], part, png[33:])


def _split_png() -> bytes:
    """A PNG of one byte in each IDAT."""
    rows = zlib.compress(np.random.default_rng(0).integers(0, 256, (500, 601), np.uint8).tobytes()[1:] + b"\0", 0)
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 600, 500, 8, 0, 0, 0, 0))
    return head + b"".join(_chunk(b"IDAT", rows[i : i + 1]) for i in range(len(rows))) + _chunk(b"IEND", b"")


def _scans() -> bytes:
    """A progressive JPEG of 4000 × 4000 pixels with a scan for every few bytes."""
    buffer = io.BytesIO()
    PIL.Image.new("L", (4000, 4000), 7).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    scan = data[last : last + 2 + int.from_bytes(data[last + 2 : last + 4], "big") + 2]
    return filled(data[:-2], scan, b"\xff\xd9")


def _many_directories(next_is_same: bool = False) -> bytes:
    """A TIFF of pages of 1 × 1 pixel; or one whose directories go round."""
    tags = (
        (256, 4, 1, 1),
        (257, 4, 1, 1),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 1),
    )
    size, found = 2 + 12 * len(tags) + 4, [struct.pack("<2sHI", b"II", 42, 8)]
    for i in range((LARGEST - 8) // size):
        found.append(struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags))
        found.append(struct.pack("<I", 8 if next_is_same else 8 + (i + 1) * size))
    return b"".join(found)[:-4] + bytes(4)


def _shared_strips(compression: int, part: bytes, rows: int = 1, many: int = 100_000) -> bytes:
    """A TIFF whose strips are all the same bytes."""
    at = 8 + 2 + 12 * 9 + 4
    tags = [(256, 4, 1, 8), (257, 4, 1, rows * many), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]
    tags += [(273, 4, many, at), (277, 3, 1, 1), (278, 4, 1, rows), (279, 4, many, at + 4 * many)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    if many == 1:
        return (
            struct.pack("<2sHIH", b"II", 42, 8, len(tags))
            + b"".join(
                struct.pack("<HHII", code, kind, 1, {273: at, 279: len(part)}.get(code, value))
                for code, kind, _, value in tags
            )
            + bytes(4)
            + part
        )
    where = np.full(many, at + 8 * many, "<u4").tobytes() + np.full(many, len(part), "<u4").tobytes()
    return head + bytes(4) + where + part


def _jpeg_of_scans(side: int) -> bytes:
    scans, buffer = _scans(), io.BytesIO()
    PIL.Image.new("L", (8, side), 7).save(buffer, "JPEG", progressive=True)
    small = buffer.getvalue()
    last = scans.rindex(b"\xff\xda")
    return small[:-2] + scans[last:-2] * 200_000 + b"\xff\xd9"


def _three_scans() -> bytes:
    """A JPEG that is not progressive, of one scan for each component, the last again and again."""
    buffer = io.BytesIO()
    PIL.Image.new("YCbCr", (4000, 4000)).save(buffer, "JPEG", quality=50, subsampling=0)
    data = buffer.getvalue()
    scan = data.rindex(b"\xff\xda")
    alone = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + data[scan + 14 : -2][: 4000 * 4000 // 256]
    return filled(data[:scan], alone, b"\xff\xd9")


def _many_tags() -> bytes:
    tags = [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 64),
    ]
    tags += [(1000 + i % 64000, 3 + i % 2, 1, i) for i in range(65000)]
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)


def _described(text: bytes) -> bytes:
    """A TIFF whose description is a long text."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((6, 9, 9), np.uint8), description=text.decode("latin-1"), metadata=None)
    return buffer.getvalue()


def _members(count: int) -> bytes:
    buffer = io.BytesIO()
    array = io.BytesIO()
    np.save(array, np.zeros((2, 2), np.uint8))
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(count):
            archive.writestr(f"{i}.npy", array.getvalue())
    return buffer.getvalue()


def _npy(text: bytes) -> bytes:
    return b"\x93NUMPY\x02\0" + struct.pack("<I", len(text)) + text + bytes(100)


def _in_gif(part: bytes) -> bytes:
    gif = small_files()["frames"]
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)  # after the palette
    return filled(gif[:at], part, gif[at:])


OME = b'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
#: Structures of many or deep parts, by a name that tells the format.
STRUCTURES: dict[str, Callable[[], bytes]] = {
    "empty texts.png": lambda: _in_png(_chunk(b"tEXt", b"a\0b")),
    "packed texts.png": lambda: _in_png(_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000)))),
    "unknown chunks.png": lambda: _in_png(_chunk(b"abCd", b"")),
    "palettes.png": lambda: _in_png(_chunk(b"PLTE", bytes(768))),
    "single bytes.png": _split_png,
    "scans.jpg": _scans,
    "components.jpg": _three_scans,
    "markers.jpg": lambda: filled(b"\xff\xd8", b"\xff\xe1\0\x02", small_files()["jpegs"][2:]),
    "comments.jpg": lambda: filled(b"\xff\xd8", b"\xff\xfe\0\x03a", small_files()["jpegs"][2:]),
    "profiles.jpg": lambda: filled(b"\xff\xd8", b"\xff\xe2\0\x12ICC_PROFILE\0\1\1ab", small_files()["jpegs"][2:]),
    "fill.jpg": lambda: filled(b"\xff\xd8", b"\xff", small_files()["jpegs"][2:]),
    "restarts.jpg": lambda: filled(small_files()["jpegs"][:-2], b"\xff\xd0"),
    "comments.gif": lambda: _in_gif(b"\x21\xfe\1a\0"),
    "controls.gif": lambda: _in_gif(b"\x21\xf9\4\0\0\0\0\0"),
    "pictures.gif": lambda: _in_gif(b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"),
    "pages.tif": _many_directories,
    "round.tif": lambda: _many_directories(True),
    "tags.tif": _many_tags,
    "shared bytes.tif": lambda: _shared_strips(1, bytes(3_000_000)),
    "shared deflate.tif": lambda: _shared_strips(8, zlib.compress(bytes(3_000_000), 0)),
    "shared lzw.tif": lambda: _shared_strips(5, bytes([0x80]) + bytes(3_000_000)),
    "shared runs.tif": lambda: _shared_strips(32773, b"\x80" * 3_000_000),
    "shared jpeg.tif": lambda: _shared_strips(7, _jpeg_of_scans(8), 8),
    "shared fax.tif": lambda: _shared_strips(4, bytes(3_000_000)),
    "shared zstd.tif": lambda: _shared_strips(50000, bytes(3_000_000)),
    "one strip.tif": lambda: _shared_strips(7, _jpeg_of_scans(2000), 2000, 1),
    "deep.ome.tif": lambda: _described(OME + b"<a>" * 600_000 + b"</a>" * 400_000),
    "planes.ome.tif": lambda: _described(
        filled(
            OME + b'<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" SizeC="6" SizeT="1" SizeZ="1" SizeX="9" '
            b'SizeY="9" Type="uint8" ID="P:0">',
            b'<TiffData IFD="0"/><Channel ID="c"/>',
            b"</Pixels></Image></OME>",
        )[: LARGEST - 5000]
    ),
    "images.ome.tif": lambda: _described(filled(OME, b'<Image ID="i"><Pixels/></Image>', b"</OME>")[: LARGEST - 5000]),
    "names.ij.tif": lambda: _described(filled(b"ImageJ=1.53\nimages=6\nslices=6\n", b"a=1\n")[: LARGEST - 5000]),
    "shape.tif": lambda: _described(b'{"shape": ' + b"[" * 3_000_000),
    "lines.nrrd": lambda: filled(NRRD, b"a:=b\n", b"\n" + bytes(2000)),
    "fields.nrrd": lambda: filled(NRRD, b"units: a\n", b"\n" + bytes(2000)),
    "quotes.nrrd": lambda: filled(NRRD + b"labels: ", b'"\\" ', b"\n\n" + bytes(2000)),
    "numbers.nrrd": lambda: filled(NRRD + b"spacings: ", b"1 ", b"\n\n" + bytes(2000)),
    "lines.mha": lambda: filled(MHA, b"a = b\n", b"ElementDataFile = LOCAL\n" + bytes(2000)),
    "equals.mha": lambda: filled(MHA + b"a ", b"= ", b"\nElementDataFile = LOCAL\n" + bytes(2000)),
    "lines.hdr": lambda: filled(ENVI, b"a = b\n"),
    "lists.hdr": lambda: filled(ENVI, b"a = {1,\n"),
    "braces.hdr": lambda: filled(ENVI + b"a = ", b"{}"),
    "places.hdr": lambda: filled(ENVI + b"map info = {", b"UTM, ", b"}"),
    "waves.hdr": lambda: filled(ENVI + b"wavelength = {", b"1,", b"}"),
    "comments.pgm": lambda: filled(b"P5\n", b"#\n", b"50 40\n255\n" + bytes(2000)),
    "comments inside.pgm": lambda: filled(b"P2\n1300 1000\n255\n", b"1#\n"),
    "numbers.ppm": lambda: filled(b"P3\n800 800\n255\n", b"1 "),
    "zeros.pgm": lambda: filled(b"P2\n2 2\n255\n", b"0", b" 1 1 1"),
    "words.pam": lambda: filled(
        b"P7\nWIDTH 50\n", b"TUPLTYPE a\n", b"HEIGHT 40\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + bytes(2000)
    ),
    "bits.pbm": lambda: filled(b"P1\n1900 2000\n", b"1"),
    "members.npz": lambda: _members(15_000),
    "deep.npy": lambda: _npy(b"{'descr': " + b"(" * 1_000_000),
    "list.npy": lambda: _npy(b"{'descr': [" + b"('a','<f4')," * 200_000 + b"], 'fortran_order': False, 'shape': (2,)}"),
    "minus.npy": lambda: _npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"-" * 60_000 + b"1,)}"),
    "shape.npy": lambda: _npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1," * 1_000_000 + b")}"),
    "members.nii.gz": lambda: filled(small_files().get("nii.gz", b"\x1f\x8b"), gzip.compress(b"")),
    "one byte members.nii.gz": lambda: b"".join(gzip.compress(bytes([value])) for value in _volume()),
    "extensions.nii": lambda: _extended(),
    "boxes.jp2": lambda: filled(small_files()["jpeg2000"][:32], b"\0\0\0\x08free", small_files()["jpeg2000"][32:]),
    "nested boxes.jp2": lambda: (
        small_files()["jpeg2000"][:32] + b"".join(struct.pack(">I", LARGEST - 8 * i) + b"uinf" for i in range(480_000))
    ),
    "boxes.avif": lambda: filled(
        small_files().get("avif", b"")[:32], b"\0\0\0\x08free", small_files().get("avif", b"")[32:]
    ),
    "chunks.webp": lambda: _riff(filled(small_files()["webp"][:12], b"abcd\0\0\0\0", small_files()["webp"][12:])),
    "runs.bmp": lambda: _runs(),
    "elements.dcm": lambda: _in_dicom(struct.pack("<HH2sH", 0x0009, 0x1001, b"LO", 0)),
    "sequences.dcm": lambda: _in_dicom(
        struct.pack("<HH2sHIHHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    ),
}


def _volume() -> bytes:
    return small_files().get("nii", bytes(2))[:2352] + bytes(150_000)


def _extended() -> bytes:
    data = small_files().get("nii", bytes(400))
    head = bytearray(data[:348] + b"\1\0\0\0")
    parts = struct.pack("<II", 16, 6) + bytes(8)
    count = (LARGEST - 4000) // 16
    struct.pack_into("<f", head, 108, 352 + 16 * count)
    return bytes(head) + parts * count + data[352:]


def _riff(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _runs() -> bytes:
    """Run lengths of no pixels in a BMP of 8 bits."""
    head = struct.pack("<2sIHHI", b"BM", LARGEST, 0, 0, 14 + 40 + 1024)
    head += struct.pack("<IiiHHIIiiII", 40, 5000, 5000, 1, 8, 1, 0, 1, 1, 256, 0) + bytes(1024)
    return filled(head, b"\1\7")


def _in_dicom(part: bytes) -> bytes:
    data = small_files().get("dcm", b"")
    at = data.find(struct.pack("<HH", 0x0008, 0x0016))
    return filled(data[:at], part, data[at:])
