"""`evaluate`: maps from arrays and files, several annotators in one file, and what is no label map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.errors import DataError, EmsegError, ImageError
from emseg.regions.scores import score

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(1, 4, (12, 15)).astype(np.uint8)
OWN = np.where(RNG.random(TRUTH.shape) < 0.8, TRUTH, RNG.integers(1, 4, TRUTH.shape)).astype(np.uint8)


def test_arrays_and_files_have_the_same_scores(tmp_path: Path) -> None:
    PIL.Image.fromarray(OWN).save(tmp_path / "own.png")
    np.save(tmp_path / "truth.npy", TRUTH.astype(float))
    found = emseg.evaluate(tmp_path / "own.png", [str(tmp_path / "truth.npy")])
    assert found["scores"] == emseg.evaluate(OWN, [TRUTH])["scores"] == score(OWN, [TRUTH])
    assert found["labels"] == str(tmp_path / "own.png")
    assert found["truths"] == [str(tmp_path / "truth.npy")]
    assert (found["pixels"], found["regions"], found["annotators"]) == (180, 3, 1)
    assert emseg.evaluate(OWN, [TRUTH])["truths"] == ["truth 1"]


def test_a_stack_holds_several_annotators() -> None:
    stack = np.stack([TRUTH, OWN, TRUTH])
    found = emseg.evaluate(OWN, [stack, TRUTH == 1], ignore=2)
    assert found["annotators"] == 4
    assert found["scores"] == score(OWN, [TRUTH, OWN, TRUTH, (TRUTH == 1).astype(np.uint8)], 2)


@pytest.mark.parametrize(
    ("labels", "truths", "options", "error", "message"),
    [
        (np.stack([OWN, OWN]), [TRUTH], {}, DataError, "labels: holds 2 label maps; give one to score"),
        (OWN, [TRUTH[1:]], {}, DataError, "truth 1: 15 × 11 pixels, the labels have 15 × 12"),
        (OWN, [], {}, DataError, "nothing to compare with"),
        (OWN, [0 * TRUTH], {"ignore": 0}, DataError, "a truth is 0 everywhere, no pixel is left; use another ignore"),
        (OWN / 7, [TRUTH], {}, ImageError, "labels: not a label map"),
        (OWN[0], [TRUTH], {}, ImageError, "not a label map"),
        (OWN[:0], [TRUTH], {}, ImageError, "not a label map"),
        ("none.png", [TRUTH], {}, ImageError, r"none\.png"),
        ("none.npy", [TRUTH], {}, ImageError, r"none\.npy: cannot be read"),
    ],
)
def test_what_cannot_be_scored(
    labels: Any, truths: list[Any], options: dict[str, Any], error: type[EmsegError], message: str
) -> None:
    with pytest.raises(error, match=message):
        emseg.evaluate(labels, truths, **options)


def test_one_truth_needs_no_list(tmp_path: Path) -> None:
    expected = score(OWN, [TRUTH])
    np.save(tmp_path / "truth.npy", TRUTH)
    PIL.Image.fromarray(OWN).save(tmp_path / "own.png")
    for labels in (OWN, OWN.tolist(), OWN[:, :, None], OWN[None], PIL.Image.fromarray(OWN), tmp_path / "own.png"):
        for truth in (TRUTH, TRUTH.tolist(), [TRUTH.tolist()], (TRUTH,), str(tmp_path / "truth.npy")):
            assert emseg.evaluate(labels, truth)["scores"] == expected
    twice = emseg.evaluate(OWN, [TRUTH.tolist(), TRUTH.tolist()])
    assert (twice["annotators"], twice["scores"]) == (2, score(OWN, [TRUTH, TRUTH]))


def test_a_result_is_a_label_map() -> None:
    result = emseg.segment(np.where(TRUTH > 1, 90.0, 10.0) + np.arange(15), k=2)
    assert emseg.evaluate(result, TRUTH > 1)["scores"] == emseg.evaluate(result.labels, TRUTH > 1)["scores"]


@pytest.mark.parametrize("ignore", [None, 1])
def test_masked_pixels_are_left_out(ignore: int | None) -> None:
    out = RNG.random(TRUTH.shape) < 0.3
    kept = ~out & (True if ignore is None else ignore != TRUTH)
    expected = score(OWN[kept], [TRUTH[kept]])
    masked = np.ma.masked_array(np.where(out, np.nan, TRUTH), out)
    assert emseg.evaluate(OWN, masked, ignore)["scores"] == expected
    assert emseg.evaluate(np.ma.masked_array(OWN, out), TRUTH, ignore)["scores"] == expected
    with pytest.raises(DataError, match="a truth is masked everywhere, no pixel is left; check the masks"):
        emseg.evaluate(OWN, np.ma.masked_array(TRUTH, True))


def test_volumes_of_one_shape() -> None:
    own, truth = np.stack([OWN, TRUTH]), np.stack([TRUTH, OWN])
    assert emseg.evaluate(own, truth)["scores"] == score(own.reshape(-1, 15), [truth.reshape(-1, 15)])


@pytest.mark.parametrize("ignore", [None, 2])
def test_no_data_of_a_truth_is_left_out_and_told(ignore: int | None, tmp_path: Path) -> None:
    truth = TRUTH.copy()
    truth[:3] = 255
    tifffile.imwrite(tmp_path / "truth.tif", truth, extratags=[(42113, "s", 0, "255")])
    found = emseg.evaluate(OWN, tmp_path / "truth.tif", ignore)
    masked = np.ma.masked_array(TRUTH, truth == 255)
    assert found["scores"] == emseg.evaluate(OWN, masked, ignore)["scores"]
    name = tmp_path / "truth.tif"
    assert found["warnings"] == [f"{name}: 45 pixels hold its value for no data, 255, and are left out"]
    tifffile.imwrite(tmp_path / "truth.tif", TRUTH, extratags=[(42113, "s", 0, "255")])
    assert emseg.evaluate(OWN, tmp_path / "truth.tif")["warnings"] == []
    tifffile.imwrite(tmp_path / "own.tif", OWN, extratags=[(42113, "s", 0, "3")])
    assert emseg.evaluate(tmp_path / "own.tif", TRUTH)["scores"] == emseg.evaluate(OWN, TRUTH)["scores"]
