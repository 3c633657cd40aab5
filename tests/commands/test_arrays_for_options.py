"""Scribbles, priors and starts from memory: the same as from files of the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.errors import EmsegError

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
TRUTH = np.where(np.arange(24) < 12, 1, 2) * np.ones((20, 1), int)
GREY = np.clip(RNG.normal(np.where(TRUTH == 1, 80, 150), 25), 0, 255).astype(np.uint8)
MARKS = np.where(RNG.random(TRUTH.shape) < 0.1, TRUTH, 0)
PRIOR = np.stack([TRUTH == 1, TRUTH == 2]) * 0.6 + 0.2


def labels(**options: Any) -> np.ndarray:
    return emseg.segment(GREY, k=2, **options).labels


def test_scribbles(tmp_path: Path) -> None:
    PIL.Image.fromarray(MARKS.astype(np.uint8)).save(tmp_path / "marks.png")
    expected = labels(scribbles=tmp_path / "marks.png")
    for given in (
        MARKS,
        MARKS.tolist(),
        MARKS[:, :, None],
        MARKS.astype(float),
        np.where(MARKS, MARKS, np.nan),
        np.ma.masked_equal(MARKS, 0),
        PIL.Image.fromarray(MARKS.astype(np.uint8)),
    ):
        np.testing.assert_array_equal(labels(scribbles=given), expected)


def test_a_prior_map(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "prior.tif", PRIOR.astype(np.float32))
    expected = labels(prior_map=tmp_path / "prior.tif")
    for given in (PRIOR, PRIOR.tolist(), np.moveaxis(PRIOR, 0, -1)):
        np.testing.assert_array_equal(labels(prior_map=given), expected)


def test_a_start(tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", TRUTH)
    fitted = emseg.segment(GREY, k=2)
    fitted.model.save(tmp_path / "m.json")
    expected = labels(init=tmp_path / "labels.npy")
    for labelled in (TRUTH, TRUTH.tolist()):
        np.testing.assert_array_equal(labels(init=labelled), expected)
    for model in (fitted, fitted.model):
        np.testing.assert_array_equal(labels(init=model), labels(init=tmp_path / "m.json"))


def test_reports_say_where_a_value_came_from() -> None:
    options = emseg.segment(GREY, k=2, scribbles=MARKS, init=TRUTH).report["options"]
    assert json.loads(json.dumps(options))["scribbles"] == "array"
    assert options["init"] == "array"
    assert emseg.segment(GREY, k=2, init=emseg.segment(GREY, k=2)).report["options"]["init"] == "model"


def test_of_a_volume_values_have_its_shape() -> None:
    shape = (3, *GREY.shape)
    image = emseg.Image(np.tile(GREY, (3, 1))[:, :, None], "gray", metadata={"volume": shape})
    marks, prior = np.stack([MARKS] * 3), np.stack([PRIOR] * 3, axis=1)
    assert emseg.segment(image, k=2, scribbles=marks).labels.shape == shape
    assert emseg.segment(image, k=2, prior_map=prior).labels.shape == shape
    assert emseg.segment(image, k=2, init=marks).labels.shape == shape


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"scribbles": MARKS[1:]},
            r"scribbles: labels of shape \(19, 24\) for array of shape",
        ),
        ({"scribbles": MARKS / 3}, "scribbles: holds fractions or numbers below 0"),
        ({"init": -TRUTH}, "init: holds fractions or numbers below 0; labels are 1 and more"),
        ({"scribbles": 3 * MARKS}, r"scribbles='array': holds label 6 of 2 components"),
        ({"scribbles": 0 * MARKS}, r"scribbles='array': label 1 of 2 marks no valid pixel"),
        ({"scribbles": [["a"]]}, "scribbles: holds texts"),
        ({"scribbles": 3}, "scribbles is 3; it must be a path or an array"),
        (
            {"scribbles": emseg.fit(RNG.normal(size=(9, 1)), k=1)},
            "it must be a path or an array",
        ),
        ({"init": None}, "init is None; it must be one of .*, a path, a model or an array"),
        (
            {"prior_map": PRIOR[:1]},
            r"prior_map: has the shape \(1, 20, 24\); give 2 × 20 × 24 numbers",
        ),
        ({"prior_map": -PRIOR}, "prior_map: a prior holds values below 0"),
        ({"init": 0 * TRUTH}, "init='array': holds no label above 0"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EmsegError, match=message) as caught:
        labels(**options)
    assert "\n" not in str(caught.value)
