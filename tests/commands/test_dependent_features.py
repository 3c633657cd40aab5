"""The same picture stored another way: grey in three channels, bands that depend on each other, a few pixels off grey.

Right values are those of the picture as it is: six levels, each of a class, twelve deviations apart or nearly.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.em.registry import ALGORITHMS
from emseg.errors import DataError
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.saved import model_json, parse_model

RNG = np.random.default_rng(0)
TRUTH = np.repeat(np.arange(120) // 20, 160).reshape(120, 160)
GREY = np.clip(20 + 40 * TRUTH + RNG.normal(0, 6, TRUTH.shape), 0, 255).astype(np.uint8)
RGB = np.repeat(GREY[..., None], 3, 2)
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("error")]


def error(labels: np.ndarray, truth: np.ndarray = TRUTH) -> float:
    return float(emseg.evaluate(labels, [truth])["scores"]["error"])


def segmented(image: Any, k: int = 6, **options: Any) -> emseg.Segmentation:
    """A segmentation in which NumPy warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return emseg.segment(image, k=k, **options)


@pytest.mark.parametrize("features", ["auto", "rgb", "lab", "hsv", "gray", "bands", "lab,xy:0.1"])
def test_grey_stored_as_colour(features: str) -> None:
    found = segmented(RGB, features=features)
    assert error(found.labels) <= 1e-3
    assert found.report["emptied"] == 0
    assert found.report["warnings"] == []


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_every_covariance_model(covariance: str) -> None:
    for features in ("rgb", "hsv"):
        assert error(segmented(RGB, features=features, covariance=covariance).labels) <= 1e-3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm(algorithm: str) -> None:
    family = "student" if algorithm == "px" else "gaussian"
    assert error(segmented(RGB, features="rgb", algorithm=algorithm, family=family).labels) <= 1e-3


@pytest.mark.parametrize("mrf", ["gibbs", "mean-field", "icm", "graph-cut"])
def test_every_field(mrf: str) -> None:
    pytest.importorskip("maxflow") if mrf == "graph-cut" else None
    assert error(segmented(RGB, mrf=mrf).labels) <= 1e-3


@pytest.mark.parametrize(
    "options",
    [
        {"family": "student"},
        {"noise": True, "features": "rgb"},
        {"noise": True, "features": "rgb", "family": "student"},
        {"partial_volume": True},
        {"censored": "0,255"},
        {"denoise": "auto"},
    ],
)
def test_every_family_and_what_goes_with_it(options: dict[str, Any]) -> None:
    assert error(segmented(RGB, **options).labels) <= 1e-3


@pytest.mark.parametrize("family", ["gamma", "poisson"])
def test_families_of_single_values_count_a_copy_once(family: str) -> None:
    grey = np.maximum(GREY, 1)
    one, three = segmented(grey, family=family), segmented(np.repeat(grey[..., None], 3, 2), family=family)
    np.testing.assert_array_equal(one.labels, three.labels)
    assert three.report["n_parameters"] == one.report["n_parameters"]
    assert np.array(three.report["means"]).shape == (6, 3)


@pytest.mark.parametrize(
    "name", ["rgb.png", "rgba.png", "p.png", "rgb.jpg", "rgb.tif", "rgb.bmp", "rgb.webp", "cmyk.tif"]
)
def test_every_way_to_store_it(name: str, tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(GREY)
    mode = {"rgba.png": "RGBA", "cmyk.tif": "CMYK"}.get(name, "RGB")
    picture = picture.convert("P") if name == "p.png" else picture.convert(mode)
    picture.save(tmp_path / name, **({"lossless": True} if name == "rgb.webp" else {}))
    assert error(segmented(tmp_path / name).labels) <= 1e-3
    assert error(segmented(tmp_path / name, features="rgb").labels) <= 1e-3


def test_labels_and_likelihood_are_those_of_one_channel() -> None:
    """ℓ and bic are of the independent features, means and covariances of all."""
    one, three = segmented(GREY), segmented(RGB, features="rgb")
    np.testing.assert_array_equal(one.labels, three.labels)
    a, b = one.report, three.report
    assert b["features"]["rank"] == 1
    assert b["features"]["independent"] == ["R"]
    for key in ("log_likelihood", "bic", "icl", "n_parameters", "pixel_counts"):
        assert b[key] == pytest.approx(a[key], rel=1e-9), key
    np.testing.assert_allclose(b["means"], np.repeat(a["means"], 3, 1), rtol=1e-9)
    np.testing.assert_allclose(np.array(b["covariances"]), np.array(a["covariances"]) * np.ones((3, 3)), rtol=1e-9)
    assert "rank" not in a["features"]


@pytest.mark.parametrize("covariance", ["full", "diag", "EII", "VEV"])
@pytest.mark.parametrize(
    "make",
    [
        lambda g, h: [g, g],
        lambda g, h: [g, 255 - g],
        lambda g, h: [g, h, g + h],
        lambda g, h: [g, h, (g + h) / 2, g - h],
        lambda g, h: [g] * 4,
        lambda g, h: [g.round(), g.round(), g.round() - 2],
        lambda g, h: [g, np.full_like(g, 5)],
    ],
)
def test_bands_that_depend_on_each_other(make: Any, covariance: str) -> None:
    rng = np.random.default_rng(0)
    g = 20 + 40 * TRUTH + rng.normal(0, 6, TRUTH.shape)
    h = 200 - 30 * ((TRUTH * 2) % 6) + rng.normal(0, 6, TRUTH.shape)
    bands = np.stack(make(g, h), -1)
    for image in (bands, bands.astype(np.float32)):
        found = segmented(image, features="rgb" if bands.shape[-1] == 3 else "bands", covariance=covariance)
        assert error(found.labels) <= 1e-3


@pytest.mark.parametrize("share", [0, 0.0005, 0.01, 0.1, 0.3, 1])
def test_nearly_grey(share: float) -> None:
    rng = np.random.default_rng(0)
    image, spot = RGB.copy(), rng.random(GREY.shape) < share
    image[spot, 2] = np.maximum(image[spot, 2].astype(int) - rng.integers(1, 6, spot.sum()), 0)
    assert error(segmented(image).labels) <= 1e-3
    assert error(segmented(image, features="rgb").labels) <= 1e-3


@pytest.mark.parametrize("n", [2, 5, 16, 64])
def test_flat_colours(n: int) -> None:
    rng = np.random.default_rng(n)
    colours = rng.choice(256, (n, 3)).astype(np.uint8)
    index = rng.integers(0, n, (8, 12)).repeat(10, 0).repeat(10, 1)
    index.ravel()[:n] = np.arange(n)
    for options in ({}, {"covariance": "diag"}, {"features": "rgb"}, {"noise": True}):
        found = segmented(colours[index], k=n, **options)
        assert error(found.labels, index + 1) == 0
    with pytest.raises(DataError, match=f"{n} distinct values cannot make {n + 1} components"):
        segmented(colours[index], k=n + 1)


@pytest.mark.parametrize("deviation", [0.3, 0.5, 0.6, 1])
def test_two_classes_twelve_deviations_apart_in_one_tint(deviation: float) -> None:
    truth = np.repeat(np.arange(2), 60)[:, None] * np.ones((1, 160), int)
    grey = 110 + 12 * deviation * truth + np.random.default_rng(0).normal(0, deviation, truth.shape)
    image = np.clip(np.rint(grey[..., None] * [0.95, 0.7, 0.45]), 0, 255).astype(np.uint8)
    for features in ("auto", "rgb"):
        assert error(segmented(image, k=2, features=features).labels, truth) <= 1e-3


def test_two_flat_colours_of_the_same_lightness_beside_noise() -> None:
    """L* tells them apart by a few steps of rounding, a* and b* by hundreds: these say how exact the colours are."""
    truth = np.repeat(np.arange(3), 40)[:, None] > 0
    image = np.where((truth * np.ones((1, 160), bool))[..., None], [214, 66, 27], [76, 105, 208]).astype(np.uint8)
    for options in ({}, {"noise": True}):
        found = segmented(image, k=2, **options)
        assert error(found.labels, truth * np.ones((1, 160), int)) == 0
        assert np.sqrt(np.diagonal(found.report["covariances"], axis1=1, axis2=2)).max() < 2


def test_clipped_values_are_no_class_beside_real_ones() -> None:
    """A ramp of grey with a hill, of which the dark end is clipped: black is a part of the dark class."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(8, 9, 6000), rng.normal(120, 30, 9000), rng.normal(190, 7, 9000)])
    image = np.clip(np.rint(values), 0, 255).astype(np.uint8).reshape(120, 200)
    assert 0.03 < (image == 0).mean() < 0.08
    found = segmented(image, k=3)
    assert np.sqrt(np.array(found.report["covariances"]).ravel()).min() > 5


def test_one_far_pixel_is_no_class() -> None:
    image = GREY.copy()
    image[5, 5] = 255
    found = segmented(np.minimum(image, 140 + 115 * (image == 255)).astype(np.uint8), k=3)
    assert min(n for n in found.report["pixel_counts"] if n) > 100


@pytest.mark.parametrize("options", [{}, {"noise": True}, {"family": "student"}, {"covariance": "VEV"}])
def test_models_of_dependent_features_go_there_and_back(options: dict[str, Any], tmp_path: Path) -> None:
    found = segmented(RGB, features="rgb", **options)
    data = model_json(found.report)
    assert json.loads(data)["pivots"] == [0]
    applied = emseg.apply(parse_model(data, "model"), RGB)
    np.testing.assert_array_equal(applied.labels, found.labels)
    assert applied.report["log_likelihood"] == pytest.approx(found.report["log_likelihood"], rel=1e-9)
    (tmp_path / "m.json").write_bytes(data)
    again = segmented(RGB, features="rgb", init=str(tmp_path / "m.json"), **options)
    assert (again.labels == found.labels).mean() > 0.999


def test_fewer_classes_than_asked_for_get_a_line() -> None:
    truth = np.repeat(np.arange(2), 60)[:, None] * np.ones((1, 160), int)
    image = np.rint(60 + 80 * truth + np.random.default_rng(0).normal(0, 1, truth.shape)).astype(np.uint8)
    found = segmented(image, k=3)
    assert np.count_nonzero(found.report["pixel_counts"]) == 2
    (line,) = found.report["warnings"]
    assert line.startswith("k=3: 2 classes have pixels")


def test_a_spike_is_not_taken_for_convergence() -> None:
    """By rounding alone nothing moves: under a floor far below rounding, the status says so; by default all agree."""
    rng = np.random.default_rng(1)
    image = np.clip(rng.normal(60, 40, (100, 100, 3)) + rng.normal(0, 20, (100, 100, 1)), 0, 255).astype(np.uint8)
    image[:20] = 0
    ends = [
        segmented(image, k=3, features="rgb", algorithm=name).report["log_likelihood_per_pixel"]
        for name in ("em", "gem", "ecm", "ecme", "sage", "aitken", "cg", "anderson", "squarem", "incremental")
    ]
    assert max(ends) - min(ends) < 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spiked = emseg.segment(image, k=3, features="rgb", algorithm="em", floor=1e-13)
    assert spiked.status.name in ("HIDDEN", "DEGENERATE")


@pytest.mark.parametrize("floor", ["auto", 1e-4])
def test_columns_of_tables_that_depend_on_each_other(floor: float | str) -> None:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(3), 200)
    g, h = 10 * truth + rng.normal(0, 1, 600), rng.normal(size=600)
    one, two = emseg.fit(np.stack([g, h], 1), k=3, floor=floor), emseg.fit(np.stack([g, h, g + h], 1), k=3, floor=floor)
    assert two.report["features"]["rank"] == 2
    assert two.report["n_parameters"] == one.report["n_parameters"]
    table = np.stack([g, h, g + h], 1)
    assert (two.predict(table) == truth + 1).all()
    assert two.score(table) == pytest.approx(two.report["log_likelihood"] / 600, rel=1e-9)


def test_a_picture_of_noise_alone_keeps_a_class() -> None:
    """Places are spread evenly: all pixels are noise, and the report says so."""
    found = segmented(GREY, k=3, features="xy", noise=True)
    assert found.report["K"] >= 1
