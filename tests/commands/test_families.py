"""`--family` and `--noise` from image to report: known parameters come back, and impossible pairings are one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emseg
from emseg.errors import DataError, UsageError
from emseg.mixture.saved import model_json

SIDE = 96
RNG = np.random.default_rng(0)
TRUTH = np.repeat(np.repeat(RNG.integers(0, 3, (8, 8)), SIDE // 8, 0), SIDE // 8, 1)
DRAWN: dict[str, tuple[np.ndarray, list[float]]] = {
    "poisson": (RNG.poisson(np.array([2.0, 12, 40])[TRUTH]).astype(np.uint8), [2, 12, 40]),
    "gamma": ((speckle := np.array([2.0, 30, 400])[TRUTH]) * RNG.gamma(5, 0.2, speckle.shape), [2, 30, 400]),
    "von-mises": (
        (np.array([0.4, 2.5, 5.6])[TRUTH] + 0.3 * RNG.normal(size=TRUTH.shape)) % (2 * np.pi),
        [0.4, 2.5, 5.6],
    ),
}


@pytest.mark.parametrize("family", DRAWN)
def test_known_parameters_come_back(family: str) -> None:
    image, means = DRAWN[family]
    found, plain = (emseg.segment(image, k=3, family=name) for name in (family, "gaussian"))
    report = found.report
    np.testing.assert_allclose(np.ravel(report["means"]), means, rtol=0.05, atol=0.03)
    assert report["family"] == report["options"]["family"] == family
    assert report["log_likelihood"] > plain.report["log_likelihood"]
    assert (found.labels - 1 != TRUTH).mean() < 0.05
    if family == "gamma":
        np.testing.assert_allclose(np.ravel(report["parameters"]["shapes"]), 5, rtol=0.15)
    if family == "von-mises":
        np.testing.assert_allclose(np.ravel(report["parameters"]["concentrations"]), 1 / 0.09, rtol=0.15)


def test_hue_is_the_feature_of_angles() -> None:
    rng = np.random.default_rng(1)
    red, green = np.array([200, 20, 30]), np.array([20, 180, 40])
    image = np.where(TRUTH[..., None] > 0, red, green) + rng.integers(-10, 10, (*TRUTH.shape, 3))
    found = emseg.segment(image.astype(np.uint8), k=2, family="von-mises")
    assert found.report["features"] == {"spec": "hue", "names": ["hue"]}
    assert min((found.labels - 1 != (TRUTH > 0)).mean(), (found.labels - 1 != (TRUTH == 0)).mean()) < 0.01


@pytest.mark.parametrize("dof", ["each", "common", 3])
def test_heavy_tails_come_back(dof: float | str) -> None:
    rng = np.random.default_rng(3)
    image = np.array([80.0, 120, 160])[TRUTH] + 2 * rng.standard_t(3, TRUTH.shape)
    found, plain = emseg.segment(image, k=3, family="student", dof=dof), emseg.segment(image, k=3)
    report = found.report
    np.testing.assert_allclose(np.ravel(report["means"]), [80, 120, 160], atol=0.15)
    np.testing.assert_allclose(np.ravel(report["parameters"]["scales"]), 4, rtol=0.15)
    np.testing.assert_allclose(report["parameters"]["dof"], 3, rtol=0.25)
    np.testing.assert_allclose(report["covariances"], found.mixture.components.covariances)
    assert report["n_parameters"] == 8 + {"each": 3, "common": 1}.get(str(dof), 0)
    assert report["log_likelihood"] > plain.report["log_likelihood"] + 1000
    assert (found.labels - 1 != TRUTH).mean() < 0.01


def test_covariances_that_are_infinite_are_null(tmp_path: Path) -> None:
    image = np.array([80.0, 160])[TRUTH // 2] + np.random.default_rng(4).standard_t(1, TRUTH.shape)
    found = emseg.segment(image, k=2, family="student", dof=1)
    assert found.report["covariances"] == [None, None]
    assert json.loads(json.dumps(found.report, allow_nan=False)) == found.report
    assert found.report["icl"] < emseg.segment(image, k=2).report["icl"]
    path = tmp_path / "m.json"
    path.write_bytes(model_json(found.report))
    again = emseg.segment(image, k=2, family="student", dof="common", init=str(path))
    assert again.report["parameters"]["dof"][0] == again.report["parameters"]["dof"][1]
    assert again.report["log_likelihood"] >= found.report["log_likelihood"]
    np.testing.assert_array_equal(emseg.apply(str(path), image).labels, found.labels)


def test_outliers_get_a_label_of_their_own() -> None:
    rng = np.random.default_rng(2)
    image = np.where(TRUTH > 0, 100.0, 140.0) + rng.normal(size=TRUTH.shape)
    litter = rng.random(TRUTH.shape) < 0.03
    image[litter] = rng.uniform(0, 255, litter.sum())
    found = emseg.segment(image, k=2, noise=True)
    report = found.report
    np.testing.assert_allclose(np.ravel(report["means"]), [100, 140], atol=0.1)
    np.testing.assert_allclose(np.ravel(report["covariances"]), 1, atol=0.15)
    assert report["K"] == 2
    assert report["noise"]["label"] == found.labels.max() == 3
    assert report["noise"]["weight"] == pytest.approx(0.03, abs=0.006)
    assert sum(report["pixel_counts"]) + report["noise"]["pixels"] == report["pixels"]
    assert (found.labels[litter] == 3).mean() > 0.9


@pytest.mark.parametrize(
    ("image", "options", "error", "words"),
    [
        (np.array([[-1.0, 2, 3]]), {"family": "poisson"}, DataError, "below 0 in 1 pixels.*mask"),
        (np.array([[0, 2, 3]], np.uint8), {"family": "gamma"}, DataError, "not above 0 in 1 pixels.*mask"),
        (np.array([[0, 2, 3]], np.uint8), {"family": "von-mises"}, UsageError, "gray is no angle.*hue"),
        (
            np.array([[1, 2, 3]], np.uint8),
            {"family": "gamma", "covariance": "tied"},
            UsageError,
            "use family gaussian or student",
        ),
        (np.array([[1, 2, 3]], np.uint8), {"family": "gamma", "features": "gray:2"}, UsageError, "weights do nothing"),
        (np.array([[1, 2, 3]], np.uint8), {"family": "cauchy"}, UsageError, "one of gaussian, student, poisson"),
        (np.array([[1, 2, 3]], np.uint8), {"dof": 4}, UsageError, "dof=4.0: gaussian has no.*family='student'"),
        (np.array([[1, 2, 3]], np.uint8), {"family": "student", "dof": 0}, UsageError, "a number above 0, 'each'"),
        (np.array([[1, 2, 3]], np.uint8), {"family": "student", "dof": "all"}, UsageError, "dof is 'all'"),
        (np.array([[1, 2, 3]], np.uint8), {"algorithm": "px"}, UsageError, "family='student'"),
        (np.array([[1, 2, 3]], np.uint8), {"family": "student", "algorithm": "vb"}, UsageError, "family='gaussian'"),
        (np.array([[1, 2, 3]], np.uint8), {"family": "poisson", "algorithm": "vb"}, UsageError, "family='gaussian'"),
        (np.array([[1, 2, 3]], np.uint8), {"family": "poisson", "algorithm": "ecm"}, UsageError, "algorithm='em'"),
        (np.array([[1, 2, 3]], np.uint8), {"noise": True, "algorithm": "vb"}, UsageError, "leave out noise=True"),
        (
            np.array([[1, 2, 3]], np.uint8),
            {"noise": True, "k": "1:2", "criterion": "mml"},
            UsageError,
            "annihilates",
        ),
        (np.eye(3)[None] * 255, {"family": "poisson", "features": "lab"}, DataError, "below 0"),
    ],
)
def test_impossible_pairings_are_one_line(
    image: np.ndarray, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        emseg.segment(image.astype(np.uint8) if image.ndim == 3 else image, **{"k": 2} | options)
    assert "\n" not in str(caught.value)
