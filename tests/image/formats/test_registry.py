"""What holds for every format: told by content, read as others wrote it, refused when cut short."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.errors import ImageError
from emseg.image.formats.registry import FORMATS, HEAD, VOLUMES, Format, format_of
from emseg.image.limits import Reading
from emseg.image.read import count_pages, read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (12, 17), dtype=np.uint8)
RGB = RNG.integers(0, 256, (12, 17, 3), dtype=np.uint8)
LOSSY = {"JPEG", "AVIF"}


def write(entry: Format, folder: Path) -> tuple[Path, np.ndarray]:
    """A file that another library wrote, and the pixels in it; every new format needs its own here."""
    path = folder / f"x{entry.suffixes[0] if entry.suffixes else ''}"
    match entry.name:
        case "TIFF":
            tifffile.imwrite(path, GREY)
        case "NPY":
            with open(path, "wb") as file:
                np.save(file, GREY)
        case "NPZ":
            with open(path, "wb") as file:
                np.savez(file, GREY)
        case "PBM":
            PIL.Image.fromarray(GREY > 127).save(path, "PPM")
            return path, np.uint8(255) * (GREY > 127)
        case "PNM":
            PIL.Image.fromarray(RGB).save(path, "PPM")
            return path, RGB
        case "GIF":
            PIL.Image.fromarray(GREY).save(path, "GIF")
            return path, np.stack([GREY] * 3, axis=-1)
        case "ENVI":
            path.write_text("ENVI\nsamples = 17\nlines = 12\nbands = 1\ndata type = 1\n")
            (folder / "x.img").write_bytes(GREY.tobytes())
        case "NIfTI":
            nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
            nibabel.save(nibabel.Nifti1Image(GREY.T[:, :, None], np.eye(4)), path)
        case "DICOM":
            path.write_bytes(dicom(GREY))
        case "NRRD":
            head = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 17 12\nencoding: raw\n\n"
            path.write_bytes(head.encode() + GREY.tobytes())
        case "MetaImage":
            head = "ObjectType = Image\nNDims = 2\nDimSize = 17 12\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
            path.write_bytes(head.encode() + GREY.tobytes())
        case name:
            PIL.Image.init()
            kind = name.upper().replace(" ", "")
            if kind not in PIL.Image.SAVE:
                pytest.skip(f"this Pillow does not write {name}")
            PIL.Image.fromarray(RGB).save(path, kind, **({"lossless": True} if kind == "WEBP" else {}))
            return path, RGB
    return path, GREY


def dicom(pixels: np.ndarray) -> bytes:
    """A secondary capture."""
    pydicom = pytest.importorskip("pydicom", reason="needs pydicom")
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


every_format = pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.name)


@every_format
def test_files_of_other_libraries_are_read_as_they_are(entry: Format, tmp_path: Path) -> None:
    path, pixels = write(entry, tmp_path)
    assert format_of(path.read_bytes()[:HEAD], str(path)) is entry
    image = read_image(path)
    assert image.pixels.dtype == np.uint8
    assert image.pixels.squeeze().shape == pixels.shape
    if entry.name not in LOSSY:
        np.testing.assert_array_equal(image.pixels.squeeze(), pixels)
    assert count_pages(path) == 1
    assert ("volume" in image.metadata) == entry.holds_volumes


@every_format
def test_a_file_cut_short_is_refused(entry: Format, tmp_path: Path) -> None:
    path, _ = write(entry, tmp_path)
    data = path.read_bytes()
    for length in (16, len(data) // 2):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match="; "):
            read_image(path)


@every_format
def test_palettes(entry: Format, tmp_path: Path) -> None:
    """Indices are told from colours; only formats with palettes have any."""
    path, _ = write(entry, tmp_path)
    if not entry.has_palette:
        assert entry.palette_indices(path.read_bytes()) is None
        return
    picture = PIL.Image.fromarray(GREY % 4)
    picture.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 99, 199])
    picture.save(path, entry.name)
    np.testing.assert_array_equal(entry.palette_indices(path.read_bytes()), GREY % 4)
    PIL.Image.fromarray(GREY).save(path, "PNG")
    assert FORMATS[0].palette_indices(path.read_bytes()) is None


def test_a_name_alone_tells_nothing() -> None:
    assert VOLUMES == (".nii", ".nii.gz")
    with pytest.raises(ImageError, match="not an image"):
        format_of(b"\x1f\x8b\x08\0", "x.gz")
    with pytest.raises(ImageError, match="not an image"):
        format_of(b"\0" * 16, "x.nii")
    with pytest.raises(ImageError, match="not an image"):
        format_of(b"RIFF\x24\0\0\0WAVEfmt ", "x.webp")
    with pytest.raises(ImageError, match="empty"):
        format_of(b"", "x.png")


@pytest.mark.parametrize("entry", [entry for entry in FORMATS if entry.extra], ids=lambda entry: entry.name)
def test_a_missing_package_is_named(entry: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = write(entry, tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == entry.package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, entry.package, None)
    with pytest.raises(ImageError, match=rf"{entry.name} needs {entry.package}; pip install {entry.package}$"):
        read_image(path)


def test_an_envi_header_alone_is_refused() -> None:
    from emseg.image.read import decode_image

    with pytest.raises(ImageError, match="with its samples beside it"):
        decode_image(b"ENVI\nsamples = 1\n", "stdin")


def test_jpeg_2000_is_loaded_by_its_own_module(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RGB).save(buffer, "JPEG2000", no_jp2=True)
    assert format_of(buffer.getvalue()[:HEAD], "x").module == "jpeg2000"


@every_format
def test_axes_count_or_a_line_says_that_they_do_nothing(entry: Format, tmp_path: Path) -> None:
    path, pixels = write(entry, tmp_path)
    plain = read_image(path)
    if entry.takes_axes:
        with pytest.raises(ImageError, match="axes"):
            read_image(path, Reading(axes="ABCDYX"))
        return
    found = read_image(path, Reading(axes="CYX"))
    np.testing.assert_array_equal(found.pixels, plain.pixels)
    assert [line for line in found.notices if "does nothing with" in line and entry.name in line]
    assert plain.pixels.size >= pixels.size
