"""Tables: what they may be, how columns are scaled, and what rounding leaves of them."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.errors import DataError
from emseg.image.model import Image
from emseg.stages.inputs.data_table import as_table, has_axes, looks_like_table, step_of, table_features

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)) * [1, 100, 0.01] + [5, 0, 1]


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (X[:, 0], 0.0),
        (X[:, 0].astype(np.float32), 0.0),
        (X[:, 0].round(2), 0.01),
        (X[:, 0].round(2).astype(np.float32), 0.01),
        (X[:, 1].round(), 1.0),
        (100 * X[:, 1].round(), 100.0),
        (np.array([0.0, 1, 1, 0]), 1.0),
        (np.array([np.nan, 2.5, 3]), 0.1),
        (np.array([7.25]), 0.0),
        (np.array([np.nan]), 0.0),
        (1e12 + np.arange(9.0), 1.0),
    ],
)
def test_the_step_of_a_column(values: np.ndarray, step: float) -> None:
    assert step_of(values.astype(np.float64)) == step


@pytest.mark.parametrize("by_column", [True, False])
def test_columns_are_standardised_by_what_is_known(by_column: bool) -> None:
    holes = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
    weight = RNG.random(50)
    found = table_features(as_table(holes), weight, by_column=by_column, standard=True)
    known = np.ma.masked_invalid(holes)
    mean = np.ma.average(known, axis=0, weights=weight)
    variance = np.ma.average((known - mean) ** 2, axis=0, weights=weight)
    scale = np.sqrt(variance if by_column else np.full(3, variance.mean()))
    np.testing.assert_allclose(found.shift, mean)
    np.testing.assert_allclose(found.scale, scale)
    np.testing.assert_allclose(found.unit, np.sqrt(variance) / scale)
    rows = ~np.isnan(holes).all(1)
    np.testing.assert_allclose(found.shift[:, None] + found.scale[:, None] * found.x, holes[rows].T)
    assert found.shape == (50, 1)


def test_the_grain_is_that_of_rounding() -> None:
    found = table_features(as_table(X.round(2)), None, by_column=True, standard=True)
    assert found.grain is not None
    np.testing.assert_allclose(np.diag(found.grain) * found.scale**2, 1e-4 / 12 + 1e-8 * X.round(2).var(0), rtol=1e-9)
    assert table_features(as_table(X), None, by_column=True, standard=False).scale.tolist() == [1, 1, 1]


def test_rows_without_weight_or_values_are_left_out() -> None:
    x, weight = X.copy(), np.ones(50)
    x[3], weight[5] = np.nan, 0
    found = table_features(as_table(x), weight, by_column=True, standard=True)
    assert found.n_pixels == 48
    on_grid = found.on_grid(np.ones(48, np.uint8)).ravel()
    assert np.flatnonzero(on_grid == 0).tolist() == [3, 5]


def test_what_looks_like_a_table() -> None:
    assert looks_like_table(X, 3)
    assert looks_like_table(X.tolist(), 3)
    assert not looks_like_table(X, 2)
    assert has_axes(X[:, :, None], 3)
    for other in ("a.png", b"png", Image.from_array(X), [[1], [2, 3]], None):
        assert not looks_like_table(other, 1)


@pytest.mark.parametrize("data", ["a.png", Image.from_array(X)])
def test_an_image_is_no_table(data: object) -> None:
    with pytest.raises(DataError, match=r"table: is an image; .*, or use emseg\.segment\(image\)\.model"):
        as_table(data)
