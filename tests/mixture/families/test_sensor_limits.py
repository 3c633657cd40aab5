"""Limits of a sensor: which columns are censored, and where the limits are after a change of units."""

from __future__ import annotations

import numpy as np

from emseg.mixture.families.sensor_limits import SensorLimits

INF = np.inf


def test_censored_columns_are_grouped_by_what_is_censored() -> None:
    limits = SensorLimits.of(2, censored=(0.0, 10.0), truncated=(-5.0, INF))
    x = np.array([[0.0, 5.0, -1.0, 5.0, 0.0, 12.0], [5.0, 5.0, 6.0, 10.0, 0.0, 3.0]])
    found = {tuple(group.which.tolist()): group for group in limits.censored_columns(x)}
    assert set(found) == {(0, 2), (3,), (4,), (5,)}  # the second column is censored nowhere
    one = found[(0, 2)]
    assert (one.seen.tolist(), one.cut.tolist(), one.low.tolist(), one.high.tolist()) == ([1], [0], [-5.0], [0.0])
    assert (found[(3,)].cut.tolist(), found[(3,)].low.tolist(), found[(3,)].high.tolist()) == ([1], [10.0], [INF])
    assert found[(4,)].cut.tolist() == [0, 1]
    assert found[(4,)].seen.size == 0


def test_nothing_is_censored_without_limits() -> None:
    assert SensorLimits.of(2).censored_columns(np.array([[1e300], [-1e300]])) == []
    assert not SensorLimits.of(2, censored=(0, 1)).truncates
    assert SensorLimits.of(2, truncated=(0, INF)).truncates


def test_limits_move_with_the_samples() -> None:
    limits = SensorLimits.of(2, censored=(0.0, 10.0), truncated=(-5.0, 20.0))
    shift, scale = np.array([1.0, -2.0]), np.array([2.0, 0.5])
    moved = limits.affine(shift, scale)
    np.testing.assert_allclose(moved.low, [1.0, -2.0])
    np.testing.assert_allclose(moved.most, [41.0, 8.0])
    np.testing.assert_allclose(moved.log_scale, -np.log(scale))
    np.testing.assert_allclose(moved[np.array([1])].high, [3.0])


def test_single_precision_hides_no_limit() -> None:
    limits = SensorLimits.of(1, censored=(0.1, 255.1))
    x = np.array([[0.1, 255.1]], np.float32)
    assert sum(group.which.size for group in limits.censored_columns(x)) == 2
