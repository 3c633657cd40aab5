"""NIfTI volumes through nibabel, there and back."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import ImageError
from emseg.image.formats.nifti import _geometry
from emseg.image.limits import Reading
from emseg.image.read import count_pages, read_image

nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
RNG = np.random.default_rng(0)
AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2.5, 0, -120], [0, 0, 3, -70], [0, 0, 0, 1]])


def saved(array: np.ndarray, path: Path, kind: type = nibabel.Nifti1Image) -> Path:
    nibabel.save(kind(array, AFFINE), path)
    return path


@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_slices_are_below_one_another(end: str, kind: type, dtype: type, tmp_path: Path) -> None:
    array = RNG.integers(0, 100, (4, 5, 6)).astype(dtype)
    image = read_image(saved(array, tmp_path / f"x{end}", kind))
    assert (image.shape, image.colour, image.pixels.dtype) == ((30, 4), "gray", dtype)
    assert image.metadata["volume"] == (6, 5, 4)
    for z in range(6):
        np.testing.assert_array_equal(image.pixels[5 * z : 5 * z + 5, :, 0], array[:, :, z].T)


def test_further_axes_are_bands(tmp_path: Path) -> None:
    array = RNG.normal(size=(4, 5, 6, 3)).astype(np.float32)
    image = read_image(saved(array, tmp_path / "x.nii"))
    assert (image.pixels.shape, image.colour) == ((30, 4, 3), "bands")
    np.testing.assert_array_equal(image.pixels[5:10, :, 2], array[:, :, 1, 2].T)


def test_slopes_are_applied(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(RNG.integers(0, 9, (3, 4, 2)).astype(np.int16), AFFINE)
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "x.nii")
    expected = nibabel.load(tmp_path / "x.nii").get_fdata()
    np.testing.assert_allclose(read_image(tmp_path / "x.nii").pixels[:4, :, 0], expected[:, :, 0].T)


def test_a_volume_is_segmented_and_written_back_in_its_place(tmp_path: Path) -> None:
    array = np.where(RNG.random((9, 8, 7)) < 0.5, 20, 200) + RNG.normal(0, 3, (9, 8, 7))
    saved(array.astype(np.float32), tmp_path / "brain.nii.gz")
    arguments = ["segment", str(tmp_path / "brain.nii.gz"), "-k", "2", "-q", "--save", "labels-tiff", "-o"]
    assert attempt(lambda: cli.main([*arguments, str(tmp_path / "out")], "emseg", standalone_mode=False)) == 0
    labels = nibabel.load(tmp_path / "out" / "brain.labels.nii.gz")
    np.testing.assert_array_equal(np.asarray(labels.dataobj), np.where(array < 100, 1, 2))
    np.testing.assert_array_equal(labels.affine, AFFINE)
    assert labels.get_data_dtype() == np.uint8
    report = json.loads((tmp_path / "out" / "brain.json").read_bytes())
    assert "brain.labels.nii.gz" in report["outputs"]
    assert report["size"] == [9, 8, 7]
    picture = np.asarray(Image.open(tmp_path / "out" / "brain.labels.png"))
    assert np.bincount(picture.ravel())[1:].tolist() == report["pixel_counts"]
    assert picture.shape == (3 * 8, 3 * 9)  # seven slices in a grid, and room for two
    np.testing.assert_array_equal(picture[:8, :9], np.where(array < 100, 1, 2)[:, :, 0].T)
    import tifffile

    assert tifffile.imread(tmp_path / "out" / "brain.labels.tif").shape == (7, 8, 9)


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main([*map(str, arguments)], "emseg", standalone_mode=False))


def test_results_of_a_volume_are_volumes(tmp_path: Path) -> None:
    array = np.where(np.arange(9)[:, None, None] < 4, 20, 200) + RNG.normal(0, 3, (9, 8, 7))
    path = saved(array.astype(np.float32), tmp_path / "brain.nii.gz")
    options = ["-k", "2", "-q", "--save", "all", "--regions", "5", "--bias-field", "--partial-volume"]
    assert run("segment", path, *options, "-o", tmp_path) == 0
    written = json.loads((tmp_path / "brain.json").read_bytes())["outputs"]
    volumes = {name.split(".")[1] for name in written if name.endswith(".nii.gz")}
    assert volumes == {"labels", "regions", "posterior", "entropy", "fractions", "bias"}
    assert not any(name.endswith(".tif") for name in written if ".labels." not in name)
    for kind in volumes:
        image = nibabel.load(tmp_path / f"brain.{kind}.nii.gz")
        assert image.shape == ((9, 8, 7, 2) if kind in ("posterior", "fractions") else (9, 8, 7)), kind
        np.testing.assert_array_equal(image.affine, AFFINE)


def test_a_volume_is_denoised_and_inpainted_in_its_place(tmp_path: Path) -> None:
    array = np.where(np.arange(30)[:, None, None] < 15, 20, 200) + RNG.normal(0, 9, (30, 32, 3))
    path = saved(array.astype(np.int16), tmp_path / "brain.nii.gz")
    assert run("denoise", path, "-q", "-o", tmp_path) == 0
    image = nibabel.load(tmp_path / "brain.denoised.nii.gz")
    assert (image.shape, image.get_data_dtype()) == ((30, 32, 3), np.int16)
    np.testing.assert_array_equal(image.affine, AFFINE)
    truth = np.where(np.arange(30)[:, None, None] < 15, 20, 200)
    assert np.abs(image.get_fdata() - truth).mean() < np.abs(array - truth).mean() / 2
    mask = np.zeros((30, 32, 3), np.uint8)
    mask[5:8, 6:9] = 1
    turned = AFFINE @ np.diag([1.0, -1, 1, 1])
    turned[:3, 3] += AFFINE[:3, 1] * 31
    nibabel.save(nibabel.Nifti1Image(mask[:, ::-1], turned), tmp_path / "mask.nii.gz")
    assert run("inpaint", path, "--mask", tmp_path / "mask.nii.gz", "--uncertainty", "-q", "-o", tmp_path) == 0
    filled, lost = (nibabel.load(tmp_path / f"brain.{kind}.nii.gz") for kind in ("inpainted", "uncertainty"))
    assert filled.get_data_dtype() == np.int16
    np.testing.assert_array_equal(filled.get_fdata()[mask == 0], array.astype(np.int16)[mask == 0])
    np.testing.assert_array_equal(lost.get_fdata() > 0, mask > 0)
    np.testing.assert_array_equal(lost.affine, AFFINE)


def test_position_and_texture_do_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(RNG.normal(size=(4, 5, 6)).astype(np.float32), tmp_path / "x.nii")
    assert run("segment", tmp_path / "x.nii", "--features", "gray,xy", "-o", tmp_path) == 2
    assert "xy does not fit a volume" in capsys.readouterr().err


def test_only_by_that_name(tmp_path: Path) -> None:
    path = saved(np.ones((2, 2, 2), np.uint8), tmp_path / "x.nii").rename(tmp_path / "x.img")
    with pytest.raises(ImageError, match="not an image of a kind"):
        read_image(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header()
    header.set_data_shape((30000, 30000, 30))
    header.set_data_dtype(np.float32)
    header["magic"], header["vox_offset"] = b"n+1", 352
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(header.binaryblock + bytes(1 << 22)))
    with pytest.raises(ImageError, match="pixels are more than"):
        read_image(tmp_path / "x.nii.gz")
    header.set_data_shape((300, 300, 30))
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(header.binaryblock + bytes(100)))
    with pytest.raises(ImageError, match="cut short"):
        read_image(tmp_path / "x.nii.gz")
    with pytest.raises(ImageError, match="pixels are more than"):
        read_image(tmp_path / "x.nii.gz", Reading(max_pixels=1000))


def test_members_of_a_compressed_file(tmp_path: Path) -> None:
    volume = RNG.integers(0, 999, (40, 30, 20)).astype(np.int16)
    data = nibabel.Nifti1Image(volume, AFFINE).to_bytes()
    for size in (1000, 65280, len(data)):
        path = tmp_path / "x.nii.gz"
        path.write_bytes(b"".join(gzip.compress(data[at : at + size]) for at in range(0, len(data), size)))
        np.testing.assert_array_equal(read_image(path).pixels[..., 0], volume.transpose(2, 1, 0).reshape(600, 40))


def test_blocks_of_bgzip(tmp_path: Path) -> None:
    """Members as bgzip writes them: each tells its size in a field of its own, and an empty one ends the file."""
    volume = RNG.integers(0, 999, (40, 30, 20)).astype(np.int16)
    data, path = nibabel.Nifti1Image(volume, AFFINE).to_bytes(), tmp_path / "x.nii.gz"
    path.write_bytes(b"".join(bgzip_block(data[at : at + 0xFF00]) for at in range(0, len(data) + 0xFF00, 0xFF00)))
    assert path.read_bytes().endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))
    np.testing.assert_array_equal(read_image(path).pixels[..., 0], volume.transpose(2, 1, 0).reshape(600, 40))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ImageError, match=r"x\.nii\.gz: .*; "):
        read_image(path)


def bgzip_block(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    head = bytes.fromhex("1f8b08040000000000ff0600424302 00") + struct.pack("<H", len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


def test_data_that_lie_far_behind_are_not_unpacked(tmp_path: Path) -> None:
    data = bytearray(nibabel.Nifti1Image(np.ones((4, 4, 4), np.uint8), AFFINE).to_bytes())
    struct.pack_into("<f", data, 108, 1e9)
    for name, stored in (("x.nii", bytes(data)), ("x.nii.gz", gzip.compress(bytes(data)))):
        (tmp_path / name).write_bytes(stored)
        with pytest.raises(ImageError, match="the data lie elsewhere"):
            read_image(tmp_path / name)


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="complex64"):
        read_image(saved(np.ones((2, 2, 2), np.complex64), tmp_path / "x.nii"))


GOOD = nibabel.Nifti1Image(np.ones((2, 3, 4), np.int16), AFFINE).to_bytes()


@given(st.data())
def test_damage_is_one_line(
    image_or_one_line: Any, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, 351))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.nii"
    path.write_bytes(damaged[: data.draw(st.integers(4, len(GOOD)))])
    with image_or_one_line():
        read_image(path)


def test_headers_of_both_versions() -> None:
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        image = kind(np.ones((2, 3), np.float64), AFFINE)
        shape, itemsize, start = _geometry(image.to_bytes()[:540])
        assert (shape, itemsize) == ((2, 3, 1), 8)
        assert start in (352, 544)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("end", [".nii", ".nii.gz"])
def test_points_of_time_are_told(kind: type, end: str, tmp_path: Path) -> None:
    array = RNG.normal(size=(4, 5, 6, 3)).astype(np.float32)
    timed = kind(array, AFFINE)
    timed.header.set_xyzt_units("mm", "sec")
    path = tmp_path / f"x{end}"
    nibabel.save(timed, path)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels.reshape(6, 5, 4, 3), array.transpose(2, 1, 0, 3))
    assert image.notices[0].startswith("its 3 points of time are taken as features; ")
    one = read_image(path, Reading(2, axes="XYZT"))
    np.testing.assert_array_equal(one.pixels.reshape(6, 5, 4), array[..., 1].T)
    assert (one.colour, one.notices, one.metadata["volume"]) == ("gray", (), (6, 5, 4))
    assert read_image(path, Reading(axes="XYZT")).notices[0].startswith("volume 1 of 3 along T is used; ")
    assert (count_pages(path), count_pages(path, Reading(axes="XYZT"))) == (1, 3)
    assert read_image(path, Reading(axes="XYZC")).notices == ()
    with pytest.raises(ImageError, match="there is no page 4"):
        read_image(path, Reading(4, axes="XYZT"))
    with pytest.raises(ImageError, match="begins with X, Y and Z; give XYZC or XYZT"):
        read_image(path, Reading(axes="ZYXC"))


def test_many_points_of_time_are_not_taken_for_features(tmp_path: Path) -> None:
    timed = nibabel.Nifti1Image(np.zeros((4, 5, 6, 40), np.int16), AFFINE)
    timed.header.set_xyzt_units("mm", "sec")
    nibabel.save(timed, tmp_path / "x.nii")
    with pytest.raises(ImageError, match=r"holds 40 points of time; axes='XYZT' with page takes one, axes='XYZC' all"):
        read_image(tmp_path / "x.nii")
    assert read_image(tmp_path / "x.nii", Reading(axes="XYZC")).pixels.shape == (30, 4, 40)
    saved(np.zeros((4, 5, 6, 40), np.int16), tmp_path / "y.nii")  # which may be directions of diffusion
    assert read_image(tmp_path / "y.nii").pixels.shape == (30, 4, 40)


def test_channels_of_a_volume_by_number(tmp_path: Path) -> None:
    array = RNG.normal(size=(4, 5, 6, 3)).astype(np.float32)
    image = read_image(saved(array, tmp_path / "x.nii"), Reading(channels=(2,)))
    np.testing.assert_array_equal(image.pixels.reshape(6, 5, 4), array[..., 1].T)
    assert (image.colour, image.channels) == ("gray", (2,))


@pytest.mark.parametrize("what", ["sform", "qform", "sizes"])
def test_a_place_that_is_no_numbers(what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The volume is taken without a place, and a line says so; all that is written can be read."""
    data = bytearray(nibabel.Nifti1Image(RNG.normal(100, 9, (6, 5, 4)).astype(np.float32), AFFINE).to_bytes())
    if what == "sform":
        data[280:328] = np.full(12, np.nan, "<f4").tobytes()
    else:
        data[254:256], data[252:254] = bytes(2), struct.pack("<h", what == "qform")
        data[256 : 268 if what == "qform" else 256] = np.full(3, np.nan, "<f4").tobytes() if what == "qform" else b""
        if what == "sizes":
            data[80:92] = np.full(3, np.nan, "<f4").tobytes()
    (tmp_path / "lost.nii").write_bytes(data)
    for command in (["segment", "-k", "2", "--save", "posterior"], ["denoise", "--sigma", "5"]):
        words = [command[0], str(tmp_path / "lost.nii"), "-o", str(tmp_path), *command[1:]]
        assert attempt(lambda words=words: cli.main(words, "emseg", standalone_mode=False)) == 0
        err = capfd.readouterr().err
        assert err.count("place that is no finite numbers") == 1
    for name in ("lost.labels.nii.gz", "lost.posterior.nii.gz", "lost.denoised.nii.gz"):
        assert np.isfinite(nibabel.load(tmp_path / name).affine).all()


def test_what_nibabel_puts_right_is_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(nibabel.Nifti1Image(RNG.normal(100, 9, (6, 5, 4)).astype(np.float32), AFFINE).to_bytes())
    data[254:256] = struct.pack("<h", 99)
    (tmp_path / "odd.nii").write_bytes(data)
    assert read_image(tmp_path / "odd.nii").notices == (
        "its header is put right: sform_code 99 not valid; setting to 0",
    )
    assert capfd.readouterr().err == ""
