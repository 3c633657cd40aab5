"""`emseg.impute`: means, deviations and intervals of holes, against the truth, coverage, and other ways to fill."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from scipy import stats

import emseg
from emseg.errors import DataError, UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
WEIGHTS = np.array([0.4, 0.6])
MEANS = np.array([[0.0, 0.0, 10.0], [40.0, 3.0, 12.0]])
MATRICES = np.stack([np.diag([100.0, 1, 4]), np.array([[60.0, 5, 0], [5, 1, 0.5], [0, 0.5, 1]])])


def table(seed: int, n: int, share: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Whole rows (N, D) of a mixture of two, in columns of different units, and the same with holes."""
    rng = np.random.default_rng(seed)
    z = rng.choice(2, n, p=WEIGHTS)
    rows = np.array([rng.multivariate_normal(MEANS[k], MATRICES[k]) for k in z])
    return rows, np.where(rng.random(rows.shape) < share, np.nan, rows)


def test_intervals_cover_what_they_say() -> None:
    """Nine in ten of the true values lie in their interval, by the binomial distribution; halves lie in the half."""
    rows, holes = table(1, 3000)
    for level in (0.9, 0.5):
        found = emseg.impute(holes, 2, level=level)
        inside = (found.low <= rows) & (rows <= found.high)
        covered, holes_in_all = int(inside[found.missing].sum()), int(found.missing.sum())
        assert stats.binomtest(covered, holes_in_all, level).pvalue > 0.01
        for column in range(3):
            seen = found.missing[:, column]
            assert stats.binomtest(int(inside[seen, column].sum()), int(seen.sum()), level).pvalue > 0.005
    assert inside[~found.missing].all()


def test_nearer_the_truth_than_means_and_than_one_component() -> None:
    rows, holes = table(2, 2000)
    found = emseg.impute(holes, 2)
    gap = (found.completed - rows)[found.missing] / np.repeat(rows.std(0)[None], 2000, axis=0)[found.missing]
    one = emseg.impute(holes, 1)
    far = (one.completed - rows)[found.missing] / np.repeat(rows.std(0)[None], 2000, axis=0)[found.missing]
    assert np.sqrt((gap**2).mean()) < 0.97 * np.sqrt((far**2).mean()) < 0.9
    np.testing.assert_allclose(found.mixture.weights, WEIGHTS, atol=0.03)
    np.testing.assert_allclose(found.mixture.components.means, MEANS, atol=1.5)
    honest = (found.completed - rows)[found.missing] / found.deviation[found.missing]
    assert np.sqrt((honest**2).mean()) == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(found.completed[~found.missing], rows[~found.missing])
    assert (found.deviation[~found.missing] == 0).all()


def test_one_component_is_regression_on_what_is_known() -> None:
    rng = np.random.default_rng(3)
    rows = rng.multivariate_normal([1.0, 2.0], [[2.0, 1.2], [1.2, 1.5]], 500)
    rows[400:, 1] = np.nan
    found = emseg.impute(rows, 1, floor=0, tol=0, level=0.95)
    slope, constant = np.polyfit(rows[:400, 0], rows[:400, 1], 1)
    rest = np.std(rows[:400, 1] - slope * rows[:400, 0] - constant)
    expected = slope * rows[400:, 0] + constant
    np.testing.assert_allclose(found.completed[400:, 1], expected, atol=1e-5)
    np.testing.assert_allclose(found.deviation[400:, 1], rest, rtol=1e-5)
    np.testing.assert_allclose(found.high[400:, 1], expected + 1.959964 * rest, atol=1e-4)
    np.testing.assert_allclose(found.low[400:, 1], expected - 1.959964 * rest, atol=1e-4)


def test_the_number_of_components_is_chosen_by_bic() -> None:
    found = emseg.impute(table(4, 1500)[1])
    assert found.mixture.k == 2
    assert found.selection is not None
    assert found.selection["criterion"] == "bic"
    few = emseg.impute(table(5, 15)[1])  # no more than a dozen rows can tell
    assert few.mixture.k == 1
    assert emseg.impute(table(4, 1500)[1], "1:2").mixture.k == 2


def test_units_do_not_matter_and_neither_does_the_seed_of_a_clear_case() -> None:
    _, holes = table(6, 800)
    scale, shift = np.array([1e-4, 1e5, 1.0]), np.array([7.0, -3e5, 0.0])
    one, other = emseg.impute(holes, 2), emseg.impute(holes * scale + shift, 2)
    for name in ("completed", "low", "high"):
        np.testing.assert_allclose(getattr(one, name) * scale + shift, getattr(other, name), rtol=1e-4)
    assert other.log_likelihood == pytest.approx(
        one.log_likelihood - (np.isfinite(holes) @ np.log(scale)).sum(), rel=1e-6
    )


def test_rows_of_which_nothing_is_known_get_the_mixture_itself() -> None:
    _, holes = table(7, 600)
    holes[5] = np.nan
    found = emseg.impute(holes, 2)
    own = found.mixture
    np.testing.assert_allclose(found.completed[5], own.weights @ own.components.means, rtol=1e-12)
    without = emseg.impute(np.delete(holes, 5, axis=0), 2)
    np.testing.assert_allclose(np.delete(found.completed, 5, axis=0), without.completed, rtol=1e-6)


@pytest.mark.parametrize("family", ["student", "gamma", "poisson"])
def test_other_families(family: str) -> None:
    rng = np.random.default_rng(8)
    z = rng.integers(2, size=1500)
    if family == "student":
        rows = np.array([[0.0, 0, 0], [12, 6, 0]])[z] + rng.standard_t(5, (1500, 3))
    else:
        means = np.array([[4.0, 30, 8], [20, 6, 8]])[z]
        rows = rng.poisson(means).astype(float) if family == "poisson" else rng.gamma(9.0, means / 9)
    holes = np.where(rng.random(rows.shape) < 0.2, np.nan, rows)
    found = emseg.impute(holes, 2, family=family)
    inside = ((found.low <= rows) & (rows <= found.high))[found.missing].mean()
    assert 0.87 < inside < (0.97 if family == "poisson" else 0.93)  # whole numbers cannot leave out just a tenth
    assert np.corrcoef(found.completed[found.missing], rows[found.missing])[0, 1] > 0.6
    if family == "poisson":
        np.testing.assert_array_equal(found.high, np.floor(found.high))


def test_images_are_filled_channel_by_channel(tmp_path: Path) -> None:
    with Pillow.open(ROOT / "sample_images" / "coffee.jpg") as file:
        pixels = np.asarray(file)[::4, ::4]
    rng = np.random.default_rng(9)
    known = rng.random(pixels.shape) > 0.3
    Pillow.fromarray(known.astype(np.uint8) * 255).save(tmp_path / "known.png")
    Pillow.fromarray(pixels).save(tmp_path / "photo.png")
    found = emseg.impute(tmp_path / "photo.png", 4, mask=tmp_path / "known.png")
    assert found.completed.shape == pixels.shape
    np.testing.assert_array_equal(found.missing, ~known)
    np.testing.assert_array_equal(found.completed[known], pixels[known])
    error = np.abs(found.completed - pixels)[~known & known.any(axis=2)[..., None]].mean()
    plain = np.abs(pixels.mean((0, 1)) - pixels)[~known].mean()
    assert error < plain / 2
    again = emseg.impute(np.where(known, pixels, np.nan), 4)
    np.testing.assert_allclose(again.completed, found.completed, rtol=1e-9)
    by_pixel = emseg.impute(pixels, 2, mask=known[..., 0])  # a mask (H, W): all channels
    np.testing.assert_array_equal(by_pixel.missing, np.repeat(~known[..., :1], 3, axis=2))


def test_whole_tables_come_back_as_they_are() -> None:
    rows, _ = table(10, 100)
    found = emseg.impute(rows, 2)
    np.testing.assert_array_equal(found.completed, rows)
    assert not found.missing.any()
    assert (found.deviation == 0).all()


def test_bad_tables_are_one_line() -> None:
    _, holes = table(11, 50)
    for broken, message in [
        (np.where([True, False, True], np.nan, holes)[:, :1], r"column 0 \(from 0\) is unknown in every row"),
        (np.where(holes > 5, np.inf, holes), "infinite values; mark what is unknown as NaN"),
        (np.array([["a", "b"]]), "give rows and columns of numbers"),
        (np.zeros((0, 3)), "give rows and columns of numbers"),
    ]:
        with pytest.raises(DataError, match=message):
            emseg.impute(broken)
    with pytest.raises(DataError, match=r"has values below 0; poisson has no density there"):
        emseg.impute(holes, family="poisson")
    for options, message in [
        ({"level": 90}, "level is 90; it must be a number between 0 and 1"),
        ({"mrf": "gibbs"}, "mrf does not go with impute"),
        ({"mask": np.ones(3)}, "mark the missing values of a table as NaN"),
        ({"init": __file__}, "impute takes no file; use one of auto"),
        ({"k": "none"}, "k is 'none'"),
    ]:
        with pytest.raises(UsageError, match=message):
            emseg.impute(holes, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="family='von-mises': has no quantiles"):
        emseg.impute(np.where(np.isnan(holes), np.nan, holes % 6), 1, family="von-mises")


def test_the_result_can_be_found_from_the_mixture_alone() -> None:
    """Conditional moments by hand, component by component."""
    _, holes = table(12, 300)
    found = emseg.impute(holes, 2)
    own = found.mixture
    (row,) = np.flatnonzero((np.isnan(holes) == [False, True, False]).all(1))[:1]
    o = np.array([0, 2])
    r, mean, second = [], [], []
    for weight, mu, sigma in zip(own.weights, own.components.means, own.components.covariances, strict=True):
        oo = sigma[np.ix_(o, o)]
        gain = sigma[1, o] @ np.linalg.inv(oo)
        r.append(weight * stats.multivariate_normal(mu[o], oo).pdf(holes[row, o]))
        mean.append(mu[1] + gain @ (holes[row, o] - mu[o]))
        second.append(sigma[1, 1] - gain @ sigma[o, 1] + mean[-1] ** 2)
    r = np.array(r) / np.sum(r)
    assert found.completed[row, 1] == pytest.approx(r @ mean, rel=1e-9)
    assert found.deviation[row, 1] == pytest.approx(np.sqrt(r @ second - (r @ mean) ** 2), rel=1e-7)


def test_the_truth_as_mixture_has_the_coverage_it_says() -> None:
    """Without any fit: the intervals of the true mixture, which nothing can bias."""
    from emseg.commands.impute import _filled

    rows, holes = table(13, 4000, 0.4)
    truth = Mixture(WEIGHTS, Gaussian(MEANS, MATRICES), GAUSSIANS["full"])
    _, _, low, high = (part.T for part in _filled(truth, holes.T, 0.9))
    inside = ((low <= rows) & (rows <= high))[np.isnan(holes)]
    assert stats.binomtest(int(inside.sum()), inside.size, 0.9).pvalue > 0.01


def test_the_example_in_the_readme_prints_what_it_says() -> None:
    text = (ROOT / "emseg" / "guide" / "impute.md").read_text("utf-8")
    code, printed = re.search(r"```python\n([^`]*emseg\.impute[^`]*)```\n+```text\n(.*?)```", text, re.DOTALL).groups()  # type: ignore[union-attr]
    out = io.StringIO()
    with redirect_stdout(out):
        exec(code, {})
    assert out.getvalue() == printed


def test_a_constant_column_is_filled_with_its_value() -> None:
    _, holes = table(11, 60)
    with_constant = np.insert(holes, 1, np.where(np.isnan(holes[:, 0]), np.nan, 7.0), axis=1)
    found, plain = emseg.impute(with_constant, 1), emseg.impute(holes, 1)
    for part in ("completed", "deviation", "low", "high"):
        np.testing.assert_allclose(np.delete(getattr(found, part), 1, axis=1), getattr(plain, part), rtol=1e-6)
    assert (found.completed[:, 1] == 7).all()
    assert (found.low[:, 1] == found.high[:, 1]).all()
    assert (found.deviation[:, 1] == 0).all()
    assert found.varying.tolist() == [0, 2, 3]
    assert found.mixture is not None
    assert found.mixture.d == 3
    assert found.warnings == ("column 1 (from 0) is 7 wherever it is known, and is taken to be that elsewhere",)
    whole = emseg.impute(np.insert(holes, 1, 7.0, axis=1), 2)
    assert whole.warnings == ()
    nothing = emseg.impute(np.array([[1.0, 2.0], [1.0, np.nan]]))
    np.testing.assert_array_equal(nothing.completed, [[1, 2], [1, 2]])
    assert nothing.mixture is None
    assert len(repr(nothing).splitlines()) == len(repr(found).splitlines()) == 4


def test_masked_values_are_missing() -> None:
    _, holes = table(12, 60)
    masked = np.ma.masked_array(np.where(np.isnan(holes), -999, holes), np.isnan(holes))
    expected = emseg.impute(holes, 2)
    for given in (masked, holes.tolist(), np.asfortranarray(holes)):
        np.testing.assert_allclose(emseg.impute(given, 2).completed, expected.completed, rtol=1e-6)


def test_channels_of_an_image_are_columns_wherever_they_stand() -> None:
    _, holes = table(13, 60)
    image = holes.reshape(10, 6, -1)
    expected = emseg.impute(image, 2).completed
    mask = np.ma.masked_invalid(image)
    np.testing.assert_allclose(emseg.impute(mask, 2).completed, expected, rtol=1e-6)
    four = np.concatenate([image, image[:, :, :1]], axis=2)
    assert emseg.impute(np.nan_to_num(four).astype(np.uint8), 1).completed.shape == (10, 6, 4)
    xarray = pytest.importorskip("xarray")
    named = xarray.DataArray(np.moveaxis(image, 2, 0), dims=("band", "y", "x"))
    np.testing.assert_allclose(emseg.impute(named, 2).completed, np.moveaxis(expected, 2, 0), rtol=1e-6)


def test_frames_come_back_with_their_index_and_columns() -> None:
    pandas = pytest.importorskip("pandas")
    _, holes = table(14, 60)
    frame = pandas.DataFrame(holes, columns=["a", "b", "c"], index=pandas.date_range("2020", periods=60))
    found, expected = emseg.impute(frame, 2), emseg.impute(holes, 2)
    for part in ("completed", "deviation", "low", "high", "missing"):
        own = getattr(found, part)
        assert isinstance(own, pandas.DataFrame)
        pandas.testing.assert_index_equal(own.index, frame.index)
        pandas.testing.assert_index_equal(own.columns, frame.columns)
        np.testing.assert_allclose(own.to_numpy(float), getattr(expected, part), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "boolean", "float32", "Int8", "object"])
def test_nullable_columns(dtype: str) -> None:
    pandas = pytest.importorskip("pandas")
    values = np.random.default_rng(0).integers(0, 2, 80)
    column = pandas.Series(values.astype(bool) if dtype == "boolean" else values, dtype=dtype)
    column[[3, 7]] = np.nan if dtype == "float32" else pandas.NA
    frame = pandas.DataFrame({"x": np.random.default_rng(1).normal(values, 0.1), "y": column})
    found = emseg.impute(frame, 2)
    assert found.missing["y"].sum() == 2
    assert abs(found.completed["y"][3] - values[3]) < 0.1
    assert (found.completed["y"].drop([3, 7]) == values[np.delete(np.arange(80), [3, 7])]).all()


def test_frames_that_cannot_be_filled() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"x": [1.0, 2, np.nan], "when": pandas.date_range("2020", periods=3), "who": ["a", "b", None]}
    )
    for columns, message in [
        (["x", "who"], "table: column 'who' holds .*, no numbers; leave it out, or turn it into numbers"),
        (["x", "when"], "table: column 'when' holds datetime64"),
        ([], "table: is empty"),
    ]:
        with pytest.raises(DataError, match=message):
            emseg.impute(frame[columns])
    with pytest.raises(DataError, match="column y is unknown in every row"):
        emseg.impute(frame[["x"]].assign(y=pandas.NA))
    with pytest.raises(DataError, match=r"is a single column; give rows and columns of numbers, as data\.to_frame\(\)"):
        emseg.impute(frame["x"])


def test_axes_pages_channels_and_stacks_of_images(tmp_path: Path) -> None:
    """Channels first, a page and several files as one image give what the same array with channels last gives."""
    rng = np.random.default_rng(0)
    first = rng.normal(100, 10, (12, 15))
    image = np.stack([first, 2 * first + rng.normal(0, 1, first.shape), first[::-1]], axis=-1)
    image[3:5, :, 1] = np.nan
    expected = emseg.impute(image, 1)
    found = emseg.impute(np.moveaxis(image, -1, 0), 1, axes="CYX")
    np.testing.assert_allclose(found.completed, np.moveaxis(expected.completed, -1, 0), rtol=1e-9)
    stack = emseg.impute([image[..., c] for c in range(3)], 1, stack=True)
    np.testing.assert_allclose(stack.completed, expected.completed, rtol=1e-9)
    tifffile.imwrite(tmp_path / "t.tif", np.stack([image[..., 2], image[..., 0]]), photometric="minisblack")
    assert not emseg.impute(tmp_path / "t.tif", 1, page=2).missing.any()
    np.testing.assert_array_equal(emseg.impute(tmp_path / "t.tif", 1, page=2).completed[..., 0], image[..., 0])
    chosen = emseg.impute(image, 1, axes="YXC", channels=[1, 2])
    assert chosen.completed.shape == (12, 15, 2)
    np.testing.assert_allclose(chosen.completed[..., 0], image[..., 0])
    volume = emseg.impute(np.stack([image[..., 1]] * 2), 1, axes="ZYX")
    assert volume.completed.shape == (2, 12, 15)


@pytest.mark.parametrize("given", [{"page": 1}, {"channels": 1}, {"axes": "YX"}, {"stack": True}])
def test_what_is_for_images_does_not_go_with_data_frames(given: dict[str, object]) -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(UsageError, match="is for images; a table has rows and columns"):
        emseg.impute(pandas.DataFrame({"a": [1.0, 2.0, np.nan]}), 1, **given)
