"""`--missing em`: labels for pixels that are known in part, by what is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as Pillow

import emseg
from emseg.cli.main import cli
from emseg.errors import DataError, UsageError
from emseg.mixture.assign import assign

pytestmark = pytest.mark.long

SAMPLES = Path(__file__).parents[2] / "sample_images"


def scene(seed: int = 0, share: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three regions in three bands, (H, W, 3) in bytes; their labels; and which values are known."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.repeat(rng.integers(3, size=(6, 6)), 10, axis=0), 10, axis=1)
    centres = np.array([[50, 60, 100], [80, 160, 180], [160, 110, 90]])
    pixels = centres[truth] + rng.normal(scale=18, size=(60, 60, 3))
    return np.clip(pixels, 1, 255).astype(np.uint8), truth, rng.random(pixels.shape) > share


def test_a_third_of_the_values_gone_costs_few_labels() -> None:
    """More labels than from whole pixels alone, and better ones than from the two best bands or filled-in means."""
    pixels, _, known = scene()
    full = emseg.segment(pixels, k=3, features="rgb").labels
    holes = np.where(known, pixels.astype(float), np.nan)
    result = emseg.segment(holes, k=3, features="rgb", missing="em")
    agreement = (result.labels == full).mean()
    assert (emseg.segment(holes, k=3, features="rgb").labels == full).mean() < 0.5
    filled = np.where(known, pixels, np.nanmean(holes, axis=(0, 1)))
    assert agreement > (emseg.segment(filled, k=3, features="rgb").labels == full).mean() + 0.03
    assert agreement > 0.87
    assert result.report["pixels"] == known.any(axis=2).sum()
    assert result.report["partly_known"] == (known.any(axis=2) & ~known.all(axis=2)).sum()
    np.testing.assert_array_equal(result.labels == 0, ~known.any(axis=2))


def test_nan_a_mask_and_distinct_values_give_one_result() -> None:
    pixels, _, known = scene(1)
    options = {"k": 3, "features": "rgb", "missing": "em", "tol": 1e-9}
    by_nan = emseg.segment(np.where(known, pixels.astype(float), np.nan), **options)
    by_mask = emseg.segment(pixels, mask=known.astype(np.uint8), **options)
    one_by_one = emseg.segment(pixels, mask=known.astype(np.uint8), compress=False, **options)
    assert by_mask.report["distinct"] < by_nan.report["distinct"]
    for other in (by_mask, one_by_one):
        assert other.report["log_likelihood"] == pytest.approx(by_nan.report["log_likelihood"], rel=1e-6)
        assert (other.labels == by_nan.labels).mean() > 0.995
    own = by_nan.mixture
    x = np.where(known, pixels.astype(float), np.nan).reshape(-1, 3).T
    seen = ~np.isnan(x).all(0)
    labels, _ = assign(own, np.ascontiguousarray(x[:, seen]), np.ones(seen.sum()))
    assert (labels == by_nan.labels.ravel()[seen]).mean() > 0.9999
    joint = own.log_joint(x[:, seen])
    total = np.log(np.exp(joint - joint.max(0)).sum(0)) + joint.max(0)
    assert by_nan.report["log_likelihood"] == pytest.approx(total.sum(), rel=1e-9)  # in stored units
    np.testing.assert_allclose(by_nan.posterior().sum(0), known.any(axis=2), atol=1e-5)


def test_without_holes_the_option_changes_nothing() -> None:
    pixels, _, _ = scene(2)
    plain, asked = emseg.segment(pixels, k=3), emseg.segment(pixels, k=3, missing="em")
    np.testing.assert_array_equal(plain.labels, asked.labels)
    assert plain.report["log_likelihood"] == asked.report["log_likelihood"]


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_other_families(family: str) -> None:
    pixels, _, known = scene(3)
    full = emseg.segment(pixels, k=3, family=family).labels
    found = emseg.segment(pixels, k=3, family=family, mask=known.astype(np.uint8), missing="em")
    assert (found.labels == full).mean() > 0.85


def test_hue_of_grey_pixels_gets_no_label() -> None:
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 255, (20, 20, 3)).astype(np.uint8)
    pixels[:5] = pixels[:5, :, :1]
    result = emseg.segment(pixels, k=2, family="von-mises", missing="em")
    assert (result.labels[:5] == 0).all()
    assert (result.labels[5:] > 0).all()


def test_number_of_components_start_from_labels_and_model(tmp_path: Path) -> None:
    pixels, truth, known = scene(5)
    options = {"features": "rgb", "mask": known.astype(np.uint8), "missing": "em"}
    assert emseg.segment(pixels, k="1:5", criterion="bic", **options).report["K"] == 3
    Pillow.fromarray((truth + 1).astype(np.uint8)).save(tmp_path / "labels.png")
    found = emseg.segment(pixels, k=3, init=str(tmp_path / "labels.png"), **options)
    assert found.status.value.startswith("converged")


def test_outliers_that_are_known_in_part_are_noise() -> None:
    """As many as without holes, more or less; a saved model does not know the sides of its box."""
    pixels, _, known = scene(8)
    rng = np.random.default_rng(9)
    bad = rng.random((60, 60)) < 0.08
    pixels = np.where(bad[..., None], rng.integers(1, 255, pixels.shape), pixels).astype(np.uint8)
    options = {"k": 3, "features": "rgb", "noise": True}
    full = emseg.segment(pixels, **options)
    found = emseg.segment(pixels, mask=known.astype(np.uint8), missing="em", **options)
    assert found.report["noise"]["weight"] == pytest.approx(full.report["noise"]["weight"], rel=0.15)
    assert found.report["noise"]["log_density"] == pytest.approx(full.report["noise"]["log_density"], abs=0.05)
    outliers = (known.sum(axis=2) >= 2) & (found.labels == 4)
    assert bad[outliers].mean() > 0.8


def test_impossible_requests_are_one_line() -> None:
    pixels, _, known = scene(6)
    holes = np.where(known, pixels.astype(float), np.nan)
    with pytest.raises(UsageError, match="missing is 'all'; it must be one of drop, em"):
        emseg.segment(holes, missing="all")
    with pytest.raises(DataError, match="a field needs all channels of a pixel; use missing='drop'"):
        emseg.segment(holes, k=3, features="rgb", missing="em", mrf="gibbs")
    with pytest.raises(DataError, match="unknown in every pixel"):
        emseg.segment(np.where([True, True, False], pixels, np.nan), k=3, features="rgb", missing="em")
    constant = np.where(known, 7.0, np.nan)
    with pytest.raises(DataError, match="all pixels are equal"):
        emseg.segment(constant, k=2, features="rgb", missing="em")
    with pytest.raises(DataError, match="the mask has shape"):
        emseg.segment(pixels, mask=known, missing="drop")


def test_the_command_takes_a_mask_of_channels(tmp_path: Path) -> None:
    pixels, _, known = scene(7)
    Pillow.fromarray(pixels).save(tmp_path / "a.png")
    Pillow.fromarray(known.astype(np.uint8) * 255).save(tmp_path / "known.png")
    common = ["segment", str(tmp_path / "a.png"), "-k", "3", "--features", "rgb", "-o", str(tmp_path), "--save", "all"]
    mask = ["--mask", str(tmp_path / "known.png")]
    done = CliRunner().invoke(cli, [*common, *mask, "--missing", "em"])
    assert done.exit_code == 0, done.output
    labels = np.asarray(Pillow.open(tmp_path / "a.labels.png"))
    np.testing.assert_array_equal(labels == 0, ~known.any(axis=2))
    done = CliRunner().invoke(cli, [*common, *mask])  # as ever: where any channel is not zero
    assert done.exit_code == 0, done.output
    compared = CliRunner().invoke(cli, ["compare", *common[1:-2], *mask, "--missing", "em", "--algorithms", "em,sem"])
    assert compared.exit_code == 0, compared.output
