"""`fit`: mixtures of tables, with weights, missing values, every family and option of `segment`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import emseg
from emseg.em.registry import ALGORITHMS
from emseg.errors import DataError, EmsegError, UsageError
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import FAMILIES

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
UNITS = np.array([1, 1000, 0.01])
TABLE = np.concatenate([RNG.normal(0, 1, (60, 3)), RNG.normal(6, 1.5, (40, 3))]) * UNITS
TRUTH = np.repeat([1, 2], [60, 40])


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_the_maximum_is_scikit_learns(covariance: str) -> None:
    sklearn = pytest.importorskip("sklearn.mixture")
    theirs = sklearn.GaussianMixture(
        2, covariance_type=covariance, n_init=3, reg_covar=0, tol=1e-10, max_iter=2000, random_state=0
    ).fit(TABLE)
    own = emseg.fit(TABLE, k=2, covariance=covariance, floor=1e-11, tol=1e-10)
    assert own.score(TABLE) == pytest.approx(theirs.score(TABLE), abs=1e-8)
    assert own.report["bic"] == pytest.approx(theirs.bic(TABLE), abs=1e-5)


@pytest.mark.parametrize("covariance", [name for name, entry in COVARIANCES.items() if entry.knows_no_units])
def test_units_of_columns_are_of_no_account(covariance: str) -> None:
    plain = emseg.fit(TABLE / UNITS, k=2, covariance=covariance, tol=1e-10)
    other = emseg.fit(TABLE + 7 * UNITS, k=2, covariance=covariance, tol=1e-10)
    np.testing.assert_array_equal(plain.predict(TABLE / UNITS), other.predict(TABLE + 7 * UNITS))
    assert other.score(TABLE + 7 * UNITS) == pytest.approx(plain.score(TABLE / UNITS) - np.log(UNITS).sum(), abs=1e-6)


def test_which_covariance_models_know_no_units() -> None:
    """A stretched ball is no ball; a stretched and turned ellipsoid of one shape has another shape."""
    found = {entry.letters for entry in COVARIANCES.values() if entry.knows_no_units}
    assert found == {"VVV", "EEE", "VVI", "EEI", "VEI", "EVI", "VEE", "EVV"}


def test_weights_are_repetitions() -> None:
    weight = RNG.integers(0, 4, len(TABLE))
    weighted = emseg.fit(TABLE, k=2, sample_weight=weight, tol=1e-12)
    repeated = emseg.fit(np.repeat(TABLE, weight, axis=0), k=2, tol=1e-12)
    np.testing.assert_allclose(weighted.means, repeated.means, rtol=1e-6)
    assert weighted.report["bic"] == pytest.approx(repeated.report["bic"], rel=1e-9)
    assert weighted.report["pixels"] == weight.sum()
    halves = emseg.fit(TABLE, k=2, sample_weight=(weight / 2).tolist(), tol=1e-12)
    np.testing.assert_allclose(halves.means, weighted.means, rtol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("options", [{}, {"noise": True}])
def test_every_family(family: str, options: dict[str, Any]) -> None:
    x = np.array([1, 9])[TRUTH - 1, None] * RNG.gamma(20, 1 / 20, (100, 2))
    if family == "poisson":
        x = RNG.poisson(20 * np.array([1, 9])[TRUTH - 1, None] * np.ones(2)).astype(float)
    if family == "von-mises":
        x = np.angle(np.exp(1j * RNG.normal(2 * TRUTH[:, None], 0.3, (100, 2))))
    model = emseg.fit(x, k=2, family=family, **options)
    assert max((model.predict(x) == TRUTH).mean(), (model.predict(x) == 3 - TRUTH).mean()) > (0.7 if options else 0.9)
    assert model.mixture.family.name == family


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name not in ("px",)])
def test_every_algorithm(algorithm: str) -> None:
    model = emseg.fit(TABLE, k=2, algorithm=algorithm)
    assert (model.predict(TABLE) == TRUTH).mean() > 0.97
    assert model.report["algorithm"] == algorithm


def test_missing_values_and_rows_without_any() -> None:
    holes = np.where(RNG.random(TABLE.shape) < 0.2, np.nan, TABLE)
    holes[:2] = np.nan
    model = emseg.fit(holes, k=2)
    assert (model.predict(holes) == TRUTH)[2:].mean() > 0.95
    assert model.report["pixels"] == 100 - np.isnan(holes).all(1).sum()
    masked = np.ma.masked_array(np.where(np.isnan(holes), -999, holes), np.isnan(holes))
    np.testing.assert_allclose(emseg.fit(masked, k=2).means, model.means)


def test_the_number_of_components_is_chosen_by_bic() -> None:
    model = emseg.fit(TABLE)
    assert model.k == 2
    assert model.report["options"]["criterion"] == "bic"
    assert emseg.fit(TABLE[:6]).k == 1
    assert emseg.fit(TABLE, k="1:3", criterion="icl").k == 2


def test_a_start_is_given_by_labels_or_a_model() -> None:
    model = emseg.fit(TABLE, k=2, tol=1e-9)
    for start in (TRUTH, TRUTH.tolist(), TRUTH[:, None], model):
        assert emseg.fit(TABLE, k=2, init=start, tol=1e-9).score(TABLE) == pytest.approx(model.score(TABLE), abs=1e-6)


def test_frames_have_names() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TABLE, columns=["a", "b", "c"]).astype({"b": "Float64"})
    frame.loc[3, "b"] = pandas.NA
    model = emseg.fit(frame, k=2)
    assert model.columns == ("a", "b", "c")
    assert "of a, b, c" in repr(model)
    mixed = frame.assign(d="text")[["d", "c", "a", "b"]]
    np.testing.assert_array_equal(model.predict(mixed), model.predict(frame))
    assert np.isfinite(model.score(frame))
    with pytest.raises(DataError, match="table: lacks column a; give those that the model was fitted to"):
        model.predict(frame.drop(columns="a"))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (TABLE[0], {}, r"table: has the shape \(3,\); give rows and columns of numbers, as data\[:, None\]"),
        (np.zeros((2, 3, 4)), {}, r"has the shape \(2, 3, 4\)"),
        (np.zeros((0, 3)), {}, r"is empty, of shape \(0, 3\)"),
        (
            "photo.png",
            {},
            r"table: is an image; give rows and columns of numbers, or use emseg\.segment\(image\)\.model",
        ),
        ([["a"]], {}, r"holds texts, of shape \(1, 1\); give rows and columns of numbers"),
        (np.where(TABLE > 9, np.inf, TABLE), {}, "holds infinite values; mark what is unknown as NaN"),
        (TABLE * [1, 0, 1], {}, r"column 1 \(from 0\) is 0 wherever it is known; leave it out"),
        (TABLE * [1, np.nan, 1], {}, r"column 1 \(from 0\) is unknown in every row; leave it out"),
        (TABLE * np.nan, {}, "no row has a value and a weight above 0"),
        (TABLE, {"family": "gamma"}, r"column 0 \(from 0\) is .* in some rows, where gamma has no density"),
        (TABLE, {"sample_weight": np.ones(4)}, r"sample_weight: has the shape \(4,\); give a number for each of 100"),
        (TABLE, {"sample_weight": -np.ones(100)}, "holds numbers below 0, or none"),
        (TABLE, {"sample_weight": np.zeros(100)}, "no row has a value and a weight above 0"),
        (TABLE[:3], {"k": 4}, "table: 3 distinct values cannot make 4 components; use k=3 or smaller"),
        (
            np.where(TABLE > 5, np.nan, TABLE),
            {"k": 2, "partial_volume": True},
            "partial_volume=True: does not go with missing",
        ),
        (
            np.where(TABLE > 5, np.nan, TABLE),
            {"truncated": "-99,"},
            "truncated='-99,': does not go with missing values",
        ),
        (TABLE, {"init": np.ones(4), "k": 2}, r"init: has the shape \(4,\); give a label for each of 100 rows"),
        (TABLE, {"init": np.zeros(100), "k": 2}, "init: holds no label above 0; give the class of each row"),
        (TABLE, {"truncated": "-1,1"}, r"rows lie outside of truncated='-1,1', .*; widen it, or leave them out"),
        (TABLE, {"censored": "50,60"}, r"no value of column 0 \(from 0\) lies within censored='50,60'"),
    ],
)
def test_what_cannot_be_fitted(table: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EmsegError, match=message) as caught:
        emseg.fit(table, **options)
    assert "\n" not in str(caught.value)


def test_options_of_images_do_not_go_with_tables() -> None:
    with pytest.raises(UsageError, match="mrf does not go with fit; it takes k, "):
        emseg.fit(TABLE, mrf="auto")  # type: ignore[call-arg]


@pytest.mark.parametrize("seed", [8, 9, 13])
def test_noise_that_nothing_is_left_of_is_no_fall_of_the_objective(seed: int) -> None:
    """An empty component is given 1e-12 of the samples, which may take off as many nats; warnings are errors here."""
    rng = np.random.default_rng(seed)
    x = np.array([1, 9])[TRUTH - 1, None] * rng.gamma(20, 1 / 20, (100, 2))
    assert emseg.fit(x, k=2, family="gamma", noise=True).mixture.weights[-1] < 0.01


def test_rows_of_another_length_than_the_model() -> None:
    with pytest.raises(
        EmsegError, match=r"table: has the shape \(100, 1\), the model 2 features; give rows of 2 numbers"
    ):
        emseg.fit(TABLE[:, :2], k=2).predict(TABLE[:, :1])
