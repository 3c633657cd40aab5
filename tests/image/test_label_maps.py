"""`read_labels`: stored integers of palette and grey PNG and of TIFF, and one line for everything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.errors import ImageError
from emseg.image.label_maps import read_label_image, read_labels, read_planes, stored_values
from emseg.image.model import Image
from emseg.image.stored_array import stored_array


def of(height: int, width: int) -> Image:
    """An image of that size, without a place."""
    return Image.from_array(np.zeros((height, width), np.uint8))


LABELS = np.random.default_rng(0).integers(0, 6, (7, 9)).astype(np.uint8)


def test_palette_indices_not_colours(tmp_path: Path) -> None:
    image = PIL.Image.new("P", (9, 7))
    image.putdata(LABELS.ravel().tolist())
    image.putpalette([255, 255, 255] * 3 + [9, 9, 9] * 3)  # colours repeat, indices do not
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png", of(7, 9)).values, LABELS)


@pytest.mark.parametrize("transparent", [0, 2])
def test_a_transparent_palette_entry_is_still_a_label(tmp_path: Path, transparent: int) -> None:
    image = PIL.Image.new("P", (9, 7))
    image.putdata(LABELS.ravel().tolist())
    image.putpalette(list(range(18)))
    image.save(tmp_path / "a.png", transparency=transparent)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png", of(7, 9)).values, LABELS)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_png(tmp_path: Path, dtype: type) -> None:
    labels = LABELS.astype(dtype) * (200 if dtype is np.uint16 else 1)
    PIL.Image.fromarray(labels).save(tmp_path / "a.png")
    found = read_labels(str(tmp_path / "a.png"), of(7, 9)).values
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_tiff_of_integers(tmp_path: Path, dtype: type) -> None:
    labels = LABELS.astype(dtype) * (np.iinfo(dtype).max // 8)
    tifffile.imwrite(tmp_path / "a.tif", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif", of(7, 9)).values, labels)


def test_what_the_phantom_generator_wrote(samples: Path) -> None:
    labels = read_labels(samples / "truth" / "phantom.labels.png", of(256, 256)).values
    assert sorted(set(labels.ravel().tolist())) == [1, 2, 3, 4]


def refused(path: Path, remedy: str, shape: tuple[int, int] = (7, 9)) -> None:
    with pytest.raises(ImageError, match=remedy) as caught:
        read_labels(path, of(*shape))
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_colours_and_fractions_are_refused(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.stack([LABELS] * 3, axis=-1)).save(tmp_path / "rgb.png")
    refused(tmp_path / "rgb.png", "palette or grey PNG")
    PIL.Image.fromarray(np.stack([LABELS] * 3, axis=-1)).save(tmp_path / "rgb.jpg")
    refused(tmp_path / "rgb.jpg", "palette or grey PNG")
    tifffile.imwrite(tmp_path / "rgb.tif", np.stack([LABELS] * 3, axis=-1), photometric="rgb")
    refused(tmp_path / "rgb.tif", "TIFF of integers")
    tifffile.imwrite(tmp_path / "float.tif", LABELS.astype(np.float32))
    refused(tmp_path / "float.tif", "TIFF of integers")


def test_a_grey_jpeg_is_no_label_map(tmp_path: Path) -> None:
    PIL.Image.fromarray(LABELS * 40).save(tmp_path / "grey.jpg")
    refused(tmp_path / "grey.jpg", "palette or grey PNG")


def test_another_size_is_refused(tmp_path: Path) -> None:
    PIL.Image.fromarray(LABELS).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "image's size", (9, 7))


def test_a_file_that_is_missing_or_damaged_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.png", "none")
    PIL.Image.fromarray(LABELS).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-30])
    refused(tmp_path / "a.png", "a")


def test_stored_values_are_indices_or_pixels(tmp_path: Path) -> None:
    for name in ("a.png", "a.gif"):
        PIL.Image.fromarray(LABELS).convert("P").save(tmp_path / name)
        with PIL.Image.open(tmp_path / name) as stored:
            np.testing.assert_array_equal(stored_values(tmp_path / name, of(7, 9)).values[:, :, 0], np.asarray(stored))
    colours = np.random.default_rng(0).integers(0, 256, (7, 9, 3)).astype(np.uint8)
    PIL.Image.fromarray(colours).save(tmp_path / "rgb.png")
    np.testing.assert_array_equal(stored_values(tmp_path / "rgb.png", of(7, 9)).values, colours)


def test_label_maps_of_several_annotators(tmp_path: Path) -> None:
    stack = np.stack([LABELS, LABELS + 1])
    np.save(tmp_path / "a.npy", stack)
    np.testing.assert_array_equal(read_label_image(tmp_path / "a.npy").pixels, stack)
    np.savez(tmp_path / "a.npz", other=LABELS, segs=stack)
    np.testing.assert_array_equal(read_label_image(tmp_path / "a.npz").pixels, stack)
    np.savez(tmp_path / "b.npz", other=LABELS)
    np.testing.assert_array_equal(read_label_image(str(tmp_path / "b.npz")).pixels[:, :, 0], LABELS)
    PIL.Image.fromarray(LABELS).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_image(tmp_path / "a.png").pixels[:, :, 0], LABELS)


def test_planes(tmp_path: Path) -> None:
    planes = np.random.default_rng(0).random((3, 7, 9)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="minisblack")
    np.save(tmp_path / "a.npy", planes)
    for name in ("a.tif", "a.npy"):
        np.testing.assert_array_equal(read_planes(tmp_path / name, of(7, 9), 3).values, planes)
    tifffile.imwrite(tmp_path / "one.tif", planes[0])
    np.testing.assert_array_equal(read_planes(tmp_path / "one.tif", of(7, 9), 1).values, planes[:1])


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.tif", "none.npy", "none.tif"])
def test_damaged_planes_are_refused(tmp_path: Path, name: str) -> None:
    if name.startswith("x"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(ImageError, match=f"{name}: .*; "):
        read_planes(tmp_path / name, of(7, 9), 3)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ImageError, match="no array of numbers"):
        stored_array(str(tmp_path / "x.npy"), "x.npy")
