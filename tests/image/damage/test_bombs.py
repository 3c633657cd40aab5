"""Small files that would take gigabytes or minutes: refused, or read within the memory that is allowed."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.image.limits import Reading
from emseg.image.read import decode_image

ROOT = Path(__file__).parents[3]
ALLOWED = 200 << 20  # bytes
SHARE = 1.1  # of what is allowed, which a run may take
SECONDS = 10  # of the processor, for a file below 4 MB

MEASURE = """
import sys
import emseg.image.formats.tiff, emseg.image.series.tiff_image, tifffile, PIL.Image
from emseg.image.limits import Reading
from emseg.image.read import read_image
def peak(): return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) << 10
before = peak()
try:
    read_image(sys.argv[1], Reading(max_memory=int(sys.argv[2])))
    print("read", peak() - before)
except Exception as error:
    print(type(error).__name__, peak() - before)
"""


def tags_on_one_another() -> bytes:
    """A TIFF of 8 × 8 floats with 3,000 tags that point to the same megabyte."""
    many, size = 3000, 1 << 20
    start = 8 + 2 + 12 * (10 + many) + 4
    tags = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 32), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, start)]
    tags += [(277, 3, 1, 1), (278, 4, 1, 8), (279, 4, 1, 256), (339, 3, 1, 3)]
    tags += [(40000 + i, 12, size // 8, start) for i in range(many)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return head + bytes(4 + size)


def offsets_without_end() -> bytes:
    """A TIFF of 8 × 8 pixels with a million strips."""
    many = 1 << 20
    tags = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1), (273, 4, many, 200)]
    tags += [(277, 3, 1, 1), (278, 4, 1, 1), (279, 4, many, 200)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return head.ljust(200, b"\0") + bytes(4 * many)


def flat_tiff(compression: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("L", (9000, 9000)).save(buffer, "TIFF", compression=compression)
    return buffer.getvalue()


def far_voxels() -> bytes:
    nibabel = pytest.importorskip("nibabel")
    data = bytearray(nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)).to_bytes())
    struct.pack_into("<f", data, 108, 1e9)
    return gzip.compress(bytes(data) + bytes(1 << 28))


def claiming(kind: str, mark: bytes, at: int, order: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("P" if kind == "GIF" else "L", (16, 16), 1).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    struct.pack_into(order + "HH", data, data.index(mark) + at, 20000, 20000)
    return bytes(data)


def text_in_png() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("L", (16, 16)).save(buffer, "PNG")
    name, packed = b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << 28))
    chunk = struct.pack(">I", len(packed)) + name + packed + struct.pack(">I", zlib.crc32(name + packed))
    return buffer.getvalue()[:33] + chunk + buffer.getvalue()[33:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "tags.tif": tags_on_one_another,
    "strips.tif": offsets_without_end,
    "lzw.tif": lambda: flat_tiff("tiff_lzw"),
    "zstd.tif": lambda: flat_tiff("zstd"),
    "deflate.tif": lambda: flat_tiff("tiff_adobe_deflate"),
    "far.nii.gz": far_voxels,
    "digits.pgm": lambda: b"P2\n900 900\n255\n" + b"1" * 20000 + b" 1" * (900 * 900 - 1),
    "claims.jpg": lambda: claiming("JPEG", b"\xff\xc0", 5, ">"),
    "claims.gif": lambda: claiming("GIF", b"GIF", 6, "<"),
    "text.png": text_in_png,
    "more.nrrd": lambda: (
        b"NRRD0005\ntype: uchar\ndimension: 2\nsizes: 9 9\nencoding: gzip\n\n" + gzip.compress(bytes(1 << 28))
    ),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see the peak of a process")
@pytest.mark.parametrize("name", BOMBS)
def test_memory_stays_within_what_is_allowed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name]())
    command = [sys.executable, "-c", MEASURE, str(path), str(ALLOWED)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    outcome, peak = done.stdout.split()
    assert outcome in ("read", "ImageError")
    assert int(peak) < SHARE * ALLOWED + 2 * path.stat().st_size


@pytest.mark.parametrize("name", ["tags.tif", "strips.tif", "digits.pgm", "claims.jpg", "claims.gif"])
def test_they_are_read_or_refused(name: str, image_or_one_line: Any) -> None:
    with image_or_one_line():
        decode_image(BOMBS[name](), name, Reading(max_memory=ALLOWED))


def damaged() -> dict[str, bytes]:
    """A small file of many formats."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 50, 3), np.uint8)
    found = {}
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM", "TIFF", "JPEG2000"):
        buffer = io.BytesIO()
        PIL.Image.fromarray(pixels).save(buffer, kind)
        found[kind] = buffer.getvalue()
    for name, options in (("lzw", {"compression": "tiff_lzw"}), ("jpeg", {"compression": "jpeg"})):
        buffer = io.BytesIO()
        PIL.Image.fromarray(pixels).save(buffer, "TIFF", **options)
        found[name] = buffer.getvalue()
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels.astype(np.uint16), photometric="rgb", tile=(16, 16), compression="zlib")
    found["tiles"] = buffer.getvalue()
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.stack([pixels[..., 0]] * 6), ome=True, metadata={"axes": "CYX"})
    found["ome"] = buffer.getvalue()
    found["nrrd"] = b"NRRD0005\ntype: uchar\ndimension: 2\nsizes: 50 40\nencoding: raw\n\n" + pixels[..., 0].tobytes()
    head = b"ObjectType = Image\nNDims = 2\nDimSize = 50 40\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    return found | {"mha": head + pixels[..., 0].tobytes()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", damaged())
def test_no_damage_takes_long(kind: str, image_or_one_line: Any) -> None:
    rng, data = np.random.default_rng(1), damaged()[kind]
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(4, min(len(data), 400) if rng.random() < 0.7 else len(data), rng.integers(1, 5)):
            broken[at] = rng.integers(0, 256)
        start = process_time()
        with image_or_one_line():
            decode_image(bytes(broken), "x", Reading(max_memory=ALLOWED))
        assert process_time() - start < SECONDS
