"""The report's numbers, each computed anew from its definition in the units of the features."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import emseg
from emseg.em.registry import ALGORITHMS
from emseg.mixture.covariance.registry import ALIASES
from emseg.options.by_command import options_of

pytestmark = pytest.mark.long

Picture = tuple[np.ndarray, np.ndarray]
Measure = Callable[[np.ndarray, str], np.ndarray]


def log_joint(report: dict[str, list[float]], x: np.ndarray) -> np.ndarray:
    """log π_k f_k(x), shape (K, N), from what the report says and nothing else."""
    parameters = zip(report["weights"], report["means"], report["covariances"], strict=True)
    return np.stack([np.log(w) + multivariate_normal(m, c).logpdf(x) for w, m, c in parameters])


def as_kind(array: np.ndarray, kind: str) -> np.ndarray:
    gray = array @ np.array([0.2, 0.7, 0.1])
    return {
        "gray uint8": gray.round().astype(np.uint8),
        "gray uint16": (gray * 250).round().astype(np.uint16),
        "gray float": gray / 255,
        "rgb uint8": array,
        "rgb uint16": array.astype(np.uint16) * 257,
        "rgb float": array / 255.0,
        "bands": np.concatenate([array, array[..., ::-1].astype(np.int16) ** 2 // 300 - 40], axis=2).astype(np.int16),
    }[kind]


CASES = [
    ("gray uint8", "gray"), ("gray uint16", "gray"), ("gray float", "gray"), ("rgb uint8", "rgb"), ("rgb uint8", "lab"),
    ("rgb uint8", "rgb,xy"), ("rgb uint8", "lab:2,xy:0.3"), ("rgb uint16", "rgb"), ("rgb uint16", "lab"),
    ("rgb float", "lab"), ("rgb float", "rgb,xy"), ("bands", "bands"),
]  # fmt: skip


@pytest.mark.parametrize("covariance", [*ALIASES, "VEV", "EVE"])
@pytest.mark.parametrize(("kind", "features"), CASES)
def test_likelihoods_are_densities_in_the_features_own_units(
    picture: Picture, measured: Measure, kind: str, features: str, covariance: str
) -> None:
    array = as_kind(picture[0], kind)
    found = emseg.segment(array, 3, features=features, covariance=covariance)
    report = found.report
    x = measured(array, features)
    joint = log_joint(report, x)
    log_likelihood = logsumexp(joint, axis=0).sum()
    assert report["log_likelihood"] == pytest.approx(log_likelihood, rel=1e-8)
    assert report["log_likelihood"] == found.trace[-1].log_likelihood
    assert report["log_likelihood_per_pixel"] == pytest.approx(log_likelihood / len(x), rel=1e-8)
    d, n = x.shape[1], len(x)
    axes = d * (d - 1) // 2
    matrices = {
        "full": 3 * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diag": 3 * d, "spherical": 3,
        "VEV": 3 + (d - 1) + 3 * axes, "EVE": 1 + 3 * (d - 1) + axes,
    }[covariance]  # fmt: skip
    assert report["n_parameters"] == 2 + 3 * d + matrices
    assert report["aic"] == pytest.approx(-2 * log_likelihood + 2 * report["n_parameters"], rel=1e-8)
    bic = -2 * log_likelihood + report["n_parameters"] * np.log(n)
    assert report["bic"] == pytest.approx(bic, rel=1e-8)
    assert report["icl"] == pytest.approx(bic - 2 * (joint - logsumexp(joint, axis=0)).max(0).sum(), rel=1e-8)
    assert (found.labels.ravel() != joint.argmax(0) + 1).mean() < 1e-3  # but for ties


def test_the_likelihood_leaves_the_masked_and_the_missing_out(picture: Picture, measured: Measure) -> None:
    array = picture[0].astype(float)
    array[0, :7] = np.nan
    mask = np.random.default_rng(0).random(picture[1].shape) < 0.8
    report = emseg.segment(array, 3, features="rgb,xy", mask=mask).report
    inside = (mask & np.isfinite(array[..., 0])).ravel()
    joint = log_joint(report, measured(array, "rgb,xy")[inside])
    assert report["log_likelihood"] == pytest.approx(logsumexp(joint, axis=0).sum(), rel=1e-8)
    assert report["pixels"] == inside.sum()


@pytest.mark.parametrize("kind", ["gray uint8", "gray uint16", "gray float", "rgb uint8", "rgb uint16", "rgb float"])
@pytest.mark.parametrize("compress", [True, False])
def test_colours_are_the_mean_of_the_region(picture: Picture, kind: str, compress: bool) -> None:
    array = as_kind(picture[0], kind)
    mask = np.random.default_rng(0).random(picture[1].shape) < 0.9
    found = emseg.segment(array, 3, mask=mask, compress=compress)
    white = {"uint8": 255, "uint16": 65535}.get(array.dtype.name, 1)
    assert found.colours is not None
    assert found.colours.shape == (3, 3)
    for label, colour in enumerate(found.colours, 1):
        mean = np.atleast_3d(array)[found.labels == label].mean(0) / white * 255
        np.testing.assert_allclose(colour, np.broadcast_to(mean, 3), atol=0.5 + 1e-9)


def test_twelve_bits_in_sixteen_are_not_black() -> None:
    found = emseg.segment(np.repeat(np.array([[[100], [2000], [4000]]], np.uint16), 2, 0), 3)
    assert found.colours is not None
    assert found.colours[:, 0].tolist() == [6, 125, 249]


def test_bands_have_no_colour(picture: Picture) -> None:
    assert emseg.segment(as_kind(picture[0], "bands"), 3).colours is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_report_is_plain_json_that_names_everything(picture: Picture, algorithm: str) -> None:
    family = "student" if algorithm == "px" else "gaussian"
    found = emseg.segment(picture[0], 3, algorithm=algorithm, features="lab,xy:0.5", seed=3, family=family)
    report = json.loads(json.dumps(found.report, allow_nan=False))
    assert report == found.report
    assert report["version"] == emseg.__version__
    given = {"k": 3, "features": "lab,xy:0.5", "family": family, "algorithm": algorithm, "seed": 3}
    default = {entry.name: entry.default_of("segment") for entry in options_of("segment") if entry.recorded}
    assert report["options"] == json.loads(json.dumps(default | {"option": {}} | given))
    assert {"covariance", "dof", "missing", "tol", "mrf", "partial_volume", "denoise", "scribbles"} < set(default)
    assert report["size"] == [60, 40]
    assert report["K"] == 3
    assert report["algorithm"] == algorithm
    assert report["features"] == {"spec": "lab,xy:0.5", "names": ["L*", "a*", "b*", "x", "y"]}
    assert report["status"] == found.status.value
    assert sum(report["pixel_counts"]) == report["pixels"] == 2400
    assert sum(report["weights"]) == pytest.approx(1)
    assert report["mrf"] == {"method": "none", "beta": None, "sweeps": 0, "energy": None}
    assert set(report["seconds"]) >= {"read", "features", "start", "fit", "labels"}


@pytest.mark.parametrize("options", [{"k": np.int64(3)}, {"seed": np.int64(3)}, {"max_iter": np.int32(5)}])
def test_numpy_integers_are_whole_numbers(picture: Picture, options: dict[str, object]) -> None:
    json.dumps(emseg.segment(picture[0], **({"k": 3} | options)).report)
