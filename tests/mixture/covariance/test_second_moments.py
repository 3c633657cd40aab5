"""Moments from sums of T(x), against numpy's on the samples."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.covariance.second_moments import moments, product_indices, pushed, raw_moments
from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.stats import Stats


def drawn(products: bool) -> tuple[np.ndarray, np.ndarray, Stats]:
    rng = np.random.default_rng(0)
    x, r = rng.normal(size=(3, 40)), rng.dirichlet(np.ones(2), 40).T
    t = r @ GAUSSIANS["full" if products else "diag"].statistics(x).T
    return x, r, Stats(t[:, 0].copy(), t)


@pytest.mark.parametrize("products", [True, False])
def test_means_and_scatter(products: bool) -> None:
    x, r, stats = drawn(products)
    means, scatter = moments(stats, 3)
    first, second = raw_moments(stats, 3)
    for k in range(2):
        wanted = np.cov(x, aweights=r[k], ddof=0) * r[k].sum()
        whole = (x * r[k]) @ x.T
        np.testing.assert_allclose(means[k], np.average(x, axis=1, weights=r[k]), rtol=1e-12)
        np.testing.assert_allclose(scatter[k], wanted if products else np.diag(np.diag(wanted)), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(first[k], x @ r[k], rtol=1e-12)
        np.testing.assert_allclose(second[k], whole if products else np.diag(np.diag(whole)), rtol=1e-12, atol=1e-12)


def test_moments_of_a_linear_map_of_the_samples() -> None:
    x, r, stats = drawn(True)
    rng = np.random.default_rng(1)
    a, c, left = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3)), np.stack([np.eye(3), 2 * np.eye(3)])
    found = pushed(stats.n, raw_moments(stats, 3), a, c, left, True)
    for k in range(2):
        y = a[k] @ x + c[k][:, None]
        first, second = raw_moments(Stats(found.n[k : k + 1], found.t[k : k + 1]), 3)
        np.testing.assert_allclose(first[0], y @ r[k], rtol=1e-10)
        np.testing.assert_allclose(second[0], (y * r[k]) @ y.T + r[k].sum() * left[k], rtol=1e-10)


def test_products_come_in_the_order_of_the_statistic() -> None:
    x = np.array([[2.0], [3.0], [5.0]])
    for products in (True, False):
        i, j = product_indices(3, products)
        t = GAUSSIANS["full" if products else "diag"].statistics(x)[:, 0]
        np.testing.assert_array_equal(t[4:], x[i, 0] * x[j, 0])
