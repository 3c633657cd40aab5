"""Files below 4 MB that may take a reader long: valid ones with parts grown, and structures of many or deep parts."""

from __future__ import annotations

import gzip
import io
import struct
from contextlib import suppress

import numpy as np
import PIL.Image
import tifffile

LARGEST = 3_900_000
#: What texts are made of: each repeated may cost a parser the square of the length.
WORDS = (
    b" ",
    b"{",
    b"a={",
    b"=",
    b"<a>",
    b"\n",
    b"\t\n",
    b"1",
    b"-1 ",
    b"9e9,",
    b"#\n",
    b"\0",
    b"\xff",
    b"((",
    b"[",
    b"k = v\n",
)
#: Numbers that a field may be overwritten with.
NUMBERS = (0, 1, 2, 7, 255, 256, 4095, 32767, 65535, 65536, 1_000_000, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
ENVI = (
    b"ENVI\nsamples = 50\nlines = 40\nbands = 1\nheader offset = 0\ndata type = 1\ninterleave = bsq\nbyte order = 0\n"
)
MHA = b"ObjectType = Image\nNDims = 2\nDimSize = 50 40\nElementType = MET_UCHAR\n"
NRRD = b"NRRD0005\ntype: uchar\ndimension: 2\nsizes: 50 40\nencoding: raw\n"


def small_files() -> dict[str, bytes]:
    """A small valid file of each format, by the name that tells its format."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 50, 3), np.uint8)
    grey = pixels[..., 0]
    found = {}
    kinds = {"PNG": {}, "JPEG": {"progressive": True}, "GIF": {}, "BMP": {}, "WEBP": {}, "AVIF": {}, "PPM": {}}
    for kind, options in (kinds | {"JPEG2000": {}, "TIFF": {}, "JPEG ": {"quality": 95}}).items():
        buffer = io.BytesIO()
        with suppress(KeyError, OSError):  # of Pillow without a codec
            PIL.Image.fromarray(pixels).save(buffer, kind.strip(), **options)
            found[kind.strip().lower() + ("s" if kind[-1] == " " else "")] = buffer.getvalue()
    buffer = io.BytesIO()
    frames = [PIL.Image.fromarray(grey // (i + 1)) for i in range(3)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    found["frames"] = buffer.getvalue()
    for name, compression in (("lzw", "tiff_lzw"), ("jpegtiff", "jpeg"), ("packbits", "packbits"), ("zstd", "zstd")):
        buffer = io.BytesIO()
        with suppress(OSError):
            PIL.Image.fromarray(pixels).save(buffer, "TIFF", compression=compression)
            found[name] = buffer.getvalue()
    buffer = io.BytesIO()
    PIL.Image.fromarray(grey > 99).save(buffer, "TIFF", compression="group4")
    found["fax"] = buffer.getvalue()
    written = {
        "tiles": (pixels.astype(np.uint16), {"photometric": "rgb", "tile": (16, 16), "compression": "zlib"}),
        "floats": (grey.astype(np.float32), {"compression": "zlib", "predictor": True}),
        "ome": (np.stack([grey] * 6), {"ome": True, "metadata": {"axes": "CYX"}}),
        "imagej": (np.stack([grey] * 6), {"imagej": True, "metadata": {"axes": "ZYX"}}),
        "big": (grey, {"bigtiff": True}),
    }
    for name, (array, options) in written.items():
        buffer = io.BytesIO()
        with suppress(ImportError, ValueError, KeyError):  # without imagecodecs
            tifffile.imwrite(buffer, array, **options)
            found[name] = buffer.getvalue()
    found |= {"nrrd": NRRD + b"\n" + grey.tobytes(), "mha": MHA + b"ElementDataFile = LOCAL\n" + grey.tobytes()}
    found["pgm"] = b"P2\n50 40\n255\n" + b" ".join(b"%d" % value for value in grey.ravel())
    found["pam"] = b"P7\nWIDTH 50\nHEIGHT 40\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n" + grey.tobytes()
    found["pfm"] = b"Pf\n50 40\n-1.0\n" + grey.astype("<f4").tobytes()
    found["pbm"] = b"P1\n50 40\n" + b" ".join(b"%d" % (value > 99) for value in grey.ravel())
    buffer = io.BytesIO()
    np.save(buffer, grey)
    found["npy"] = buffer.getvalue()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=grey, b=pixels)
    found["npz"] = buffer.getvalue()
    found["hdr"] = ENVI + b"map info = {UTM, 1, 1, 500000, 5000000, 30, 30, 33, North, WGS-84}\n"
    with suppress(ImportError):
        import nibabel

        found["nii"] = bytes(nibabel.Nifti1Image(grey[:, :, None], np.eye(4)).to_bytes())
        found["nii.gz"] = gzip.compress(found["nii"])
    with suppress(ImportError):
        from tests.image.formats.medical.test_dicom import dicom

        found["dcm"] = dicom(grey)
    return found


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """The file with fields overwritten, parts repeated, or long texts put in; below `LARGEST`."""
    broken = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        head = min(len(broken), 400) if rng.random() < 0.8 else len(broken)
        at, room = int(rng.integers(4, max(head, 5))), LARGEST - len(broken)
        choice = rng.integers(4)
        if choice == 0:
            order, size = "<>"[rng.integers(2)], (1, 2, 4, 8)[rng.integers(4)]
            number = int(rng.choice(NUMBERS)) % (1 << 8 * size)
            broken[at : at + size] = struct.pack(order + "BHIQ"[size.bit_length() - 1], number)
        elif choice == 1:
            word = WORDS[rng.integers(len(WORDS))]
            broken[at:at] = word * int(room * rng.choice([0.001, 0.02, 0.5, 1]) / len(word))
        elif choice == 2:
            part = bytes(broken[at : at + int(rng.choice([1, 4, 12, 40, 200, 2000]))])
            broken[at:at] = part * int(room * rng.choice([0.001, 0.02, 0.5, 1]) / max(len(part), 1))
        else:
            broken[at] = rng.integers(256)
    return bytes(broken)
