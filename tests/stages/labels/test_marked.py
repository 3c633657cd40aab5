"""What is marked is cut out: pictures whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import emseg
from emseg.errors import DataError, EmsegError, UsageError

Picture = tuple[np.ndarray, np.ndarray, np.ndarray]
COLOURS = {"ground": ((60, 120, 60), (150, 160, 200)), "object": ((170, 60, 50), (60, 110, 70))}


@pytest.fixture(scope="module")
def picture() -> Picture:
    """An object of red and of nearly the ground's green, its marks, and a twin of it that nobody marks."""
    rng = np.random.default_rng(0)
    truth = np.zeros((70, 90), int)
    truth[15:55, 20:50] = 1
    image = np.empty((*truth.shape, 3))
    image[:35], image[35:] = COLOURS["ground"]
    image[15:35, 20:50], image[35:55, 20:50] = COLOURS["object"]
    image[25:45, 65:80] = COLOURS["object"][0]
    marks = np.zeros(truth.shape, np.uint8)
    marks[5, 5:80], marks[64, 5:80], marks[20:50, 35] = 1, 1, 2
    return np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8), truth, marks


def test_an_object_of_two_colours_is_whole_and_its_twin_is_not(picture: Picture) -> None:
    image, truth, marks = picture
    found = emseg.segment(image, scribbles=marks)
    assert np.mean(found.labels != truth + 1) < 0.005
    assert np.mean(emseg.segment(image, k=2, mrf="none", scribbles=marks).labels != truth + 1) > 0.1
    report = found.report["mrf"]
    assert (report["method"], report["ground"], report["contrast"]) == ("marked", 1, True)
    assert [len(part["weights"]) for part in report["components"]] >= [2, 2]
    assert [part["label"] for part in report["left_out"]] == [2]
    posterior = found.posterior()
    np.testing.assert_allclose(posterior.sum(0), 1, atol=1e-5)
    np.testing.assert_array_equal(posterior.argmax(0) + 1, found.labels)
    told = "\n".join(found.warnings)
    assert "1 part looks like class 2 and touches none of its marks" in told
    assert "2 classes are marked, so K is 2" in told


@pytest.mark.parametrize("turn", [lambda a: a[::-1].copy(), lambda a: np.swapaxes(a, 0, 1).copy()])
def test_it_does_not_matter_how_the_picture_is_turned_or_which_class_is_the_ground(picture: Picture, turn: Any) -> None:
    image, truth, marks = picture
    swapped = np.where(marks > 0, 3 - marks, 0)
    found = emseg.segment(turn(image), k=2, scribbles=turn(swapped))
    assert np.mean(found.labels != turn(2 - truth)) < 0.005
    assert found.report["mrf"]["ground"] == 2


def test_a_large_picture_is_cut_at_a_smaller_size_first(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    image, truth, marks = picture
    monkeypatch.setattr("emseg.mrf.marked.fit.WHOLE", 2000)
    found = emseg.segment(image, k=2, scribbles=marks)
    assert found.report["mrf"]["halvings"] == 1
    assert np.mean(found.labels != truth + 1) < 0.008
    assert (found.labels[marks > 0] == marks[marks > 0]).all()


def test_a_box_needs_no_strokes(picture: Picture) -> None:
    image, truth, _ = picture
    image = image.copy()
    image[image[..., 0] < 0] = 0
    plain = image[:, :60]
    found = emseg.segment(plain, box=(16, 11, 38, 48))
    assert np.mean(found.labels != truth[:, :60] + 1) < 0.01
    np.testing.assert_array_equal(emseg.segment(plain, box="16,11,38,48").labels, found.labels)
    assert (found.labels[:11] == 1).all()
    assert found.report["options"]["box"] == "16,11,38,48"


def test_three_classes(picture: Picture) -> None:
    image, truth, marks = picture
    wanted = truth + 1
    wanted[25:45, 65:80] = 3
    marks = marks.copy()
    marks[30:40, 72] = 3
    found = emseg.segment(image, scribbles=marks)
    assert np.mean(found.labels != wanted) < 0.01
    assert found.report["K"] == 3
    assert found.report["mrf"]["left_out"] == []


def test_marks_count_where_the_values_speak_against_them(picture: Picture) -> None:
    image, _, marks = picture
    marks = marks.copy()
    marks[0, 0] = 2
    found = emseg.segment(image, scribbles=marks)
    assert (found.labels[marks > 0] == marks[marks > 0]).all()
    assert found.posterior()[1, 0, 0] > 0.99


def test_masks_volumes_and_missing_pixels(picture: Picture) -> None:
    image, truth, marks = picture
    mask = np.ones(truth.shape, np.bool_)
    mask[:, 84:] = False
    found = emseg.segment(image, scribbles=marks, mask=mask)
    assert (found.labels[~mask] == 0).all()
    assert np.mean(found.labels[mask] != truth[mask] + 1) < 0.006
    volume = np.stack([image[..., 0]] * 3)[:, :, :60]
    slices = emseg.Image(volume.reshape(-1, 60, 1), "gray", metadata={"volume": volume.shape})
    deep = emseg.segment(slices, scribbles=np.stack([marks[:, :60]] * 3))
    assert deep.labels.shape == volume.shape
    assert (deep.labels[1][marks[:, :60] > 0] == marks[:, :60][marks[:, :60] > 0]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mrf": "marked"}, "nothing is marked; give scribbles or box"),
        ({"box": "0,0,99,99"}, "leaves no ground outside of it"),
        ({"box": "95,0,9,9"}, "lies outside of array, which is 90 × 70"),
        ({"box": "5,5,9"}, "must be a rectangle X,Y,W,H in whole pixels"),
        ({"box": (1, 2, 3, 0)}, "must be a rectangle X,Y,W,H in whole pixels"),
        ({"box": "5,5,9,9", "mrf": "auto"}, "goes with mrf='marked' alone"),
        ({"box": "5,5,9,9", "k": "auto"}, "give one number of components"),
        ({"scribbles": "marks", "mrf": "marked", "family": "student"}, "classes are of several Gaussians"),
        ({"scribbles": "gap"}, "holds label 3, and none of label 2; number classes from 1 on"),
        ({"scribbles": "white"}, "holds label 255; number classes from 1 on"),
    ],
)
def test_what_does_not_go(picture: Picture, options: dict[str, Any], message: str) -> None:
    image, _, marks = picture
    maps = {"marks": marks, "gap": np.where(marks == 2, 3, marks), "white": np.where(marks == 2, 255, marks)}
    if "scribbles" in options:
        options = {**options, "scribbles": maps[options["scribbles"]]}
    with pytest.raises(EmsegError, match=message) as caught:
        emseg.segment(image, **options)
    assert isinstance(caught.value, UsageError | DataError)


def test_other_families_are_fitted_as_before(picture: Picture) -> None:
    image, _, marks = picture
    found = emseg.segment(image, k=2, scribbles=marks, family="student")
    assert found.report["mrf"]["method"] == "none"
