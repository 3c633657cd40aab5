"""DICOM: values of the modality, padding, colours, frames, series, and files that are no images."""

from __future__ import annotations

import io
import json
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import ImageError
from emseg.image.limits import Reading
from emseg.image.read import decode_image, read_image
from emseg.image.stacked import stacked

pydicom = pytest.importorskip("pydicom", reason="needs pydicom")

RNG = np.random.default_rng(0)
CT, SECONDARY, MULTI = (f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("2", "7", "2.1"))
TURN = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]  # sagittal


def dicom(pixels: np.ndarray, bits: int = 0, sop: str = CT, **more: Any) -> bytes:
    """A file of pixels (rows, columns), (frames, rows, columns) or with three samples last."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop, "1.2.3"
    colours = pixels.shape[-1] == 3
    plane = pixels.shape[-3:-1] if colours else pixels.shape[-2:]
    dataset.Rows, dataset.Columns = plane
    dataset.SamplesPerPixel = 3 if colours else 1
    dataset.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(pixels.dtype.kind == "i")
    if pixels.ndim - colours > 2:
        dataset.NumberOfFrames = pixels.shape[0]
    for word, value in more.items():
        setattr(dataset, word, value)
    dataset.add_new(0x7FE00010, "OW" if pixels.dtype.itemsize > 1 else "OB", pixels.tobytes())
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def sequence(**more: Any) -> Any:
    item = pydicom.Dataset()
    for word, value in more.items():
        setattr(item, word, value)
    return pydicom.Sequence([item])


@pytest.mark.parametrize(
    ("dtype", "bits", "slope", "intercept", "expected"),
    [
        ("u2", 12, 1, -1024, "i2"),
        ("u2", 16, 1, -1024, "i4"),
        ("i2", 16, 1, 0, "i2"),
        ("u1", 8, 2, 0, "u2"),
        ("u2", 12, 0.25, 3.5, "f4"),
        ("u4", 32, 0.25, 3.5, "f8"),
        ("u2", 12, -1, 4095, "u2"),
    ],
)
def test_values_of_the_modality(dtype: str, bits: int, slope: float, intercept: float, expected: str) -> None:
    stored = RNG.integers(0, 1 << min(bits, 14), (9, 14)).astype(dtype)
    image = decode_image(dicom(stored, bits, RescaleSlope=slope, RescaleIntercept=intercept), "x")
    assert (image.colour, image.pixels.dtype) == ("gray", np.dtype(expected))
    np.testing.assert_array_equal(image.pixels[..., 0], stored * np.float64(slope) + intercept)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_white_is_the_largest(dtype: str) -> None:
    stored = RNG.integers(0, 100, (9, 14)).astype(dtype)
    image = decode_image(dicom(stored, PhotometricInterpretation="MONOCHROME1"), "x")
    limits = np.iinfo(dtype)
    np.testing.assert_array_equal(image.pixels[..., 0], limits.max - (stored.astype(int) - limits.min))


@pytest.mark.parametrize(("dtype", "value"), [("i2", -2000), ("u2", 63536), ("u1", 0)])
def test_padding_is_no_data(dtype: str, value: int) -> None:
    stored = RNG.integers(1, 100, (9, 14)).astype(dtype)
    stored[:4, :5] = value
    tag = pydicom.DataElement("PixelPaddingValue", "SS" if dtype[0] == "i" else "US", value)
    image = decode_image(dicom(stored, PixelPaddingValue=tag.value, RescaleIntercept=-1024, RescaleSlope=1), "x")
    np.testing.assert_array_equal(image.valid, stored != value)
    np.testing.assert_array_equal(image.pixels[..., 0], stored.astype(int) - 1024)


def test_colours_and_sides_of_pixels() -> None:
    pixels = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)
    image = decode_image(dicom(pixels, sop=SECONDARY, PixelSpacing=[0.5, 0.25]), "x")
    assert image.colour == "rgb"
    np.testing.assert_array_equal(image.pixels, pixels)
    assert image.pixel_size is not None
    assert (image.pixel_size.lengths, image.pixel_size.unit) == ((0.5, 0.25), "mm")


def test_a_palette() -> None:
    stored = RNG.integers(0, 4, (9, 14)).astype(np.uint8)
    tables = {}
    for colour, values in (("Red", [9, 8, 7, 6]), ("Green", [1, 2, 3, 4]), ("Blue", [99, 0, 255, 3])):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [4, 0, 16]
        tables[f"{colour}PaletteColorLookupTableData"] = (257 * np.array(values, "<u2")).tobytes()
    image = decode_image(dicom(stored, sop=SECONDARY, PhotometricInterpretation="PALETTE COLOR", **tables), "x")
    assert (image.colour, image.pixels.dtype) == ("rgb", np.uint8)
    np.testing.assert_array_equal(image.pixels[..., 0], np.array([9, 8, 7, 6])[stored])
    np.testing.assert_array_equal(image.pixels[..., 2], np.array([99, 0, 255, 3])[stored])


def test_frames_with_positions_are_a_volume() -> None:
    stored = RNG.integers(0, 4096, (4, 9, 14)).astype(np.uint16)
    shuffled = [2, 0, 3, 1]
    frames = []
    for at in shuffled:
        item = pydicom.Dataset()
        item.PlanePositionSequence = sequence(ImagePositionPatient=[10.0, 20.0, -30.0 + 2.5 * at])
        frames.append(item)
    shared = pydicom.Dataset()
    shared.PlaneOrientationSequence = sequence(ImageOrientationPatient=[1.0, 0, 0, 0, 1.0, 0])
    shared.PixelMeasuresSequence = sequence(PixelSpacing=[0.5, 0.75], SliceThickness=2.5)
    shared.PixelValueTransformationSequence = sequence(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")
    data = dicom(
        stored[shuffled],
        12,
        MULTI,
        SharedFunctionalGroupsSequence=pydicom.Sequence([shared]),
        PerFrameFunctionalGroupsSequence=pydicom.Sequence(frames),
    )
    image = decode_image(data, "x")
    assert (image.metadata["volume"], image.pixels.dtype) == ((4, 9, 14), np.int16)
    np.testing.assert_array_equal(image.pixels.reshape(4, 9, 14), stored.astype(int) - 1024)
    assert image.pixel_size is not None
    assert image.pixel_size.lengths == (2.5, 0.5, 0.75)
    np.testing.assert_allclose(image.metadata["affine"][:3, 3], [-10, -20, -30])
    np.testing.assert_allclose(image.metadata["affine"][:3, :3], np.diag([-0.75, -0.5, 2.5]))
    with pytest.raises(ImageError, match="pixels are more than 503"):
        decode_image(data, "x", Reading(max_pixels=503))
    assert decode_image(data, "x", Reading(axes="TYX", page=3)).shape == (9, 14)


def test_frames_without_positions_are_images() -> None:
    stored = RNG.integers(0, 256, (4, 9, 14)).astype(np.uint8)
    image = decode_image(dicom(stored, sop=SECONDARY), "x")
    np.testing.assert_array_equal(image.pixels[..., 0], stored[0])
    assert "frame 1 of 4 is used" in image.notices[0]
    image = decode_image(dicom(stored, sop=SECONDARY), "x", Reading(page=3))
    np.testing.assert_array_equal(image.pixels[..., 0], stored[2])
    with pytest.raises(ImageError, match="there is no page 5"):
        decode_image(dicom(stored, sop=SECONDARY), "x", Reading(page=5))
    image = decode_image(dicom(stored, sop=SECONDARY), "x", Reading(axes="ZYX"))
    assert image.metadata["volume"] == (4, 9, 14)


def series(folder: Path, volume: np.ndarray, **more: Any) -> list[Path]:
    paths = []
    for at, name in zip(RNG.permutation(len(volume)), "abcdefgh", strict=False):
        place = {"ImagePositionPatient": [5.0 - 3.0 * at, 0, 0], "ImageOrientationPatient": TURN}
        place |= {"PixelSpacing": [0.5, 0.75], "SeriesInstanceUID": "1.2.9"}
        paths.append(folder / f"{name}.dcm")
        paths[-1].write_bytes(dicom(volume[at], 12, RescaleIntercept=-1024, RescaleSlope=1, **{**place, **more}))
    return paths


def test_slices_in_files_are_a_volume_by_their_positions(tmp_path: Path) -> None:
    volume = RNG.integers(0, 4096, (5, 9, 14)).astype(np.uint16)
    image = stacked([read_image(path) for path in series(tmp_path, volume)])
    assert image.metadata["volume"] == (5, 9, 14)
    assert np.cross(TURN[:3], TURN[3:]).tolist() == [-1, 0, 0]  # positions rise along it
    np.testing.assert_array_equal(image.pixels.reshape(5, 9, 14), volume.astype(int) - 1024)
    assert image.pixel_size is not None
    assert image.pixel_size.lengths == (3.0, 0.5, 0.75)
    assert image.notices == ()
    first = image.metadata["affine"] @ [0, 0, 0, 1]
    last = image.metadata["affine"] @ [0, 0, 4, 1]
    assert sorted((first[0], last[0])) == [-5.0, 7.0]  # x to the left is 5 and -7
    out = tmp_path / "out"
    slices = [str(path) for path in sorted(tmp_path.glob("*.dcm"))]
    arguments = ["segment", "--stack", *slices, "-k", "2", "-o", str(out), "--quiet"]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    assert json.loads((out / "a.json").read_text())["size"] == [14, 9, 5]


def test_what_is_not_one_series(tmp_path: Path) -> None:
    volume = RNG.integers(0, 4096, (4, 9, 14)).astype(np.uint16)
    images = [read_image(path) for path in series(tmp_path, volume)]
    by_place = sorted(images, key=lambda image: image.metadata["slice"][1])
    assert any("distances of slices differ" in line for line in stacked([*by_place[:2], by_place[3]]).notices)
    with pytest.raises(ImageError, match="two slices of its series are at one place"):
        stacked([*images, images[0]])
    (tmp_path / "t").mkdir()
    turned = series(tmp_path / "t", volume, ImageOrientationPatient=[1.0, 0, 0, 0, 1.0, 0])
    with pytest.raises(ImageError, match="is no slice beside"):
        stacked([images[0], read_image(turned[0])])


def test_what_is_no_image() -> None:
    pixels = np.ones((9, 14), np.uint8)
    data = pydicom.dcmread(io.BytesIO(dicom(pixels)))
    del data.PixelData
    buffer = io.BytesIO()
    data.save_as(buffer)
    with pytest.raises(ImageError, match=r"without pixels \(CT Image Storage\); name the files of images"):
        decode_image(buffer.getvalue(), "x")
    with pytest.raises(ImageError, match="x: damaged or unusual DICOM"):
        decode_image(dicom(pixels)[:-20], "x")


@pytest.mark.parametrize("name", ["MR_small_jpeg_ls_lossless.dcm", "JPGExtended.dcm"])
def test_codecs_that_are_missing_are_named(name: str) -> None:
    from pydicom.data import get_testdata_file

    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("this pydicom has no such example")
    if find_spec("pylibjpeg"):
        assert read_image(path).pixels.size
        return
    with pytest.raises(ImageError, match=r"pip install 'pylibjpeg\[all\]'$"):
        read_image(path)


def test_orders_of_bytes_agree() -> None:
    from pydicom.data import get_testdata_file

    for plain, others in (("MR_small.dcm", ("MR_small_bigendian.dcm", "MR_small_RLE.dcm", "MR_small_implicit.dcm")),
                          ("rtdose.dcm", ("rtdose_expb.dcm", "rtdose_rle.dcm"))):  # fmt: skip
        paths = [get_testdata_file(name, download=False) for name in (plain, *others)]
        if None in paths:
            pytest.skip("this pydicom has no such examples")
        first, *rest = (read_image(path) for path in paths if path)
        for image in rest:
            np.testing.assert_array_equal(image.pixels, first.pixels)


GOOD = dicom(np.ones((9, 14), np.uint16), 12, RescaleSlope=1, RescaleIntercept=-1024, PixelSpacing=[0.5, 0.75])


@given(st.data())
def test_damage_is_one_line(image_or_one_line: Any, data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(132, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    with image_or_one_line():
        decode_image(bytes(damaged[: data.draw(st.integers(140, len(GOOD)))]), "x")


def test_two_series_are_no_stack(tmp_path: Path) -> None:
    """A folder with two series; one slice of each, at one place, may be two weightings."""
    rng = np.random.default_rng(0)
    volume = rng.integers(0, 900, (2, 5, 6)).astype(np.uint16)
    found = []
    for name in ("9", "999"):
        (tmp_path / name).mkdir()
        slices = [read_image(path) for path in series(tmp_path / name, volume, SeriesInstanceUID=f"1.2.{name}")]
        found.append(sorted(slices, key=lambda image: image.metadata["slice"][1]))
    first, other = found
    with pytest.raises(ImageError, match="holds slices of 2 DICOM series; give the files of one series"):
        stacked([*first, *other])
    assert stacked([first[0], other[0]]).pixels.shape == (5, 6, 2)
    with pytest.raises(ImageError, match="lies elsewhere than"):
        stacked([first[0], other[1]])


def test_sequences_in_sequences() -> None:
    nested = struct.pack("<HH2s2xI", 0x0008, 0x1140, b"SQ", 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    at = GOOD.index(struct.pack("<HH", 0x0008, 0x0016))
    with pytest.raises(ImageError, match="its sequences are nested too deeply"):
        decode_image(GOOD[:at] + 2000 * nested + GOOD[at:], "x.dcm")
