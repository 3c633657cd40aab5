"""`Model`: labels, probabilities, densities and samples, held against scikit-learn's and the results of `segment`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from scipy.stats import multivariate_normal

import emseg
from emseg.errors import DataError, OutputError, UsageError
from emseg.mixture.saved import model_json

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
TABLE = np.concatenate([RNG.normal(0, 1, (60, 3)), RNG.normal(4, 1.5, (40, 3))]) * [1, 10, 0.01]
GREY = np.clip(RNG.normal(np.where(np.arange(40) < 20, 80, 150), 9, (30, 40)), 0, 255).astype(np.uint8)
MASK = RNG.random(GREY.shape) < 0.9


@pytest.fixture(scope="module")
def model() -> emseg.Model:
    return emseg.fit(TABLE, k=2, floor=1e-11)


def log_joint(model: emseg.Model, x: np.ndarray, seen: slice | list[int] = slice(None)) -> np.ndarray:
    """Oracle: log π f of each class, (N, K), by SciPy's density."""
    parts = zip(model.weights, model.means, model.covariances, strict=True)
    return np.stack(
        [np.log(w) + multivariate_normal(m[seen], c[seen][:, seen]).logpdf(x[:, seen]) for w, m, c in parts], axis=1
    )


def test_numbers_of_a_table_are_those_of_its_densities(model: emseg.Model) -> None:
    joint = log_joint(model, TABLE)
    total = np.logaddexp(*joint.T)
    np.testing.assert_allclose(model.score_samples(TABLE), total, rtol=1e-11)
    np.testing.assert_allclose(model.predict_proba(TABLE), np.exp(joint - total[:, None]), atol=1e-12)
    np.testing.assert_array_equal(model.predict(TABLE), joint.argmax(1) + 1)
    assert model.score(TABLE) == pytest.approx(total.mean(), rel=1e-12)
    assert model.score(TABLE) == pytest.approx(model.report["log_likelihood_per_pixel"], rel=1e-12)
    np.testing.assert_array_equal(model.predict(TABLE.tolist()), model.predict(np.asfortranarray(TABLE)))


def test_scikit_learn_says_the_same(model: emseg.Model) -> None:
    sklearn = pytest.importorskip("sklearn.mixture")
    theirs = sklearn.GaussianMixture(2)
    theirs.weights_, theirs.means_, theirs.covariances_ = model.weights, model.means, model.covariances
    theirs.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(model.covariances))
    assert model.score(TABLE) == pytest.approx(theirs.score(TABLE), rel=1e-12)
    np.testing.assert_allclose(model.predict_proba(TABLE), theirs.predict_proba(TABLE), atol=1e-10)
    np.testing.assert_allclose(model.score_samples(TABLE), theirs.score_samples(TABLE), rtol=1e-10)
    np.testing.assert_array_equal(model.predict(TABLE), theirs.predict(TABLE) + 1)
    assert model.report["bic"] == pytest.approx(theirs.bic(TABLE), rel=1e-12)


def test_rows_known_in_part_count_by_that_part(model: emseg.Model) -> None:
    holes = TABLE[:6].copy()
    holes[:3, 1] = np.nan
    holes[3] = np.nan
    joint = log_joint(model, holes[:3], [0, 2])
    np.testing.assert_allclose(model.score_samples(holes)[:3], np.logaddexp(*joint.T), rtol=1e-11)
    assert np.isnan(model.score_samples(holes)[3])
    assert model.predict(holes)[3] == 0
    assert (model.predict_proba(holes)[3] == 0).all()
    assert model.score(holes) == pytest.approx(np.nanmean(model.score_samples(holes)))
    masked = np.ma.masked_invalid(holes)
    np.testing.assert_array_equal(model.predict_proba(masked), model.predict_proba(holes))


@pytest.mark.parametrize("options", [{}, {"features": "lab,xy:0.5"}, {"family": "student"}, {"noise": True}])
def test_numbers_of_an_image_are_those_of_segment(options: dict[str, Any], tmp_path: Path) -> None:
    pixels = np.dstack([GREY, 255 - GREY, GREY // 2]) if "features" in options else GREY
    pixels = np.where(RNG.random(GREY.shape)[:, :, None] < 0.02, 255, np.atleast_3d(pixels)).astype(np.uint8).squeeze()
    result = emseg.segment(pixels, k=2, mask=MASK, **options)  # type: ignore[arg-type]
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    for given in (pixels, tmp_path / "photo.png", PIL.Image.fromarray(pixels)):
        np.testing.assert_array_equal(result.model.predict(given, mask=MASK), result.labels)
        proba = result.model.predict_proba(given, mask=MASK)
        np.testing.assert_allclose(np.moveaxis(proba, -1, 0), result.posterior(), atol=1e-6)
        score = result.model.score(given, mask=MASK)
        assert score == pytest.approx(result.report["log_likelihood_per_pixel"], rel=1e-10)
    density = result.model.score_samples(pixels, mask=MASK)
    np.testing.assert_array_equal(np.isnan(density), ~MASK)
    assert result.model.report is result.report


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"covariance": "EVE"},
        {"family": "student"},
        {"noise": True},
        {"family": "gamma"},
        {"family": "poisson"},
        {"family": "von-mises"},
        {"censored": (0, 9)},
        {"truncated": "-50,"},
        {"partial_volume": True},
    ],
)
def test_a_model_comes_back_from_its_file(options: dict[str, Any], tmp_path: Path) -> None:
    table = np.abs(TABLE).round(3) + 0.001
    table = table.round() if options.get("family") == "poisson" else table
    table = np.clip(table, 0, 9) if "censored" in options else table
    model = emseg.fit(table[:, :2], k=2, **options)
    path = tmp_path / "folder" / "m.emseg.json"
    model.save(path)
    again = emseg.Model.load(str(path))
    assert isinstance(again, emseg.Model)
    np.testing.assert_allclose(again.predict_proba(table[:, :2]), model.predict_proba(table[:, :2]), atol=1e-12)
    again.save(path)
    assert emseg.Model.load(path).score(table[:, :2]) == pytest.approx(model.score(table[:, :2]), rel=1e-12)


def test_the_file_is_that_of_the_command_line(tmp_path: Path) -> None:
    result = emseg.segment(GREY, k=2, noise=True)
    result.model.save(tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_bytes()) == json.loads(model_json(result.report))
    np.testing.assert_array_equal(emseg.apply(tmp_path / "m.json", GREY).labels, result.labels)
    with pytest.raises(UsageError, match="where the noise of a saved model lies is not known"):
        emseg.Model.load(tmp_path / "m.json").sample(500)


def test_what_is_no_model_is_not_replaced(model: emseg.Model, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(OutputError, match=r"notes\.json: is no model of emseg; give overwrite=True"):
        model.save(tmp_path / "notes.json")
    model.save(tmp_path / "notes.json", overwrite=True)
    with pytest.raises(OutputError, match="is no ordinary file"):
        model.save(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        model.save(tmp_path / "notes.json" / "m.json")
    with pytest.raises(DataError, match=r"none\.json: not a usable model"):
        emseg.Model.load(tmp_path / "none.json")


def test_samples_are_reproducible_and_labelled(model: emseg.Model) -> None:
    x, labels = model.sample(5000, seed=1)
    assert x.shape == (5000, 3)
    np.testing.assert_array_equal(x, model.sample(5000, seed=1)[0])
    assert not np.array_equal(x, model.sample(5000, seed=2)[0])
    assert (model.predict(x) == labels).mean() > 0.95
    assert model.score(x) == pytest.approx(model.score(model.sample(5000, seed=3)[0]), abs=0.15)
    assert model.sample()[0].shape == (1, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda m: m.predict(np.ones((4, 2))),
            UsageError,
            r"table: has the shape \(4, 2\), the model 3 features",
        ),
        (lambda m: m.predict(np.ones(3)), DataError, "array: has the shape"),
        (lambda m: m.predict(TABLE, mask=np.ones(3)), UsageError, "mask: is for images; mark the missing values"),
        (lambda m: m.predict([["a", "b", "c"]]), DataError, "table: holds texts, .*; give rows and columns of numbers"),
        (lambda m: m.sample(0), UsageError, "n is 0; it must be a whole number of 1 or more"),
        (lambda m: m.sample(3, seed=-1), UsageError, "seed is -1; it must be a whole number of 0 or more"),
    ],
)
def test_what_cannot_be_asked(model: emseg.Model, call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(emseg.EmsegError, match=message) as caught:
        call(model)
    assert "\n" not in str(caught.value)


def test_a_text_of_five_lines(model: emseg.Model, tmp_path: Path) -> None:
    text = repr(model).splitlines()
    assert text[0] == "Model of 2 gaussian classes by bands"
    assert len(text) == 5
    model.save(tmp_path / "m.json")
    assert len(repr(emseg.Model.load(tmp_path / "m.json")).splitlines()) == 3
    assert model.warnings == ()


def test_features_that_depend_on_each_other(tmp_path: Path) -> None:
    """Likelihoods are of the independent ones."""
    pixels = np.dstack([GREY, 255 - GREY])
    model = emseg.segment(pixels, k=2, features="bands").model
    model.save(tmp_path / "m.json")
    table = pixels.reshape(-1, 2).astype(float)
    for own in (model, emseg.Model.load(tmp_path / "m.json")):
        np.testing.assert_array_equal(own.predict(table), own.predict(pixels).ravel())
        np.testing.assert_allclose(own.score_samples(table), own.score_samples(pixels).ravel(), rtol=1e-9)
        np.testing.assert_array_equal(own.predict(table), emseg.segment(GREY, k=2).labels.ravel())
        x, _ = own.sample(100)
        np.testing.assert_allclose(x.sum(1), 255, atol=1e-6)
