"""Volumes that nibabel has loaded, in Python: images, masks, labels, priors and truths, in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emseg
from emseg.errors import ImageError
from emseg.image.read import read_image

nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
RNG = np.random.default_rng(0)
AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2.5, 0, -120], [0, 0, 3, -70], [0, 0, 0, 1]])
LABELS = RNG.integers(0, 3, (5, 6, 4)).astype(np.uint8)  # x, y, z
GREY = (np.array([0, 60, 160])[LABELS] + RNG.normal(0, 3, LABELS.shape)).astype(np.float32)
FLIPPED = AFFINE @ np.diag([-1.0, 1, 1, 1])
FLIPPED[:3, 3] += 4 * AFFINE[:3, 0]


def turned(array: np.ndarray) -> Any:
    return nibabel.Nifti1Image(array[::-1].copy(), FLIPPED)


def image() -> Any:
    return nibabel.Nifti1Image(GREY, AFFINE)


@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image", "MGHImage"])
def test_an_image(kind: str, tmp_path: Path) -> None:
    nibabel.save(image(), tmp_path / "im.nii")
    found = emseg.segment(getattr(nibabel, kind)(GREY, AFFINE), 3)
    np.testing.assert_array_equal(found.labels, emseg.segment(tmp_path / "im.nii", 3).labels)
    np.testing.assert_allclose(found.image.metadata["nifti"]["affine"], AFFINE)
    assert found.image.pixel_size == read_image(tmp_path / "im.nii").pixel_size
    assert "volume.labels.nii.gz" in found.save(tmp_path / "out")["outputs"]


def test_a_scaled_image_of_a_file_has_its_values_and_its_name(tmp_path: Path) -> None:
    scaled = nibabel.Nifti1Image(RNG.integers(0, 9, (3, 4, 2)).astype(np.int16), AFFINE)
    scaled.header.set_slope_inter(0.5, 10)
    nibabel.save(scaled, tmp_path / "im.nii.gz")
    found = emseg.denoise(nibabel.load(tmp_path / "im.nii.gz"), 0)
    np.testing.assert_array_equal(found.image.pixels, read_image(tmp_path / "im.nii.gz").pixels)
    assert found.save(tmp_path / "out")["outputs"].keys() == {"im.denoised.nii.gz"}


def test_masks_labels_priors_and_truths() -> None:
    plain = emseg.segment(image(), 3, mask=turned(LABELS), init="auto")
    np.testing.assert_array_equal(plain.labels > 0, LABELS.T > 0)
    planes = np.stack([np.where(label == LABELS, 0.8, 0.1) for label in range(3)], axis=-1).astype(np.float32)
    for options in (
        {"init": turned(LABELS + 1)},
        {"scribbles": turned((LABELS + 1).astype(np.float32))},
        {"prior_map": turned(planes)},
    ):
        found = emseg.segment(image(), 3, **options)
        np.testing.assert_array_equal(found.labels, LABELS.T + 1)
        assert emseg.evaluate(found, turned(LABELS))["scores"]["error"] == 0
    missing = np.zeros_like(LABELS)
    missing[1, 1:3] = 1
    filled = emseg.inpaint(image(), turned(missing))
    np.testing.assert_array_equal(filled.missing.reshape(LABELS.T.shape), missing.T > 0)


def test_volumes_elsewhere_are_refused() -> None:
    elsewhere, moved = nibabel.Nifti1Image(LABELS, FLIPPED), np.eye(4) + 4 * np.eye(4, k=3)
    for option in ("mask", "scribbles", "init"):
        with pytest.raises(ImageError, match=rf"{option}: does not cover volume\.nii, .* begins at \(4, 0, 0\)"):
            emseg.segment(image(), 2, **{option: nibabel.Nifti1Image(LABELS, AFFINE @ moved)})
    with pytest.raises(ImageError, match="truth 1: "):
        emseg.evaluate(elsewhere, nibabel.Nifti1Image(LABELS[1:], AFFINE))


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(ImageError, match="complex64"):
        emseg.segment(nibabel.Nifti1Image(np.ones((2, 2, 2), np.complex64), AFFINE), 2)
