"""The fit of mixture and field, and labels of images by a fit to others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.convergence import Status
from emseg.mrf.emission import Emission
from emseg.mrf.fit import GROWTH, WITHOUT_FIELD, fit_field, label_pixels
from emseg.mrf.inference import mean_field
from emseg.mrf.inference.mean_field import MeanField
from emseg.mrf.inference.registry import METHODS, inference
from tests.mrf.test_field_em import K, problem_of

pytestmark = pytest.mark.long


@pytest.fixture
def stripes() -> tuple[np.ndarray, np.ndarray]:
    z = np.arange(60)[:, None] * K // 60 + np.zeros((60, 50), int)
    return z, np.random.default_rng(0).normal(2.0 * z, 1.0)


@pytest.mark.parametrize("name", METHODS)
def test_the_answer(stripes: tuple, name: str) -> None:
    z, image = stripes
    problem, start = problem_of(image, None)
    grid = problem.emission.lattice
    found = fit_field(problem.emission, start, problem.labels, inference(name), np.random.default_rng(0))
    assert (grid.join(grid.core(found.labels)) != z).mean() < 0.03
    np.testing.assert_allclose(found.mixture.components.means[:, 0], [0, 2, 4], atol=0.2)
    np.testing.assert_allclose(grid.join(found.probabilities).sum(0), 1, atol=1e-4)
    assert found.beta == found.betas[-1]
    plan = inference(name).schedule
    assert found.sweeps == len(found.betas) * plan.sweeps + plan.answer
    assert len(found.trace) == len(found.betas)
    assert found.status in {Status.SETTLED, Status.SCHEDULED}
    assert found.free_energies == ()


@pytest.mark.parametrize("name", METHODS)
def test_labels_by_a_fit_to_another_image(stripes: tuple, name: str) -> None:
    z, image = stripes
    problem, start = problem_of(image, None)
    fitted = fit_field(problem.emission, start, problem.labels, MeanField, np.random.default_rng(0))
    other, _ = problem_of(np.random.default_rng(1).normal(2.0 * z, 1.0), None)
    grid, method = other.emission.lattice, inference(name)
    rng = np.random.default_rng(0)
    found = label_pixels(other.emission, fitted.mixture, fitted.beta, method, rng, fitted.betas)
    assert (grid.join(grid.core(found.labels)) != z).mean() < 0.02
    assert (found.beta, found.betas) == (fitted.beta, fitted.betas)
    assert found.sweeps == GROWTH + method.schedule.answer
    assert found.status is Status.APPLIED
    expected = other.emission.stats_of_probabilities(found.probabilities)
    assert found.mixture.weights == pytest.approx(expected.n / expected.n.sum())


def test_without_a_field_it_is_plain_em(stripes: tuple) -> None:
    """β = 0, and weights that count: the mixture is where EM no longer moves it."""
    z, _ = stripes
    image = np.random.default_rng(0).normal(4.0 * z, 1.0)
    problem, start = problem_of(image, 0.0)
    grid, index = problem.emission.lattice, np.arange(image.size).reshape(image.shape)
    emission = Emission(problem.emission.problem, grid, index, weighted=True)
    rng = np.random.default_rng(0)
    found = fit_field(emission, start, problem.labels, MeanField, rng, 0.0, WITHOUT_FIELD, watched=True)
    assert found.status is Status.SETTLED
    expectation = emission.problem.e_step(found.mixture)
    again = emission.problem.m_step(expectation.stats, found.mixture)
    np.testing.assert_allclose(again.components.means, found.mixture.components.means, atol=1e-3)
    np.testing.assert_allclose(again.weights, found.mixture.weights, atol=1e-3)
    assert -found.free_energies[-1] == pytest.approx(float(expectation.log_likelihood), rel=1e-5)


def test_a_singular_class_is_an_error() -> None:
    problem, start = problem_of(np.random.default_rng(0).normal(size=(8, 8)), 0.5)
    broken = start.components.covariances.copy()
    broken[0] = -1.0
    wrong = replace(start, components=replace(start.components, covariances=broken))
    with pytest.raises(np.linalg.LinAlgError), np.errstate(invalid="ignore"):
        fit_field(problem.emission, wrong, problem.labels, MeanField, np.random.default_rng(0), 0.5)


def test_the_field_grows_to_its_strength(stripes: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    _, image = stripes
    problem, start = problem_of(image, 0.8)
    seen, sweep = [], mean_field.sweep

    def watched(lattice, q, log_f, beta, visit=None, votes=None):  # type: ignore[no-untyped-def]
        seen.append(beta)
        sweep(lattice, q, log_f, beta, visit, votes)

    monkeypatch.setattr(mean_field, "sweep", watched)
    label_pixels(problem.emission, start, 0.8, inference("icm"), np.random.default_rng(0), ())
    np.testing.assert_allclose(seen, 0.8 * np.arange(1, GROWTH + 1) / GROWTH)
