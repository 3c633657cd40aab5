"""Labelling with a saved model: what the fit itself said, and other images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import emseg
from emseg.commands.apply import apply
from emseg.errors import DataError, UsageError
from emseg.mixture.saved import model_json

pytestmark = pytest.mark.long


def fitted(folder: Path, image: np.ndarray, **options: object) -> tuple[emseg.Segmentation, Path]:
    result = emseg.segment(image, **options)  # type: ignore[arg-type]
    path = folder / "m.emseg.json"
    path.write_bytes(model_json(result.report))
    return result, path


@pytest.fixture
def colours() -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.array([[20, 30, 40], [90, 200, 60], [220, 210, 200]])
    return np.clip(rng.normal(centres[rng.integers(0, 3, (30, 40))], 9), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"features": "rgb"},
        {"features": "lab,xy:0.5"},
        {"features": "gray,texture:2"},
        {"covariance": "EVE"},
        {"family": "gamma", "features": "rgb"},
        {"compress": False},
    ],
    ids=str,
)
def test_on_its_own_image_it_says_what_the_fit_said(tmp_path: Path, colours: np.ndarray, options: dict) -> None:
    result, path = fitted(tmp_path, np.maximum(colours, 1), k=3, **options)
    again = apply(path, np.maximum(colours, 1))
    np.testing.assert_array_equal(again.labels, result.labels)
    np.testing.assert_allclose(again.posterior(), result.posterior(), atol=1e-5)
    np.testing.assert_allclose(again.entropy(), result.entropy(), atol=1e-4)
    assert again.report["log_likelihood"] == pytest.approx(result.report["log_likelihood"], rel=1e-9)
    assert again.report["pixel_counts"] == result.report["pixel_counts"]
    np.testing.assert_array_equal(again.colours, result.colours)
    assert again.trace == ()


def test_each_pixel_goes_to_the_density_that_is_largest(tmp_path: Path, colours: np.ndarray) -> None:
    """Against the densities of scipy, on an image that the model has not seen."""
    from scipy.stats import multivariate_normal

    result, path = fitted(tmp_path, colours, k=3, features="rgb")
    other = np.random.default_rng(1).integers(0, 256, (20, 25, 3), np.uint8)
    parts = result.mixture.components
    joint = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(other.reshape(-1, 3))
        for weight, mean, covariance in zip(result.mixture.weights, parts.means, parts.covariances, strict=True)
    ]
    found = apply(path, other)
    np.testing.assert_array_equal(found.labels.ravel(), np.argmax(joint, axis=0) + 1)
    expected = np.logaddexp.reduce(joint, axis=0).sum()
    assert found.report["log_likelihood"] == pytest.approx(expected, rel=1e-9)


def test_a_constant_image_and_a_mask(tmp_path: Path, colours: np.ndarray) -> None:
    _, path = fitted(tmp_path, colours, k=3)
    flat = np.full((6, 8, 3), 210, np.uint8)
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:] = True
    found = apply(path, flat, mask=mask)
    np.testing.assert_array_equal(found.labels, np.where(mask, 3, 0))


def test_an_image_of_another_kind_is_refused(tmp_path: Path, colours: np.ndarray) -> None:
    _, path = fitted(tmp_path, colours, k=3)
    with pytest.raises(UsageError, match="lab does not fit a grey image"):
        apply(path, colours[..., 0])
    _, path = fitted(tmp_path, np.dstack([colours, colours[..., ::-1]]), k=3)
    with pytest.raises(UsageError, match=r"array: has 5 features by bands, the model 6; "):
        apply(path, np.dstack([colours, colours[..., :2]]))


def test_a_file_that_is_no_model(tmp_path: Path, colours: np.ndarray) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps({"format": "emseg-model"}))
    with pytest.raises(DataError, match=r"m.json: not a usable model"):
        apply(path, colours)


def test_pixels_known_in_part_get_the_labels_of_the_fit(tmp_path: Path, colours: np.ndarray) -> None:
    known = np.random.default_rng(1).random(colours.shape) > 0.3
    mask = known.astype(np.uint8)
    result, path = fitted(tmp_path, colours, k=3, features="rgb", mask=mask, missing="em")
    again = apply(path, colours, mask=mask, missing="em")
    np.testing.assert_array_equal(again.labels, result.labels)
    assert again.report["log_likelihood"] == pytest.approx(result.report["log_likelihood"], rel=1e-9)
    assert (apply(path, np.where(known, colours, np.nan)).labels == 0).sum() == (~known.all(axis=2)).sum()


def test_a_result_is_a_model(colours: np.ndarray) -> None:
    result = emseg.segment(colours, k=3)
    np.testing.assert_array_equal(emseg.apply(result, colours).labels, result.labels)
    assert emseg.apply(result, colours).report["model"] is None
    with pytest.raises(UsageError, match="model: is of type int; give a model, a result of segment, or a path"):
        emseg.apply(3, colours)  # type: ignore[arg-type]


def test_regions_of_a_saved_model() -> None:
    y, x = np.mgrid[:60, :160]
    rng = np.random.default_rng(0)

    def photo(count: int) -> np.ndarray:
        discs = (np.hypot(y - 30, x % 40 - 20) < 11) & (x < 40 * count)
        discs |= np.hypot(y - 46, x - 20) < 7  # it touches the first one
        return 60 + 120 * discs + rng.normal(0, 6, y.shape)

    fitted = emseg.segment(photo(4), k=2, split=True)
    assert fitted.regions is not None
    assert fitted.regions.count == 5
    found = emseg.apply(fitted.model, photo(2), split=True)
    assert found.regions is not None
    assert found.regions.count == found.report["regions"]["count"] == 3
    assert found.regions.classes.tolist() == [2, 2, 2]
    assert found.notices[-1].startswith("3 objects of class 2")
    assert emseg.apply(fitted.model, photo(2), regions=20).regions.count == 3
    assert emseg.apply(fitted.model, photo(2), regions="auto").regions.count >= 2
    with pytest.raises(UsageError, match="foreground='7': array has no class 7; there are 2 classes"):
        emseg.apply(fitted.model, photo(2), foreground=7)
    line = "neck=0.5 does nothing without split; add split=True, or leave it out"
    assert line in emseg.apply(fitted.model, photo(2), neck=0.5).report["warnings"]
