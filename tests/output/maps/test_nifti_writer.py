from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emseg.image.read import decode_image
from emseg.output.maps.nifti_writer import labels_file, nifti, restored_nifti
from emseg.output.registry import KINDS, for_volume

from ..segmented import Regions, volume

nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
AFFINE = np.array([[-2.0, 0.1, 0, 90], [0, 2.5, 0, -120], [0, 0, 3, -70], [0, 0, 0, 1]])
OTHER = np.diag([2.0, 2.0, 2.0, 1.0])
SHAPE = (5, 4, 6)  # z, y, x
RNG = np.random.default_rng(0)


def opened(data: bytes) -> Any:
    stored = gzip.decompress(data)
    kind = nibabel.Nifti2Image if stored.startswith(b"\x1c\x02") else nibabel.Nifti1Image
    return kind.from_bytes(stored)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int64, np.float32])
@pytest.mark.parametrize(("qform", "sform"), [(1, 2), (0, 4), (2, 0), (0, 0)])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_nibabel_reads_values_in_the_place_of_the_source(dtype: type, qform: int, sform: int, kind: Any) -> None:
    z, y, x = SHAPE
    source = kind(np.zeros((x, y, z), np.uint8), AFFINE)
    source.header.set_xyzt_units("micron", "sec")
    source.set_qform(OTHER, qform)  # two places that differ: both are carried
    source.set_sform(AFFINE, sform)
    source = kind.from_bytes(source.to_bytes())
    array = RNG.integers(0, 9, (x, y, z)).astype(dtype)
    for values in (array.transpose(2, 1, 0), array.transpose(2, 1, 0).reshape(z * y, x)):
        image = opened(nifti(values, {"volume": SHAPE, "nifti": {"affine": source.affine, "header": source.header}}))
        np.testing.assert_array_equal(np.asarray(image.dataobj), array)
        assert image.get_data_dtype() == dtype
        np.testing.assert_array_equal(image.affine, source.affine)
        for way in ("get_qform", "get_sform"):
            np.testing.assert_array_equal(getattr(image, way)(), getattr(source, way)())
        assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (qform, sform)
        assert image.header.get_xyzt_units() == ("micron", "sec")
        assert image.header.get_zooms() == source.header.get_zooms()


@pytest.mark.parametrize("name", ["posterior", "fractions", "entropy", "bias", "labels-nifti", "regions-nifti"])
def test_every_map_of_a_volume_is_a_volume(name: str) -> None:
    result = volume(SHAPE)
    gain = RNG.uniform(0.5, 1.5, result.labels.shape).astype(np.float32)
    ids = RNG.integers(0, 300, SHAPE).astype(np.int32)
    ids.flat[0] = 300
    table = {"region": np.arange(1, 301), "label": np.ones(300, int)}
    result = replace(result, gain=gain, regions=Regions(ids, table))
    expected = {
        "posterior": result.posterior(),
        "fractions": result.fractions(),
        "entropy": result.entropy(),
        "bias": gain,
        "labels-nifti": result.labels,
        "regions-nifti": ids,
    }[name]
    image = opened(KINDS[name].write(result))
    stored = np.asarray(image.dataobj)
    assert stored.shape[:3] == SHAPE[::-1]
    np.testing.assert_array_equal(stored.T.reshape(expected.shape), expected)
    np.testing.assert_array_equal(image.affine, result.image.metadata["nifti"]["affine"])
    ends = for_volume({"labels": ".labels.png", "regions": ".regions.png", name: KINDS[name].suffix})
    assert ends[name].endswith(".nii.gz")


def restored(array: np.ndarray, **fields: Any) -> tuple[Any, Any]:
    source = nibabel.Nifti1Image(array, AFFINE)
    source.header.set_xyzt_units("mm", "msec")
    source.header["descrip"] = b"a scan"
    for field, value in fields.items():
        source.header[field] = value
    return source, opened(restored_nifti(decode_image(source.to_bytes(), "x.nii")))


@pytest.mark.parametrize("shape", [(6, 4, 5), (6, 4, 5, 3), (6, 4, 5, 1, 2), (6, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_a_restored_volume_keeps_type_shape_and_header(shape: tuple[int, ...], dtype: type) -> None:
    array = RNG.integers(0, 100, shape).astype(dtype)
    source, image = restored(array)
    np.testing.assert_array_equal(np.asarray(image.dataobj).reshape(shape), array)
    assert image.get_data_dtype() == dtype
    np.testing.assert_array_equal(image.affine, nibabel.Nifti1Image.from_bytes(source.to_bytes()).affine)
    assert image.header["descrip"] == b"a scan"
    assert image.header.get_xyzt_units() == ("mm", "msec")


def test_a_scaled_volume_is_written_as_it_was_read() -> None:
    source = nibabel.Nifti1Image(RNG.integers(0, 9, (3, 4, 2)).astype(np.int16), AFFINE)
    source.header.set_slope_inter(0.5, 10)
    data = source.to_bytes()
    image = opened(restored_nifti(decode_image(data, "x.nii")))
    np.testing.assert_array_equal(image.get_fdata(), nibabel.Nifti1Image.from_bytes(data).get_fdata())


def test_colours_are_kept() -> None:
    colours = RNG.integers(0, 256, (6, 4, 5, 3)).astype(np.uint8)
    array = colours.view(np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))[..., 0]
    _, image = restored(array)
    np.testing.assert_array_equal(np.ascontiguousarray(image.dataobj).view(np.uint8).reshape(colours.shape), colours)


def test_the_same_labels_give_the_same_bytes() -> None:
    result = volume()
    assert labels_file(result) == labels_file(result)
    assert labels_file(result)[4:8] == bytes(4)  # no time in the header of gzip
