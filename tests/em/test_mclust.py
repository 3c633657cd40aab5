"""Every fit of mclust (R) in tests/data/mclust.json, from its start labels; and figures published of such fits.

mclust's prior is that of `emseg.em.variants.map` for some models. For the others its M-steps are those of other
numbers, found from its fixed points and spelled out in `as_mclust_has_it`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emseg.em.accelerators.squarem import Squarem
from emseg.em.convergence import Stop
from emseg.em.fit import Fit, fit
from emseg.em.problem import Problem
from emseg.em.variants.em import EM
from emseg.em.variants.map import Map
from emseg.mixture.conjugate_prior import NormalInverseWishart
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats

pytestmark = pytest.mark.long

STORED = json.loads((Path(__file__).parents[1] / "data" / "mclust.json").read_text("utf-8"))
FITS: list[dict[str, Any]] = STORED["fits"]
ONE_DIMENSION = {"E": "EII", "V": "VII"}
TO_THE_END = Stop(1e-14, 20_000)
#: mclust's VVE stops before a maximum: from its own parameters, EM climbs on to where we end.
HIGHER = {("faithful", 2), ("faithful", 3), ("iris", 2), ("iris", 3), ("diabetes", 3), ("thyroid", 3)}
#: Where the default prior is mclust's, to the letter.
SAME_PRIOR = {"E", "V", "VII", "VVI", "EEE", "VVV"}


def name_of(stored: dict[str, Any]) -> str:
    return f"{stored['data']}-{stored['model']}-{stored['k']}" + ("-prior" if stored["prior"] else "")


def posed(stored: dict[str, Any], prior: NormalInverseWishart | None = None) -> Problem:
    x = np.array(STORED["data"][stored["data"]], float)
    x = np.ascontiguousarray(x.reshape(len(x), -1).T)
    model = GAUSSIANS[ONE_DIMENSION.get(stored["model"], stored["model"])]
    return Problem(Rows(x, np.ones(x.shape[1])), model, prior=prior)


def started(problem: Problem, stored: dict[str, Any]) -> Mixture:
    """The M-step from the labels that mclust started from."""
    ((t, _),) = problem.rows.blocks(problem.family, problem.rows.n_rows)
    r = np.array(stored["start_labels"]) == np.arange(stored["k"])[:, None]
    return problem.m_step(Stats(r.sum(1).astype(float), r @ t.T))


def fitted(problem: Problem, stored: dict[str, Any]) -> Fit:
    return fit(EM(), problem, started(problem, stored), TO_THE_END, np.random.default_rng(0))


def stored_mixture(stored: dict[str, Any]) -> Mixture:
    k = stored["k"]
    means = np.array(stored["means"], float).reshape(k, -1)
    covariances = np.array(stored["covariances"], float).reshape(k, means.shape[1], -1)
    model = GAUSSIANS[ONE_DIMENSION.get(stored["model"], stored["model"])]
    return Mixture(np.array(stored["weights"]), Gaussian(means, covariances), model)


def assert_same(found: Mixture, expected: Mixture) -> None:
    """Each parameter to 1e-4, relative to the largest of its vector or matrix."""
    ours, theirs = found.components, expected.components
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-4, atol=1e-8)  # some are empty
    for a, b in ((ours.means, theirs.means), (ours.covariances, theirs.covariances)):
        scale = np.abs(b).max(tuple(range(1, b.ndim)), keepdims=True)
        np.testing.assert_allclose(a / scale, b / scale, atol=1e-4)


def as_mclust_has_it(stored: dict[str, Any]) -> NormalInverseWishart:
    """The prior of which mclust's fixed point is the maximum."""
    given, model, k = stored["prior"], stored["model"], stored["k"]
    mean, scale, dof, shrinkage = np.ravel(given["mean"]), np.array(given["scale"]), given["dof"], given["shrinkage"]
    d = mean.size
    scale = scale * np.eye(d) if scale.ndim == 0 else scale
    if model == "EII":  # leaves the scale out
        scale = 0 * scale
    if model == "EEI":  # adds the scatter of the means about m, but does not move them towards m
        n = np.array(stored["weights"]) * len(STORED["data"][stored["data"]])
        offset = np.array(stored["means"]) - mean
        scale = scale + np.diag((shrinkage * n / (shrinkage + n)) @ offset**2)
        shrinkage = 0.0
    # Counts of K priors where ours is for each component: one for all, none, or so many.
    dof = {
        "EVI": (dof + 2) / k - 3,
        "EEV": (dof + d + 2) / k - d - 2,
        "VEI": (dof + 3) / d - 3,
        "VEV": -d - 2.0,
    }.get(model, dof)
    return NormalInverseWishart(mean=mean, scale=scale, dof=dof, shrinkage=shrinkage)


@pytest.mark.parametrize("stored", [s for s in FITS if not s["prior"]], ids=name_of)
def test_fits_without_prior(stored: dict[str, Any]) -> None:
    problem = posed(stored)
    found = fitted(problem, stored)
    expected, n = stored["log_likelihood"], problem.n
    log_likelihood = found.trace[-1].log_likelihood
    assert log_likelihood >= expected - 1e-6 * abs(expected)
    assert found.mixture.n_parameters == stored["n_parameters"]
    theirs = 2 * expected - stored["n_parameters"] * np.log(n)
    assert theirs == pytest.approx(stored["bic"], rel=1e-12)
    if stored["model"] == "VVE" and (stored["data"], stored["k"]) in HIGHER:
        assert log_likelihood > expected + 0.05
        climbed = fit(EM(), problem, stored_mixture(stored), TO_THE_END, np.random.default_rng(0))
        assert climbed.trace[0].log_likelihood == pytest.approx(expected, rel=1e-9)
        assert climbed.trace[-1].log_likelihood == pytest.approx(log_likelihood, rel=1e-9)
        return
    assert 2 * log_likelihood - found.mixture.n_parameters * np.log(n) == pytest.approx(stored["bic"], rel=1e-8)
    assert_same(found.mixture, stored_mixture(stored))


@pytest.mark.parametrize("stored", [s for s in FITS if s["prior"]], ids=name_of)
def test_fits_with_prior(stored: dict[str, Any]) -> None:
    problem = posed(stored, as_mclust_has_it(stored))
    found = fitted(problem, stored)
    theirs = problem.e_step(stored_mixture(stored))
    assert found.trace[-1].objective >= theirs.objective - 1e-6 * abs(theirs.objective)
    assert found.mixture.n_parameters == stored["n_parameters"]
    assert found.trace[-1].log_likelihood == pytest.approx(stored["log_likelihood"], rel=1e-6)
    bic = 2 * found.trace[-1].log_likelihood - found.mixture.n_parameters * np.log(problem.n)
    assert bic == pytest.approx(stored["bic"], rel=1e-6)
    assert_same(found.mixture, stored_mixture(stored))


@pytest.mark.parametrize("stored", [s for s in FITS if s["prior"]], ids=name_of)
def test_the_default_prior_is_that_of_mclust(stored: dict[str, Any]) -> None:
    problem = posed(stored)
    prior, given = Map().prior(problem, stored["k"]), stored["prior"]
    np.testing.assert_allclose(prior.mean, np.ravel(given["mean"]), rtol=1e-10)
    np.testing.assert_allclose(
        prior.scale,
        np.array(given["scale"]) * (np.eye(problem.samples.d) if np.ndim(given["scale"]) == 0 else 1),
        rtol=1e-9,
    )
    assert (prior.dof, prior.shrinkage) == (given["dof"], given["shrinkage"])
    if stored["model"] in SAME_PRIOR:
        start = started(posed(stored, prior), stored)  # without it, a label that is used once has no variance
        found = fit(Squarem(Map()), problem, start, TO_THE_END, np.random.default_rng(0))
        # One fit first comes to a saddle, where rounding decides which component goes which way.
        ours, theirs = found.mixture, stored_mixture(stored)
        assert_same(ours.permuted(ours.canonical_order()), theirs.permuted(theirs.canonical_order()))


PUBLISHED = [
    ("faithful", 2, "VVV", -1130.26396, -2322.192),
    ("faithful", 3, "EEE", -1126.315928, None),
    ("iris", 2, "VEV", -215.7260, -561.7285),
]


@pytest.mark.parametrize(("data", "k", "model", "log_likelihood", "bic"), PUBLISHED)
def test_published_fits(data: str, k: int, model: str, log_likelihood: float, bic: float | None) -> None:
    (stored,) = (s for s in FITS if (s["data"], s["k"], s["model"], s["prior"]) == (data, k, model, {}))
    problem = posed(stored)
    found = fitted(problem, stored)
    assert found.trace[-1].log_likelihood >= log_likelihood - 1e-4
    if bic:
        ours = 2 * found.trace[-1].log_likelihood - found.mixture.n_parameters * np.log(problem.n)
        assert ours == pytest.approx(bic, abs=1e-3)


def test_waiting_times_as_mixtools_has_them() -> None:
    x = np.array(STORED["data"]["faithful"])[:, 1]
    problem = Problem(Rows(x[None], np.ones(x.size)), GAUSSIANS["tied"])
    start = Mixture(np.full(2, 0.5), Gaussian(np.array([[55.0], [80.0]]), np.full((2, 1, 1), 25.0)), problem.family)
    found = fit(EM(), problem, start, TO_THE_END, np.random.default_rng(0))
    parts = found.mixture.components
    np.testing.assert_allclose(found.mixture.weights, [0.36085, 0.63915], atol=2e-5)
    np.testing.assert_allclose(parts.means.ravel(), [54.61364, 80.09031], atol=2e-4)
    np.testing.assert_allclose(np.sqrt(parts.covariances.ravel()), 5.86909, atol=1e-4)
    assert found.trace[-1].log_likelihood >= -1034.002 - 5e-4
