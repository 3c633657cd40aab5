"""Masks, labels and priors find their pixels by their place in the world, or are refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import emseg
from emseg.errors import ImageError
from emseg.image.label_maps import read_labels, read_planes
from emseg.image.read import read_image, read_mask

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2.5, 0, -120], [0, 0, 3, -70], [0, 0, 0, 1]])
LABELS = RNG.integers(0, 3, (5, 6, 4)).astype(np.uint8)  # x, y, z
BELOW = LABELS.transpose(2, 1, 0).reshape(4 * 6, 5)  # as an image's pixels
GREY = np.array([0, 60, 160], np.float32)[LABELS] + RNG.normal(0, 3, LABELS.shape).astype(np.float32)
TURNS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


def nifti(path: Path, array: np.ndarray, affine: np.ndarray | None = AFFINE, code: str = "sform") -> str:
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
    image = nibabel.Nifti1Image(array, affine)
    if code == "qform":
        image.set_qform(affine, 1)
        image.set_sform(None, 0)
    nibabel.save(image, path)
    return str(path)


def turned(array: np.ndarray, axes: tuple[int, ...], signs: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The same volume stored along other axes, by nibabel, and its affine."""
    orientations = pytest.importorskip("nibabel.orientations", reason="needs nibabel")
    how = np.column_stack([axes, signs])
    return orientations.apply_orientation(array, how), AFFINE @ orientations.inv_ornt_aff(how, array.shape)


@pytest.mark.parametrize("code", ["sform", "qform"])
@pytest.mark.parametrize(("axes", "signs"), TURNS)
def test_a_volume_in_all_48_orientations(axes: Any, signs: Any, code: str, tmp_path: Path) -> None:
    photo = read_image(nifti(tmp_path / "im.nii", GREY, code=code))
    array, affine = turned(LABELS, axes, signs)
    path = nifti(tmp_path / "labels.nii.gz", array, affine)
    mask, notices = read_mask(path, photo)
    assert notices == ()
    np.testing.assert_array_equal(mask, BELOW > 0)
    labels, notices = read_labels(path, photo)
    assert notices == ()
    np.testing.assert_array_equal(labels, BELOW)
    planes = np.stack([array == label for label in range(3)], axis=-1).astype(np.float32)
    found, notices = read_planes(nifti(tmp_path / "prior.nii", planes, affine), photo, 3)
    assert notices == ()
    np.testing.assert_array_equal(found, np.stack([label == BELOW for label in range(3)]))


@pytest.mark.parametrize("shift", [1, 0.5, 100, -3])
def test_a_volume_elsewhere_names_both_files(shift: float, tmp_path: Path) -> None:
    photo = read_image(nifti(tmp_path / "im.nii", GREY))
    moved = AFFINE.copy()
    moved[1, 3] += shift
    path = nifti(tmp_path / "labels.nii", LABELS, moved)
    for read in (read_mask, read_labels):
        with pytest.raises(ImageError, match=r"labels\.nii: .*im\.nii.*; resample the (mask|label map) to that grid"):
            read(path, photo)
    with pytest.raises(ImageError, match=r"resample the prior map"):
        read_planes(path, photo, 1)


def test_a_larger_volume_is_cut(tmp_path: Path) -> None:
    photo = read_image(nifti(tmp_path / "im.nii", GREY))
    larger, moved = np.pad(LABELS, ((1, 2), (0, 3), (4, 0))), AFFINE.copy()
    moved[:, 3] = AFFINE @ (-1, 0, -4, 1)
    np.testing.assert_array_equal(read_labels(nifti(tmp_path / "l.nii", larger, moved), photo).values, BELOW)


def test_other_units_of_length(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
    photo = read_image(nifti(tmp_path / "im.nii", GREY))
    micrometres = nibabel.Nifti1Image(LABELS, np.diag([1000, 1000, 1000, 1.0]) @ AFFINE)
    micrometres.header.set_xyzt_units("micron")
    nibabel.save(micrometres, tmp_path / "l.nii")
    np.testing.assert_array_equal(read_labels(tmp_path / "l.nii", photo).values, BELOW)


@pytest.mark.parametrize(
    ("array", "order"),
    [(LABELS, "x, y, z"), (LABELS.transpose(2, 1, 0), "z, y, x"), (BELOW, "")],
    ids=["as nibabel gives it", "slices first", "below one another"],
)
def test_an_array_has_no_place(array: np.ndarray, order: str, tmp_path: Path) -> None:
    photo = read_image(nifti(tmp_path / "im.nii", GREY))
    np.save(tmp_path / "l.npy", array)
    for found, notices in (read_labels(tmp_path / "l.npy", photo), read_mask(tmp_path / "l.npy", photo)):
        np.testing.assert_array_equal(found, BELOW if found.dtype != bool else BELOW > 0)
        (line,) = notices
        assert "l.npy tells no place in the world" in line
        assert line.endswith(f"matched by index{f', axes are taken as {order}' if order else ''}")


@pytest.mark.parametrize("own", [True, False])
def test_a_volume_without_codes_has_no_place(own: bool, tmp_path: Path) -> None:
    photo = read_image(nifti(tmp_path / "im.nii", GREY, AFFINE if own else None))
    path = nifti(tmp_path / "l.nii", LABELS, None)
    found, notices = read_labels(path, photo)
    np.testing.assert_array_equal(found, BELOW)
    assert len(notices) == own
    with pytest.raises(ImageError, match="labels of 6 × 5 × 4 pixels for an image of 5 × 6 × 4"):
        read_labels(nifti(tmp_path / "t.nii", LABELS.swapaxes(0, 1).copy(), None), photo)


def test_labels_as_floating_point_numbers(tmp_path: Path) -> None:
    photo = read_image(nifti(tmp_path / "im.nii", GREY))
    whole = LABELS.astype(np.float32)
    whole[0, 0, 0] = np.nan
    found = read_labels(nifti(tmp_path / "l.nii", whole), photo).values
    np.testing.assert_array_equal(found, np.where(np.arange(BELOW.size).reshape(BELOW.shape) == 0, 0, BELOW))
    with pytest.raises(ImageError, match=r"l\.nii: not a label map"):
        read_labels(nifti(tmp_path / "l.nii", LABELS / 2), photo)
    with pytest.raises(ImageError, match=r"l\.nii: holds label -1"):
        read_labels(nifti(tmp_path / "l.nii", -(LABELS > 0).astype(np.int16)), photo)


PLANE = RNG.integers(0, 3, (9, 12)).astype(np.uint8)


def geotiff(path: Path, array: np.ndarray, matrix: np.ndarray, code: int = 32633, nodata: str | None = None) -> str:
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, code)
    whole = np.eye(4)
    whole[:2, [0, 1, 3]] = matrix
    tags: list[Any] = [(34264, "d", 16, tuple(whole.ravel()), True), (34735, "H", len(keys), keys, True)]
    tags += [(42113, "s", 0, nodata, True)] if nodata else []
    tifffile.imwrite(path, array, photometric="minisblack", planarconfig="contig", extratags=tags)
    return str(path)


GROUND = np.array([[10.0, 0, 5e5], [0, -10, 4.6e6]])


def ground_at(steps: np.ndarray, corner: tuple[float, float]) -> np.ndarray:
    """The map of a raster whose axes and corner are such in pixels of `GROUND`."""
    return np.column_stack([GROUND[:, :2] @ steps, GROUND[:, :2] @ corner + GROUND[:, 2]])


@pytest.mark.parametrize(
    ("array", "steps", "corner"),
    [
        (PLANE, [[1, 0], [0, 1]], (0, 0)),
        (PLANE[::-1], [[1, 0], [0, -1]], (0, 9)),
        (PLANE[:, ::-1], [[-1, 0], [0, 1]], (12, 0)),
        (PLANE.T, [[0, 1], [1, 0]], (0, 0)),
        (np.rot90(PLANE), [[0, -1], [1, 0]], (12, 0)),
        (np.pad(PLANE, ((1, 2), (3, 4))), [[1, 0], [0, 1]], (-3, -1)),
    ],
    ids=["same", "bottom up", "right to left", "transposed", "turned", "larger"],
)
def test_a_raster_of_the_ground(array: np.ndarray, steps: list[list[int]], corner: Any, tmp_path: Path) -> None:
    photo = read_image(geotiff(tmp_path / "im.tif", 50 * PLANE, GROUND))
    path = geotiff(tmp_path / "l.tif", np.ascontiguousarray(array), ground_at(np.array(steps), corner))
    mask, lines = read_mask(path, photo)
    labels, more = read_labels(path, photo)
    assert lines == more == ()
    np.testing.assert_array_equal(mask, PLANE > 0)
    np.testing.assert_array_equal(labels, PLANE)


@pytest.mark.parametrize(
    ("matrix", "code", "says"),
    [
        (ground_at(np.eye(2), (1, 0)), 32633, "does not cover .*begins at \\(1, 0\\)"),
        (ground_at(np.eye(2), (0, 0.5)), 32633, "is shifted against .*by \\(0, 0.5\\) pixels"),
        (ground_at(2 * np.eye(2), (0, 0)), 32633, "has pixels of 20 × 20, .* of 10 × 10"),
        (GROUND, 32632, "is in EPSG:32632, .*im.tif in EPSG:32633"),
    ],
)
def test_a_raster_elsewhere(matrix: np.ndarray, code: int, says: str, tmp_path: Path) -> None:
    photo = read_image(geotiff(tmp_path / "im.tif", 50 * PLANE, GROUND))
    with pytest.raises(ImageError, match=f"l.tif: {says}"):
        read_mask(geotiff(tmp_path / "l.tif", PLANE, matrix, code), photo)


@pytest.mark.parametrize("raster_type", [1, 2])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_raster_whose_rows_are_stored_otherwise(orientation: int, raster_type: int, tmp_path: Path) -> None:
    """Places count along the stored rows; the same ground has the same label, however the picture is turned."""
    keys = (1, 1, 0, 2, 1025, 0, 1, raster_type, 3072, 0, 1, 32633)
    place = [(33550, "d", 3, (10.0, 10.0, 0.0), True), (33922, "d", 6, (0.0, 0, 0, 5e5, 4.6e6, 0), True)]
    tags = [*place, (34735, "H", len(keys), keys, True)]
    photo = read_image(geotiff(tmp_path / "im.tif", PLANE, GROUND))
    for dtype in (np.uint8, np.uint16):  # read through Pillow, and strip by strip
        path, stored = tmp_path / "l.tif", PLANE.astype(dtype)
        tifffile.imwrite(path, stored, extratags=[*tags, (274, "H", 1, orientation, True)])
        upright = read_image(path)
        assert (upright.shape == PLANE.shape) == (orientation < 5)
        if raster_type == 2:  # half a pixel away
            with pytest.raises(ImageError, match="is shifted"):
                read_labels(path, photo)
        else:
            np.testing.assert_array_equal(read_labels(path, photo).values, PLANE)


def test_a_raster_and_a_volume_are_never_matched_by_index(tmp_path: Path) -> None:
    photo = read_image(geotiff(tmp_path / "im.tif", PLANE, GROUND))
    with pytest.raises(ImageError, match=r"l\.nii: has an affine, .*im\.tif a geotransform"):
        read_mask(nifti(tmp_path / "l.nii", PLANE.T[:, :, None].copy()), photo)


def test_one_raster_without_a_place(tmp_path: Path) -> None:
    photo = read_image(geotiff(tmp_path / "im.tif", PLANE, GROUND))
    tifffile.imwrite(tmp_path / "l.tif", PLANE)
    (line,) = read_mask(tmp_path / "l.tif", photo)[1]
    assert line.startswith(f"the mask {tmp_path / 'l.tif'} tells no place in the world, {tmp_path / 'im.tif'} does")
    plain = read_image(tmp_path / "l.tif")
    (line,) = read_mask(tmp_path / "im.tif", plain)[1]
    assert line.startswith(f"{tmp_path / 'l.tif'} tells no place in the world, the mask {tmp_path / 'im.tif'} does")


def test_values_declared_to_be_no_data_are_no_labels(tmp_path: Path) -> None:
    photo = read_image(geotiff(tmp_path / "im.tif", PLANE, GROUND))
    path = geotiff(tmp_path / "l.tif", np.where(PLANE == 0, 255, PLANE), GROUND, nodata="255")
    np.testing.assert_array_equal(read_labels(path, photo).values, PLANE)


def test_bands_of_a_raster_are_planes_of_a_prior(tmp_path: Path) -> None:
    photo = read_image(geotiff(tmp_path / "im.tif", PLANE, GROUND))
    shares = RNG.random((9, 12, 3)).astype(np.float32)
    found, notices = read_planes(
        geotiff(tmp_path / "p.tif", shares[::-1], ground_at(np.diag([1, -1]), (0, 9))), photo, 3
    )
    np.testing.assert_array_equal(found, np.moveaxis(shares, 2, 0))
    assert notices == ()


def test_volumes_are_scored_place_by_place(tmp_path: Path) -> None:
    own = nifti(tmp_path / "own.nii", LABELS)
    array, affine = turned(LABELS, (2, 0, 1), (1, -1, 1))
    other = nifti(tmp_path / "other.nii", array.astype(np.float32), affine)
    np.save(tmp_path / "truth.npy", LABELS)
    for labels, truth, lines in (
        (own, other, 0),
        (other, own, 0),
        (own, tmp_path / "truth.npy", 1),
        (tmp_path / "truth.npy", own, 1),
        (own, LABELS, 1),
    ):
        found = emseg.evaluate(labels, [truth])
        assert found["scores"]["error"] == 0
        assert found["scores"]["adjusted_rand"] == 1
        assert len(found["warnings"]) == lines
    moved = AFFINE.copy()
    moved[0, 3] += 2
    with pytest.raises(ImageError, match=r"other\.nii: does not cover .*own\.nii"):
        emseg.evaluate(own, [nifti(tmp_path / "other.nii", LABELS, moved)])


def test_an_array_of_a_cube_has_slices_first_as_results_have(tmp_path: Path) -> None:
    cube = RNG.integers(0, 3, (5, 5, 5)).astype(np.uint8)
    path = nifti(tmp_path / "cube.nii", cube)
    np.save(tmp_path / "cube.npy", cube)  # in a file, as nibabel gives it
    for labels in (cube.transpose(2, 1, 0), tmp_path / "cube.npy"):
        found = emseg.evaluate(labels, path)
        assert found["scores"]["error"] == 0
        assert "matched by index" in found["warnings"][0]


def test_rasters_are_scored_place_by_place(tmp_path: Path) -> None:
    own = geotiff(tmp_path / "own.tif", PLANE, GROUND)
    other = geotiff(tmp_path / "other.tif", PLANE[::-1], ground_at(np.diag([1, -1]), (0, 9)))
    assert emseg.evaluate(own, [other])["scores"]["error"] == 0
    with pytest.raises(ImageError, match=r"other\.tif: does not cover .*own\.tif"):
        emseg.evaluate(own, [geotiff(tmp_path / "other.tif", PLANE, ground_at(np.eye(2), (1, 1)))])


def test_scribbles_start_and_prior_are_taken_from_volumes(tmp_path: Path) -> None:
    image = nifti(tmp_path / "im.nii", GREY)
    array, affine = turned(LABELS + 1, (1, 0, 2), (-1, 1, -1))
    labels = nifti(tmp_path / "labels.nii", array, affine)
    planes = np.stack([np.where(array == label, 0.8, 0.1) for label in (1, 2, 3)], axis=-1).astype(np.float32)
    prior = nifti(tmp_path / "prior.nii", planes, affine)
    for options in ({"init": labels}, {"scribbles": labels}, {"prior_map": prior}):
        found = emseg.segment(image, k=3, **options)
        np.testing.assert_array_equal(np.asarray(found.labels).reshape(BELOW.shape), BELOW + 1)
        assert not any("index" in line for line in found.report["warnings"])


def test_a_crop_is_put_in_its_place(tmp_path: Path) -> None:
    """What lies within the image, turned round too, says nothing of the rest: outside of masks, no label, no prior."""
    mask = np.zeros(PLANE.shape, np.uint8)
    mask[2:5, 3:7] = 1
    own = read_image(geotiff(tmp_path / "own.tif", PLANE, GROUND))
    crop = geotiff(tmp_path / "crop.tif", mask[1:6, 2:][::-1], ground_at(np.diag([1, -1]), (2, 6)))
    inside, notices = read_mask(crop, own)
    np.testing.assert_array_equal(inside, mask > 0)
    height, width = PLANE.shape
    (line,) = notices
    assert line == (
        f"{tmp_path / 'crop.tif'} covers {width - 2} × 5 of {width} × {height} pixels of {tmp_path / 'own.tif'}; "
        "the rest is outside of the mask"
    )
    labels, (line,) = read_labels(crop, own)
    np.testing.assert_array_equal(labels, mask)
    assert line.endswith("the rest has no label")
    shares = np.stack([mask, 1 - mask]).astype(np.float32)
    bands = np.moveaxis(shares[:, 1:6, 2:], 0, -1).copy()
    planes, (line,) = read_planes(geotiff(tmp_path / "p.tif", bands, ground_at(np.eye(2), (2, 1))), own, 2)
    assert line.endswith("the rest has no prior")
    np.testing.assert_array_equal(planes[:, 1:6, 2:], shares[:, 1:6, 2:])
    assert planes.sum() == shares[:, 1:6, 2:].sum()


def test_a_slab_of_a_volume_that_is_larger_along_other_axes(tmp_path: Path) -> None:
    volume = read_image(nifti(tmp_path / "own.nii", LABELS))
    wide = np.zeros((9, 6, 4), np.uint8)
    wide[2:-2] = LABELS > 0
    affine = AFFINE.copy()
    affine[:, 3] = AFFINE @ (-2, 0, 1, 1)
    inside, (line,) = read_mask(nifti(tmp_path / "slab.nii", wide[:, :, 1:-1], affine), volume)
    expected = LABELS > 0
    expected[:, :, [0, -1]] = False
    np.testing.assert_array_equal(inside, expected.transpose(2, 1, 0).reshape(volume.shape))
    assert "the rest is outside of the mask" in line
