"""The regression of unseen dimensions on seen ones, against the precision matrix."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.conditional.regression import regression


@pytest.mark.parametrize("seen", [[0], [3, 1], [0, 1, 2, 3], []], ids=str)
def test_conditional_moments_by_the_precision_matrix(seen: list[int]) -> None:
    """Var[x_m | x_o] = (Λ_mm)⁻¹ and E[x_m | x_o] = μ_m - Λ_mm⁻¹ Λ_mo (x_o - μ_o) (Bishop 2006, 2.75)."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    matrix, mean, x = root @ root.T + np.eye(4), rng.normal(size=4), rng.normal(size=4)
    o = np.array(seen, np.intp)
    found = regression(mean[None], matrix[None], o)
    unseen = np.delete(np.arange(4), o)
    wanted, left = x.copy(), np.zeros((4, 4))
    if unseen.size:
        precision = np.linalg.inv(matrix)
        inverse = np.linalg.inv(precision[np.ix_(unseen, unseen)])
        wanted[unseen] = mean[unseen] - inverse @ precision[np.ix_(unseen, o)] @ (x[o] - mean[o])
        left[np.ix_(unseen, unseen)] = inverse
    np.testing.assert_allclose(found.slope[0] @ x[o] + found.constant[0], wanted, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.covariance[0], left, rtol=1e-10, atol=1e-12)


def test_seen_dimensions_that_say_the_same_are_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        regression(np.zeros((1, 3)), np.ones((1, 3, 3)), np.array([0, 1]))
