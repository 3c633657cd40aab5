"""The blend of two estimates: where it leans, and what does not change it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emseg.restore import blend

SIGMA = np.array([20.0])


def estimates(taken: float, contrast: float) -> np.ndarray:
    """Estimates (2, 1, 64, 64) that differ by so much, of a pattern of so much contrast."""
    rng = np.random.default_rng(0)
    once = contrast * np.sign(np.sin(np.arange(64) / 3))[:, None] + np.zeros(64)
    return np.stack([once, once + rng.normal(0, taken, once.shape)])[:, None].astype(np.float32)


def weight(found: np.ndarray, pair: np.ndarray) -> float:
    step = pair[1] - pair[0]
    return float(((found - pair[0]) * step).sum() / (step * step).sum())


def test_it_leans_to_the_second_where_that_takes_little_beside_the_contrast() -> None:
    little, much = estimates(0.3, 40), estimates(6, 40)
    faint = estimates(6, 4)
    weights = [weight(blend.blended(pair, SIGMA), pair) for pair in (little, much, faint)]
    assert weights[0] > weights[1] > weights[2]
    assert weights[0] > 1 > 0.5 > weights[2]


def test_estimates_that_agree_are_the_result() -> None:
    same = np.full((2, 2, 20, 30), 7.0, np.float32)
    assert (blend.blended(same, np.array([5.0, 9.0])) == 7).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 20), st.floats(0.1, 90), st.floats(-100, 100), st.floats(0.01, 100))
def test_units_and_a_constant_change_nothing(taken: float, contrast: float, offset: float, unit: float) -> None:
    pair = estimates(taken, contrast)
    found = blend.blended(pair, SIGMA)
    other = blend.blended(np.float32(unit) * (pair + np.float32(offset)), unit * SIGMA) / unit - offset
    assert np.abs(found - other).max() < 0.02


def test_transposing_commutes_and_weights_have_bounds() -> None:
    pair = estimates(30, 1)
    found = blend.blended(pair, SIGMA)
    assert np.allclose(blend.blended(pair.swapaxes(2, 3), SIGMA), found.swapaxes(1, 2), atol=1e-4)
    assert weight(found, pair) >= blend.LEAST - 1e-6
