"""From one start, scikit-learn's GaussianMixture and ours are the same; data/make_sklearn.py wrote its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emseg.em.convergence import Status, Stop
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows

pytestmark = pytest.mark.long

PUBLISHED = json.loads((Path(__file__).parents[1] / "data" / "sklearn.json").read_text("utf-8"))
RUNS: list[dict[str, Any]] = PUBLISHED["runs"]
CONVERGED = [run for run in RUNS if run["iterations"] == "converged"]


def name(value: object) -> str:
    return "-".join(str(value[key]) for key in list(value)[:4]) if isinstance(value, dict) else str(value)


def posed(run: dict[str, Any], dtype: type = np.float64) -> tuple[Problem, Mixture]:
    data = PUBLISHED["data"][run["data"]]
    x = np.ascontiguousarray(np.array(data["x"]).T, dtype)
    means = np.array(data["means"])
    k, d = means.shape
    model = GAUSSIANS[run["covariance"]]
    start = Mixture(np.full(k, 1 / k), Gaussian(means, np.stack([np.eye(d)] * k)), model)
    return Problem(Rows(x, np.ones(x.shape[1], dtype)), model, run["floor"]), start


def refit(run: dict[str, Any], variant: str, stop: Stop, dtype: type = np.float64) -> Fit:
    problem, start = posed(run, dtype)
    return fit(algorithm(variant), problem, start, stop, np.random.default_rng(0))


def assert_same(mixture: Mixture, log_likelihood: float, run: dict[str, Any], tolerance: float) -> None:
    assert log_likelihood == pytest.approx(run["log_likelihood"], rel=tolerance)
    np.testing.assert_allclose(mixture.weights, run["weights"], rtol=tolerance)
    np.testing.assert_allclose(mixture.components.means, run["means"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(mixture.components.covariances, run["covariances"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("run", [run for run in RUNS if run["iterations"] != "converged"], ids=name)
def test_every_iteration_is_that_of_scikit_learn(run: dict[str, Any]) -> None:
    found = refit(run, "em", Stop(0, run["steps"]))
    assert len(found.trace) == int(run["iterations"]) + 1
    assert_same(found.mixture, found.trace[-1].log_likelihood, run, 1e-9)


@pytest.mark.parametrize("run", CONVERGED, ids=name)
@pytest.mark.parametrize("variant", ["anderson", "squarem"])
def test_acceleration_ends_at_the_limit_of_scikit_learn(variant: str, run: dict[str, Any]) -> None:
    found = refit(run, variant, Stop(1e-14, 1000))
    assert found.status.value.startswith("converged")
    assert_same(found.mixture, found.trace[-1].log_likelihood, run, 1e-6)
    assert found.trace[-1].e_steps < max(run["steps"], 40)


@pytest.mark.parametrize("run", CONVERGED, ids=name)
def test_em_after_as_many_steps_as_scikit_learn_is_at_its_limit(run: dict[str, Any]) -> None:
    """Stepped by hand: `fit` would stop as soon as the likelihood moves no more, where flat directions still creep."""
    problem, mixture = posed(run)
    for _ in range(run["steps"]):
        mixture = problem.m_step(problem.e_step(mixture).stats)
    assert_same(mixture, float(problem.e_step(mixture).log_likelihood), run, 1e-6)
    stopped = refit(run, "em", Stop(0, 100_000))
    assert stopped.status is Status.STALLED
    assert stopped.trace[-1].objective == pytest.approx(float(problem.e_step(mixture).objective), rel=1e-10)


def test_the_log_holds_the_likelihood_of_every_iteration() -> None:
    """Row t is the mixture after t M-steps, not the one before the last."""
    trace = refit(RUNS[0], "em", Stop(0, 5)).trace
    assert [row.iteration for row in trace] == list(range(6))
    for run in RUNS[:2]:
        assert trace[int(run["iterations"])].log_likelihood == pytest.approx(run["log_likelihood"], rel=1e-12)


@pytest.mark.parametrize("run", [run for run in RUNS if run["iterations"] == "5"], ids=name)
def test_single_precision_is_as_near_as_it_can_be(run: dict[str, Any]) -> None:
    found = refit(run, "em", Stop(0, 5), np.float32)
    assert found.trace[-1].log_likelihood == pytest.approx(run["log_likelihood"], rel=1e-5)
    np.testing.assert_allclose(found.mixture.components.means, run["means"], rtol=1e-4, atol=1e-4)
