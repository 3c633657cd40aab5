"""What arithmetic alone may change: tolerances that follow from the numbers at hand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from emseg.em.fit import Row

EPS = float(np.finfo(np.float64).eps)


def assert_bound(trace: Iterable[Row]) -> None:
    """ℓ = ELBO + KL with KL ≥ 0, and all of it finite. KL is a difference, so that the sum rounds twice."""
    for row in trace:
        assert np.isfinite([row.objective, row.log_likelihood, row.elbo, row.kl]).all()
        assert row.kl >= 0
        assert abs(row.log_likelihood - (row.elbo + row.kl)) <= 2 * EPS * (abs(row.log_likelihood) + abs(row.elbo))
