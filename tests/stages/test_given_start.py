"""Starts from a file: a label map, or a saved model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import emseg
from emseg.errors import DataError, EmsegError, ImageError, UsageError
from emseg.mixture.covariance.registry import ALIASES
from emseg.mixture.saved import model_json

Picture = tuple[np.ndarray, np.ndarray]
Write = Callable[[np.ndarray], str]


@pytest.mark.parametrize("covariance", ALIASES)
def test_a_label_map_starts_at_the_moments_of_its_regions(picture: Picture, label_file: Write, covariance: str) -> None:
    """With max_iter=1 the first M-step follows; the log's first row is the likelihood of the moments themselves."""
    array, truth = picture
    found = emseg.segment(array, 3, init=label_file(truth), features="rgb", covariance=covariance, max_iter=1, floor=0)
    x = array.reshape(-1, 3).astype(float)
    regions = [x[truth.ravel() == label] for label in (1, 2, 3)]
    weights = np.array([len(region) for region in regions]) / len(x)
    sigma = np.stack([np.cov(region.T, bias=True) for region in regions])
    if covariance == "tied":
        sigma = np.stack([np.tensordot(weights, sigma, 1)] * 3)
    if covariance == "diag":
        sigma *= np.eye(3)
    if covariance == "spherical":
        sigma = np.trace(sigma, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    joint = [
        np.log(w) + multivariate_normal(r.mean(0), s).logpdf(x) for w, r, s in zip(weights, regions, sigma, strict=True)
    ]
    assert found.trace[0].log_likelihood == pytest.approx(logsumexp(joint, axis=0).sum(), rel=1e-9)
    assert found.report["search_e_steps"] == 0


def test_zero_in_a_label_map_says_nothing_and_numbers_may_have_gaps(picture: Picture, label_file: Write) -> None:
    array, truth = picture
    sparse = np.array([0, 4, 90, 200], np.uint8)[truth]
    sparse[::2] = 0
    found = emseg.segment(array, 3, init=label_file(sparse))
    np.testing.assert_array_equal(found.labels, truth)


@pytest.mark.parametrize(
    ("change", "k", "error", "remedy"),
    [
        (lambda labels: labels, 4, UsageError, "k=3"),
        (lambda labels: labels[:-1], 3, ImageError, "image's size"),
        (lambda labels: np.where(labels == 1, 0, labels), 3, UsageError, "k=2"),
        (lambda labels: 0 * labels, 3, UsageError, "holds no label above 0"),
    ],
)  # fmt: skip
def test_a_label_map_that_does_not_fit_is_refused(
    picture: Picture, label_file: Write, change: Callable[[np.ndarray], np.ndarray], k: int, error: type[EmsegError],
    remedy: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=remedy) as caught:
        emseg.segment(picture[0], k, init=label_file(change(picture[1])))
    assert "\n" not in str(caught.value)


def test_a_label_outside_the_mask_is_refused(picture: Picture, label_file: Write) -> None:
    array, truth = picture
    with pytest.raises(UsageError, match=r"label 3 .*valid pixel"):
        emseg.segment(array, 3, init=label_file(truth), mask=truth < 3)


@pytest.mark.parametrize("init", ["kmeans", "no/such/file.png"])
def test_an_init_that_is_neither_a_name_nor_a_file_is_an_error_with_a_remedy(picture: Picture, init: str) -> None:
    with pytest.raises(EmsegError, match=init):
        emseg.segment(picture[0], 3, init=init)


def test_an_init_file_that_is_neither_labels_nor_model_is_refused(picture: Picture, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("buy milk")
    with pytest.raises(EmsegError, match=r"notes\.txt"):
        emseg.segment(picture[0], 3, init=str(path))


def test_a_start_without_extent_is_refused(label_file: Write) -> None:
    """Without a floor, a region of one colour is a singular component."""
    array = np.random.default_rng(0).integers(0, 255, (20, 20, 3)).astype(np.uint8)
    array[:10] = 40
    start = np.repeat([1, 2], 10)[:, None] * np.ones((1, 20))
    with pytest.raises(DataError, match="give a floor above 0"):
        emseg.segment(array, 2, init=label_file(start), floor=0, features="rgb")


def saved(found: emseg.Segmentation, path: Path) -> str:
    path.write_bytes(model_json(found.report))
    return str(path)


@pytest.mark.parametrize("features", ["lab", "rgb,xy:0.5"])
def test_a_saved_model_goes_on_where_the_fit_ended(picture: Picture, tmp_path: Path, features: str) -> None:
    first = emseg.segment(picture[0], 3, features=features, tol=1e-9)
    again = emseg.segment(picture[0], 3, features=features, tol=1e-9, init=saved(first, tmp_path / "a.json"))
    assert again.trace[0].log_likelihood == pytest.approx(first.report["log_likelihood"], rel=1e-9)
    np.testing.assert_array_equal(again.labels, first.labels)


@pytest.mark.parametrize("covariance", ["tied", "diag", "spherical"])
def test_a_model_of_another_shape_starts_without_a_false_likelihood(
    picture: Picture, tmp_path: Path, covariance: str
) -> None:
    path = saved(emseg.segment(picture[0], 3, features="rgb"), tmp_path / "a.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = emseg.segment(picture[0], 3, features="rgb", covariance=covariance, init=path)
    assert found.trace[0].objective <= found.trace[-1].objective + 1e-6


def test_a_model_that_does_not_fit_is_refused(picture: Picture, tmp_path: Path) -> None:
    path = saved(emseg.segment(picture[0], 3, features="rgb"), tmp_path / "a.json")
    with pytest.raises(UsageError, match="features='rgb'"):
        emseg.segment(picture[0], 3, init=path)
    with pytest.raises(UsageError, match="k=3"):
        emseg.segment(picture[0], 4, features="rgb", init=path)
