"""Weights of pixels: whole ones are repetitions, and labels are for all pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import emseg
from emseg.errors import EmsegError

RNG = np.random.default_rng(0)
GREY = np.clip(RNG.normal(np.where(np.arange(40) < 20, 80, 130), 20, (30, 40)), 0, 255)
WEIGHT = RNG.integers(0, 3, GREY.shape)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("rounded", [True, False])
def test_whole_weights_are_repetitions(compress: bool, rounded: bool) -> None:
    image = GREY.astype(np.uint8) if rounded else GREY
    found = emseg.segment(image, k=2, sample_weight=WEIGHT, compress=compress, tol=1e-10, floor=1e-11)
    repeated = emseg.segment(np.repeat(image.ravel(), WEIGHT.ravel())[None], k=2, tol=1e-10, floor=1e-11)
    np.testing.assert_allclose(found.mixture.components.means, repeated.mixture.components.means, rtol=1e-5)
    assert found.report["bic"] == pytest.approx(repeated.report["bic"], rel=1e-7)
    assert found.report["pixels"] == WEIGHT.sum()
    assert found.labels.all()
    assert sum(found.report["pixel_counts"]) == GREY.size


def test_weights_of_one_change_nothing() -> None:
    plain = emseg.segment(GREY, k=2)
    for weight in (np.ones(GREY.shape), np.ones((*GREY.shape, 1)), np.ones(GREY.shape).tolist()):
        other = emseg.segment(GREY, k=2, sample_weight=weight)
        np.testing.assert_array_equal(other.labels, plain.labels)
        assert other.report["bic"] == plain.report["bic"]


def test_where_a_weight_is_masked_a_pixel_does_not_count() -> None:
    masked = np.ma.masked_array(np.ones(GREY.shape), WEIGHT == 0)
    found = emseg.segment(GREY, k=2, sample_weight=masked)
    assert found.report["pixels"] == (WEIGHT > 0).sum()
    assert found.labels.all()


@pytest.mark.parametrize(
    ("weight", "options", "message"),
    [
        (WEIGHT[1:], {}, r"sample_weight: has the shape \(29, 40\); give a number for each of 30 × 40 pixels"),
        (-WEIGHT, {}, "sample_weight: holds numbers below 0, or none; give 0 or more"),
        (0 * WEIGHT, {}, "sample_weight: is 0 for every pixel that is used"),
        (WEIGHT, {"mrf": "icm"}, "sample_weight: does not go with mrf='icm'; leave one of them out"),
        (WEIGHT, {"scribbles": WEIGHT}, "sample_weight: does not go with scribbles='array'"),
    ],
)
def test_what_is_no_weight(weight: np.ndarray, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EmsegError, match=message):
        emseg.segment(GREY, k=2, sample_weight=weight, **options)
