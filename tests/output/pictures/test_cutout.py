"""The marked object as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.errors import UsageError

MARKS = np.zeros((40, 50), np.uint8)
MARKS[3, 3:45], MARKS[36, 3:45], MARKS[15:25, 25] = 1, 1, 2
TRUTH = np.zeros(MARKS.shape, bool)
TRUTH[10:30, 15:35] = True
PHOTO = np.where(TRUTH[..., None], (220, 60, 40), (40, 90, 160)).astype(np.uint8)
PHOTO += np.random.default_rng(0).integers(0, 9, PHOTO.shape).astype(np.uint8)


def cutout(folder: Path, image: Any, **options: Any) -> np.ndarray:
    found = emseg.segment(image, **options)
    found.save(folder, name="p", save="cutout")
    with PIL.Image.open(folder / "p.cutout.png") as picture:
        return np.asarray(picture)


def test_colours_of_the_object_on_nothing(tmp_path: Path) -> None:
    picture = cutout(tmp_path, PHOTO, scribbles=MARKS)
    assert picture.shape == (40, 50, 4)
    assert (picture[12:28, 17:33, 3] == 255).all()
    assert (picture[~TRUTH][:, 3] < 60).all()
    assert (picture[:6, :, 3] == 0).all()
    np.testing.assert_array_equal(picture[14:26, 19:31, :3], PHOTO[14:26, 19:31])
    assert (picture[picture[..., 3] == 0] == 0).all()


def test_the_ground_is_what_surrounds_the_object_whatever_its_number(tmp_path: Path) -> None:
    swapped = cutout(tmp_path, PHOTO, scribbles=np.where(MARKS > 0, 3 - MARKS, 0))
    assert swapped[20, 25, 3] == 255
    assert swapped[2, 2, 3] == 0
    reverse = cutout(tmp_path, PHOTO, scribbles=MARKS, foreground="1")
    assert reverse[20, 25, 3] == 0
    assert reverse[2, 2, 3] == 255


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_grey_of_any_depth(tmp_path: Path, kind: Any) -> None:
    grey = PHOTO[..., 0].astype(kind) * (257 if kind is np.uint16 else 1)
    picture = cutout(tmp_path, grey, scribbles=MARKS)
    assert picture.shape == (40, 50, 2)
    assert picture[20, 25, 1] == 255
    if kind is np.uint16:
        assert picture[20, 25, 0] == PHOTO[20, 25, 0]


def test_bands_volumes_boxes_and_models(tmp_path: Path) -> None:
    bands = np.concatenate([PHOTO, PHOTO[..., :2]], axis=2)
    assert cutout(tmp_path, bands, scribbles=MARKS, features="bands").shape == (40, 50, 2)
    assert cutout(tmp_path, PHOTO, box=(12, 7, 26, 26))[20, 25, 3] == 255
    assert cutout(tmp_path, PHOTO, scribbles=MARKS, k=2, mrf="none")[20, 25, 3] == 255
    volume = np.concatenate([PHOTO[..., :1]] * 2)
    image = emseg.Image(volume, "gray", metadata={"volume": (2, 40, 50)})
    assert cutout(tmp_path, image, scribbles=np.stack([MARKS] * 2))[20, 25, 1] == 255


def test_without_marks_there_is_nothing_to_cut_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is nothing to write; add scribbles"):
        emseg.segment(PHOTO, k=2).save(tmp_path, save="cutout")
