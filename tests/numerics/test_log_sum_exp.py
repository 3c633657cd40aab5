"""Log-sum-exp and softmax, against scipy's, in and beyond the range of either precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from emseg.numerics.log_sum_exp import exponentiate, log_sum_exp, softmax

SCORES = hnp.arrays(np.float64, (4, 5), elements=st.floats(-1e5, 1e5, width=32))


@given(SCORES, st.sampled_from([0, 1, -1]))
def test_sums_and_probabilities_are_scipys(scores: np.ndarray, axis: int) -> None:
    np.testing.assert_allclose(log_sum_exp(scores, axis), special.logsumexp(scores, axis), rtol=1e-14, atol=1e-14)
    found, log_sum = softmax(scores, axis)
    np.testing.assert_allclose(found, special.softmax(scores, axis), rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(log_sum, special.logsumexp(scores, axis), rtol=1e-14, atol=1e-14)


def test_scores_may_be_overwritten_and_are_kept_otherwise() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 7))
    kept = scores.copy()
    wanted, _ = softmax(scores)
    np.testing.assert_array_equal(scores, kept)
    found, _ = softmax(scores, out=scores)
    assert found is scores
    np.testing.assert_array_equal(found, wanted)


def test_precision_is_that_of_the_scores() -> None:
    found, log_sum = softmax(np.zeros((2, 3), np.float32))
    assert found.dtype == log_sum.dtype == np.float32


def test_nothing_at_all_sums_to_nothing() -> None:
    scores = np.array([[-np.inf, 0.0], [-np.inf, -np.inf]])
    np.testing.assert_array_equal(log_sum_exp(scores), [-np.inf, 0.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.0, -60.0, -1e4, 200.0, 1e4], ids=str)
def test_buffers_hold_the_same(dtype: type, level: float) -> None:
    """Where sums leave the range of the type, too: they are then shifted by their maximum."""
    rng = np.random.default_rng(1)
    true = (level + 3 * rng.normal(size=(2, 4, 50))).astype(dtype)
    scores, total, log_total, made = true.copy(), np.empty((2, 50), dtype), np.empty((2, 50), dtype), []

    def rescore() -> None:
        made.append(1)
        scores[:] = true

    exponentiate(scores, total, log_total, rescore)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(log_total, special.logsumexp(true.astype(np.float64), 1), rtol=4 * eps, atol=16 * eps)
    tolerance = 64 * eps * max(1, abs(level))
    np.testing.assert_allclose(scores / total[:, None], special.softmax(true.astype(np.float64), 1), rtol=tolerance)
    wide = dtype is np.float64
    assert len(made) == (abs(level) > 300 if wide else abs(level) > 100 or level == -60.0)


def test_exponentials_are_never_subnormal() -> None:
    scores, total, log_total = np.array([[[0.0], [-740.0]]]), np.empty((1, 1)), np.empty((1, 1))
    exponentiate(scores, total, log_total, lambda: None)
    assert scores.min() >= np.finfo(np.float64).tiny
    assert log_total[0, 0] == 0
