from __future__ import annotations

import gzip

import numpy as np
import pytest

from emseg.output.maps.nifti_writer import labels_file, labels_nifti

from ..segmented import volume

nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
AFFINE = np.array([[-2.0, 0.1, 0, 90], [0, 2.5, 0, -120], [0, 0, 3, -70], [0, 0, 0, 1]])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize(("qform", "sform"), [(1, 2), (0, 4), (2, 0)])
def test_nibabel_reads_the_labels_in_the_place_of_the_source(dtype: type, qform: int, sform: int) -> None:
    x, y, z = 6, 4, 5
    source = nibabel.Nifti1Image(np.zeros((x, y, z), np.uint8), AFFINE)
    source.header.set_xyzt_units("mm", "sec")
    source.set_qform(AFFINE, qform)
    source.set_sform(AFFINE, sform)
    array = np.random.default_rng(0).integers(0, 9, (x, y, z)).astype(dtype)
    below = array.transpose(2, 1, 0).reshape(z * y, x)
    data = labels_nifti(below, {"volume": (z, y, x), "nifti": {"affine": source.affine, "header": source.header}})
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(data))
    np.testing.assert_array_equal(np.asarray(image.dataobj), array)
    assert image.get_data_dtype() == dtype
    np.testing.assert_allclose(image.affine, source.affine, rtol=1e-6)
    assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (qform, sform)
    assert image.header.get_xyzt_units() == ("mm", "sec")


def test_the_same_labels_give_the_same_bytes() -> None:
    result = volume()
    assert labels_file(result) == labels_file(result)
    assert labels_file(result)[4:8] == bytes(4)  # no time in the header of gzip
