"""Supports: what lies outside of them."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.support import ANGLE, ANY_NUMBER, COUNTS, POSITIVE, Support

X = np.array([[-2.0, 0.0, 3.0, np.nan, np.inf]])


@pytest.mark.parametrize(
    ("support", "outside"),
    [
        (ANY_NUMBER, [False] * 5),
        (ANGLE, [False] * 5),
        (COUNTS, [True, False, False, False, False]),
        (POSITIVE, [True, True, False, False, False]),
    ],
    ids=lambda value: value.values if isinstance(value, Support) else "",
)
def test_values_without_a_density(support: Support, outside: list[bool]) -> None:
    np.testing.assert_array_equal(support.outside(X)[0], outside)
    assert support.values
    assert bool(support.outside_is) == any(outside)
