from __future__ import annotations

import numpy as np

from emseg.em.expectation import Expectation
from emseg.mixture.stats import Stats


def test_expectations_of_parts_add_up_but_for_the_prior() -> None:
    def of(a: float) -> Expectation:
        stats = Stats(np.full(2, a), np.full((2, 3), a))
        return Expectation(stats, *(np.array(a * f) for f in (1.0, 2, 3)), np.array(7.0), np.array(a), a, np.eye(2) * a)

    total = of(1) + of(10)
    assert total.log_prior == 7
    assert (total.log_likelihood, total.complete, total.entropy) == (11, 22, 33)
    assert (total.rounding, total.hidden) == (11, 11)
    assert (total.elbo, total.objective) == (55, 18)
    np.testing.assert_array_equal(total.products, 11 * np.eye(2))
    np.testing.assert_array_equal(total.stats.t, np.full((2, 3), 11))
