"""Features that depend on each other: the space they span is found, and coordinates in it keep distances and order."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import emseg
from emseg.features.span import EXACT, found_span, generalised, informative, triangular

ROUNDING = np.eye(4) / 12


def covariance(*rows: np.ndarray) -> np.ndarray:
    return np.cov(np.stack(rows), bias=True)


RNG = np.random.default_rng(0)
G, H = RNG.normal(0, 20, 500), RNG.normal(0, 30, 500)


@pytest.mark.parametrize(
    ("rows", "how", "pivots"),
    [
        ((G, G, G), "any", [0]),
        ((G, 255 - G), "axes", [0]),
        ((G, H, G + H), "any", [0, 1]),
        ((G, H, G + H), "axes", None),
        ((G, H, (G + H) / 2, G - H), "any", [0, 1]),
        ((0 * G, G, H), "axes", [1, 2]),
        ((G, G, H), "equal", [0, 2]),
        ((G, -G, H), "equal", None),
        ((G, H), "any", None),
        ((G, G + 0.2 * H), "any", None),
        ((0 * G, 0 * G), "any", [0]),
    ],
)
def test_what_depends_is_found(rows: tuple[np.ndarray, ...], how: str, pivots: list[int] | None) -> None:
    x = covariance(*rows)
    span = found_span(x, ROUNDING[: len(x), : len(x)], EXACT, how)
    if pivots is None:
        assert span is None
        return
    assert span is not None
    assert span.pivots.tolist() == pivots
    if how != "equal":  # distances are kept, and order by the pivots is order by z
        np.testing.assert_allclose(span.basis.T @ span.basis, np.eye(len(pivots)), atol=1e-12)
        assert (np.triu(span.triangle, 1) == 0).all()
        assert (np.diag(span.triangle) > 0).all()
    if how == "axes":
        assert (np.count_nonzero(span.basis, axis=1) <= 1).all()
    centred = np.stack([row - row.mean() for row in rows])
    z = np.linalg.solve(span.triangle, centred[span.pivots])
    np.testing.assert_allclose(span.basis @ z, centred, atol=1e-9)


def test_a_basis_is_turned_until_its_pivots_are_triangular() -> None:
    q = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 3)))[0]
    span = triangular(q)
    assert span.pivots.tolist() == [0, 1, 2]
    np.testing.assert_allclose(span.basis @ span.basis.T, q @ q.T, atol=1e-12)


def test_directions_of_two_matrices() -> None:
    root = np.random.default_rng(2).normal(size=(2, 4, 4))
    a, b = root @ root.swapaxes(1, 2) + np.eye(4)
    spread, directions = generalised(a, b)
    np.testing.assert_allclose(directions.T @ b @ directions, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(directions.T @ a @ directions, np.diag(spread), atol=1e-8 * spread[-1])


def test_rows_that_tell_most_of_the_coordinates() -> None:
    rows = np.array([[0.0, 0.1], [3.0, 0.0], [3.0, 0.1], [0.0, 2.0], [0.0, 2.0]])
    assert informative(rows).tolist() == [2, 3]
    assert informative(np.ones((3, 1))).tolist() == [0]


@pytest.mark.parametrize("family", ["gaussian", "student", "poisson", "gamma"])
def test_grey_stored_as_rgb_has_the_labels_of_grey_in_every_family(family: str) -> None:
    """Six levels with Gaussian noise; wrong is what the family's own densities of the true classes get wrong."""
    truth = np.repeat(np.arange(120) // 20, 160).reshape(120, 160)
    grey = np.clip(20 + 40 * truth + np.random.default_rng(0).normal(0, 6, truth.shape), 1, 255).astype(np.uint8)
    ours = [emseg.segment(image, k=6, family=family).labels for image in (grey, np.repeat(grey[..., None], 3, 2))]
    errors = [float(np.mean(labels != truth + 1)) for labels in ours]
    rates = np.array([grey[truth == level].mean() for level in range(6)])
    # The rates 20 and 60 are as likely at 36, two and a half deviations from the darker level.
    poisson = np.mean(scipy.stats.poisson.logpmf(grey[..., None], rates).argmax(-1) != truth)
    assert abs(errors[0] - errors[1]) <= (0 if family in ("poisson", "gamma") else 2e-4)
    assert errors[0] <= (poisson if family == "poisson" else 0.0014 if family == "gamma" else 0.001)
