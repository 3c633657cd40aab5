"""`--scribbles`: marks keep their labels and numbers, and tell apart what the values alone would not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.errors import DataError, UsageError

pytestmark = pytest.mark.long


@pytest.fixture
def picture() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = np.zeros((60, 60), int)
    z[:, 30:] = 1
    z[20:40, 20:40] = 2
    return z, rng.normal(np.array([150.0, 100.0, 120.0])[z], 12)


def saved(marks: np.ndarray, folder: Path) -> str:
    PIL.Image.fromarray(marks.astype(np.uint8)).save(folder / "marks.png")
    return str(folder / "marks.png")


@pytest.mark.parametrize("method", ["auto", "icm", "mean-field"])
def test_marks_give_classes_their_numbers(picture: tuple, method: str, tmp_path: Path) -> None:
    z, image = picture
    marks = np.zeros(z.shape, int)
    marks[5, 2:20], marks[50, 35:55], marks[28:32, 25:35] = 1, 2, 3
    marks[0, 0] = 3  # against the values, and kept
    found = emseg.segment(image, k=3, mrf=method, scribbles=saved(marks, tmp_path))
    assert (found.labels[marks > 0] == marks[marks > 0]).all()
    assert (found.labels == z + 1).mean() > 0.97
    assert found.posterior()[2, 0, 0] > 0.99
    np.testing.assert_allclose(found.mixture.components.means.ravel(), [150, 100, 120], atol=3)


def test_what_marks_cannot_say(picture: tuple, tmp_path: Path) -> None:
    z, image = picture
    marks = z + 1
    with pytest.raises(UsageError, match="holds label 3 of 2 components"):
        emseg.segment(image, k=2, mrf="auto", scribbles=saved(marks, tmp_path))
    with pytest.raises(UsageError, match="label 4 of 4 marks no valid pixel"):
        emseg.segment(image, k=4, mrf="auto", scribbles=saved(marks, tmp_path))
    with pytest.raises(UsageError, match="give one number of components"):
        emseg.segment(image, k="2:3", mrf="auto", scribbles=saved(marks, tmp_path))
    flat = np.where(z == 2, 50.0, 90.0)
    marks = np.zeros(z.shape, int)
    marks[0, :9], marks[30, 25:30], marks[59, :9] = 1, 2, 3
    with pytest.raises(DataError, match="labels 1 and 3 contradict"):
        emseg.segment(flat + np.arange(60) % 2, k=3, mrf="auto", scribbles=saved(marks, tmp_path))


def test_without_a_field_it_is_semi_supervised_em(tmp_path: Path) -> None:
    """Against EM written out, with the responsibilities of marked pixels fixed; classes overlap, so marks matter."""
    rng = np.random.default_rng(1)
    z = (rng.random((40, 50)) < 0.3).astype(int)
    image = rng.normal(np.array([100.0, 130.0])[z], 20)
    marks = np.where(rng.random(z.shape) < 0.3, z + 1, 0)
    found = emseg.segment(image, k=2, mrf="none", scribbles=saved(marks, tmp_path), compress=False)
    x, mark = image.ravel(), marks.ravel()
    r = np.where(mark > 0, mark == 1, 0.5)
    for turn in range(3000):
        first = mark > 0 if turn == 0 else np.ones(x.size, bool)  # starts from the marked pixels
        share = np.stack([r, 1 - r]) * first
        n = share.sum(1)
        mean = share @ x / n
        variance = (share * (x - mean[:, None]) ** 2).sum(1) / n
        joint = np.log(n / n.sum()) - 0.5 * np.log(variance) - 0.5 * (x[:, None] - mean) ** 2 / variance
        r = np.where(mark > 0, mark == 1, 1 / (1 + np.exp(joint[:, 1] - joint[:, 0])))
    np.testing.assert_allclose(found.mixture.weights, n / n.sum(), atol=1e-3)
    np.testing.assert_allclose(found.mixture.components.means.ravel(), mean, atol=0.05)
    np.testing.assert_allclose(found.mixture.components.covariances.ravel(), variance, rtol=5e-3)
    assert (found.labels[marks > 0] == marks[marks > 0]).all()
    free = marks.ravel() == 0
    np.testing.assert_allclose(found.posterior()[0].ravel()[free], r[free], atol=5e-3)
    assert found.report["mrf"]["method"] == "none"
    assert found.report["mrf"]["beta"] == 0


def test_marks_in_the_colours_of_another_class(samples: Path) -> None:
    """Their densities are far below those of the other class, and count all the same: the objective never falls.

    Warnings are errors here.
    """
    with PIL.Image.open(samples / "brick.png") as picture:
        image = np.asarray(picture)[:160, :160]
    marks = np.zeros((160, 160), np.uint8)
    marks[100:108, 26:66], marks[3:8, 10:-10], marks[10:-10, 3:8] = 2, 1, 1
    found = emseg.segment(image, k=2, mrf="none", scribbles=marks)
    assert (found.labels[marks > 0] == marks[marks > 0]).all()
