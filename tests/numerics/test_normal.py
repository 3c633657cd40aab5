"""The normal distribution, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from emseg.numerics.normal import density, distribution


def test_density_and_distribution() -> None:
    x = np.linspace(-9, 9, 500)
    assert distribution(x) == pytest.approx(stats.norm.cdf(x), rel=1e-12)
    assert density(x) == pytest.approx(stats.norm.pdf(x), rel=1e-12)
