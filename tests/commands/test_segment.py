"""`segment` end to end: true labels, equal answers by different roads, and where there is no data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.em.fit import Row
from emseg.em.registry import ALGORITHMS
from emseg.errors import UsageError
from emseg.mixture.covariance.registry import ALIASES, COVARIANCES

pytestmark = pytest.mark.long

Picture = tuple[np.ndarray, np.ndarray]


def without_times(report: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in report.items() if key != "seconds"}


@pytest.mark.parametrize("seed", range(3))
def test_the_phantom_is_segmented_to_its_true_labels(samples: Path, seed: int) -> None:
    with PIL.Image.open(samples / "truth" / "phantom.labels.png") as stored:
        truth = np.asarray(stored)
    found = emseg.segment(samples / "phantom.png", k=4, seed=seed)
    np.testing.assert_array_equal(found.labels, truth)


#: Every algorithm and feature with the common models, the default algorithm with every model.
ROADS = [
    (covariance, algorithm, features)
    for covariance in COVARIANCES
    for algorithm in ALGORITHMS
    for features in ("lab", "rgb", "hsv")
    if covariance in ALIASES or algorithm == "anderson"
]


@pytest.mark.parametrize(("covariance", "algorithm", "features"), ROADS)
def test_regions_are_found_whatever_the_road(picture: Picture, covariance: str, algorithm: str, features: str) -> None:
    array, truth = picture
    try:
        found = emseg.segment(array, k=3, covariance=covariance, algorithm=algorithm, features=features)
    except UsageError as error:
        pytest.skip(str(error))  # some algorithms are for some models only
    assert not found.status.value.startswith(("not", "degenerate"))
    # hsv orders components by hue, so that labels are compared as partitions
    pairs = set(zip(found.labels.ravel().tolist(), truth.ravel().tolist(), strict=True))
    agree = max((found.labels == np.array([0, *order])[truth]).mean() for order in ORDERS)
    assert agree > 0.995, pairs


ORDERS = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("features", ["lab", "rgb", "gray"])
def test_distinct_values_with_counts_are_an_exact_reduction(
    picture: Picture, label_file: Callable[[np.ndarray], str], covariance: str, features: str
) -> None:
    array, truth = picture
    array = array // 16 * 16  # so that values repeat
    few, all_ = (
        emseg.segment(array, 3, init=label_file(truth), covariance=covariance, features=features, compress=compress)
        for compress in (True, False)
    )
    assert few.report["distinct"] < all_.report["distinct"] == truth.size
    np.testing.assert_array_equal(few.labels, all_.labels)
    for key in ("log_likelihood", "bic"):
        assert few.report[key] == pytest.approx(all_.report[key], rel=1e-9)
    # Near its top the objective is flat: to a relative rounding ρ of it, θ and all that follows from it are known to √ρ
    # times the root of the problem's condition, which is well below 10⁴ here.
    known = 100 * np.sqrt(8 * np.finfo(np.float64).eps)
    np.testing.assert_allclose(few.mixture.components.means, all_.mixture.components.means, rtol=known)
    assert few.report["icl"] == pytest.approx(all_.report["icl"], rel=known)
    assert few.report["pixel_counts"] == all_.report["pixel_counts"]
    np.testing.assert_array_equal(few.colours, all_.colours)
    np.testing.assert_allclose(few.posterior(), all_.posterior(), atol=known)


def test_compressing_a_whole_run_changes_no_label(samples: Path) -> None:
    few, all_ = (emseg.segment(samples / "phantom.png", k=4, compress=compress) for compress in (True, False))
    np.testing.assert_array_equal(few.labels, all_.labels)
    assert few.report["log_likelihood"] == pytest.approx(all_.report["log_likelihood"], rel=1e-6)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_bits(picture: Picture, algorithm: str) -> None:
    how = {"algorithm": algorithm, "family": "student" if algorithm == "px" else "gaussian"}
    first, second = (emseg.segment(picture[0], k=4, seed=11, **how) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    assert without_times(first.report) == without_times(second.report)
    assert first.report["seconds"].keys() == second.report["seconds"].keys()
    np.testing.assert_array_equal(first.posterior(), second.posterior())


@pytest.mark.parametrize("features", ["lab", "rgb", "gray", "xy,lab"])
def test_components_come_in_canonical_order(picture: Picture, features: str) -> None:
    for seed in range(3):
        first = emseg.segment(picture[0], k=5, seed=seed, features=features).mixture.components.means[:, 0]
        assert (np.diff(first) >= 0).all()


def test_labels_are_zero_exactly_where_there_is_no_data(picture: Picture) -> None:
    array, truth = picture
    mask = np.random.default_rng(1).random(truth.shape) < 0.7
    for image in (array, array.astype(np.float32) / 255):
        found = emseg.segment(image, 3, mask=mask)
        np.testing.assert_array_equal(found.labels > 0, mask)
        np.testing.assert_array_equal(found.labels[mask], truth[mask])
        assert found.report["pixels"] == mask.sum()
        assert found.report["pixel_counts"] == np.bincount(found.labels[mask], minlength=4)[1:].tolist()
        assert not found.posterior()[:, ~mask].any()
        assert not found.entropy()[~mask].any()


def test_a_mask_may_hold_any_numbers_and_nan_is_no_data(picture: Picture) -> None:
    array, truth = picture
    image = array.astype(float)
    image[3, 4, 1] = np.nan
    image[5, 6] = np.inf
    mask = np.full(truth.shape, 7)
    mask[0] = 0
    found = emseg.segment(image, 3, mask=mask, features="rgb")
    expected = truth.copy()
    expected[0] = expected[3, 4] = expected[5, 6] = 0
    np.testing.assert_array_equal(found.labels, expected)
    assert found.report["pixels"] == truth.size - truth.shape[1] - 2


@pytest.mark.parametrize("features", ["lab", "rgb,xy:0.5"])
@pytest.mark.parametrize("covariance", COVARIANCES)
def test_the_posterior_is_a_distribution_and_its_mode_the_label(
    picture: Picture, features: str, covariance: str
) -> None:
    found = emseg.segment(picture[0], k=4, features=features, covariance=covariance)
    p = found.posterior()
    assert p.shape == (4, *picture[1].shape)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(0), 1, atol=1e-5)
    sure = np.sort(p, axis=0)[-1] - np.sort(p, axis=0)[-2] > 1e-4
    np.testing.assert_array_equal(p.argmax(0)[sure] + 1, found.labels[sure])
    entropy = found.entropy()
    assert entropy.shape == picture[1].shape
    assert entropy.min() >= 0
    assert entropy.max() <= np.log(4) + 1e-6
    safe = np.maximum(p.astype(float), 1e-300)
    np.testing.assert_allclose(entropy, -(p * np.log(safe)).sum(0), atol=1e-5)


def test_every_row_of_the_log_is_handed_over_as_it_is_made(picture: Picture) -> None:
    rows: list[Row] = []
    found = emseg.segment(picture[0], k=3, on_iteration=rows.append)
    assert tuple(rows) == found.trace
    assert found.report["iterations"] == len(rows) - 1
    assert found.report["e_steps"] == rows[-1].e_steps


@pytest.mark.parametrize("restarts", [1, 2, 5])
@pytest.mark.parametrize("init", ["auto", "kmeans++", "random"])
def test_any_number_of_restarts_runs(picture: Picture, restarts: int, init: str) -> None:
    found = emseg.segment(picture[0], k=3, restarts=restarts, init=init)
    assert np.isfinite(found.report["log_likelihood"])
    assert sorted(set(found.labels.ravel())) == [1, 2, 3]


def test_one_component_is_the_mean_and_covariance_of_the_image(picture: Picture) -> None:
    array = picture[0].astype(float).reshape(-1, 3)
    found = emseg.segment(picture[0], k=1, features="rgb", floor=0)
    np.testing.assert_allclose(found.mixture.components.means[0], array.mean(0), rtol=1e-10)
    np.testing.assert_allclose(found.mixture.components.covariances[0], np.cov(array.T, bias=True), rtol=1e-8)
    assert (found.labels == 1).all()


def test_a_path_an_image_and_an_array_are_the_same(picture: Picture, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    PIL.Image.fromarray(picture[0]).save(path)
    by_path = emseg.segment(str(path), 3)
    assert by_path.report["input"]["sha256"] is not None
    assert by_path.report["input"]["path"] == str(path)
    for other in (emseg.segment(path, 3), emseg.segment(emseg.read_image(path), 3), emseg.segment(picture[0], 3)):
        np.testing.assert_array_equal(other.labels, by_path.labels)


def test_as_many_components_as_distinct_values() -> None:
    array = np.tile(np.array([[0, 50, 200, 255]], np.uint8), (6, 1))
    found = emseg.segment(array, k=4)
    np.testing.assert_array_equal(found.labels[0], [1, 2, 3, 4])
