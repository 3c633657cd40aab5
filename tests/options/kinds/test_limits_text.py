"""Limits as texts and as pairs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.options.kinds.limits_text import as_limits, is_limits, limits

ENDS = st.floats(allow_nan=False)


@given(ENDS, ENDS)
def test_a_pair_survives_as_a_text(one: float, other: float) -> None:
    low, high = sorted((one, other))
    sound = low < high and (math.isfinite(low) or math.isfinite(high)) and low < math.inf and high > -math.inf
    if sound and low != math.inf and high != -math.inf:
        assert is_limits((low, high))
        assert limits(as_limits((low, high))) == (low, high)
    else:
        assert low == high or not is_limits((low, high))


@pytest.mark.parametrize("text", ["0", "0,1,2", "1,0", "1,1", ",", "a,b", "inf,-inf"])
def test_what_is_no_limits(text: str) -> None:
    assert not is_limits(text)
    with pytest.raises(ValueError):
        limits(text)


def test_none() -> None:
    assert is_limits("")
    assert not is_limits((math.nan, 1.0))
    with pytest.raises(ValueError):
        as_limits((0.0, math.nan))
