"""The normal distribution, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr

from emseg.numerics.normal import below, density, distribution


def test_distribution_and_ratio() -> None:
    x = np.linspace(-9, 9, 500)
    assert distribution(x) == pytest.approx(ndtr(x), rel=1e-12)
    a = np.concatenate([x, [-12.0, -12.001, -20, -100, -1e4, 30]])
    assert below(a) == pytest.approx(np.exp(-0.5 * a**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(a)), abs=1e-6, rel=1e-6)
    assert density(x).sum() * (x[1] - x[0]) == pytest.approx(1)
