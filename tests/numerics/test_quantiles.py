from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emseg.numerics.quantiles import quantiles

pytestmark = pytest.mark.long

finite = st.floats(-(2.0**99), 2.0**99, width=32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(values=arrays(np.float64, st.integers(1, 40), elements=finite), shares=st.lists(st.floats(0, 1), min_size=1))
def test_the_numbers_are_those_of_numpy(dtype: Any, values: np.ndarray[Any, Any], shares: list[float]) -> None:
    few = values.astype(dtype)
    assert quantiles(few, *shares) == np.quantile(few, shares).tolist()


def test_the_values_stay_as_they_are() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert quantiles(values, 0.0, 0.5, 0.75, 1.0) == [1.0, 2.0, 2.5, 3.0]
    assert values.tolist() == [3.0, 1.0, 2.0]


def test_they_load_no_masked_arrays() -> None:
    code = (
        "import sys, numpy as np; from emseg.numerics.quantiles import quantiles; "
        "quantiles(np.arange(5.0), 0.3); sys.exit('numpy.ma' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
