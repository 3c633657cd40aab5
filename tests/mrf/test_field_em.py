"""The field's EM against recursions written out: averaged statistics, the schedule, and what may not fall."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from emseg.em.convergence import Scheduled, Status
from emseg.em.fit import MonotonicityWarning, fit_with_state
from emseg.em.problem import Problem
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mrf.emission import Emission
from emseg.mrf.field_em import SLOPE_PIXELS, WAIT, FieldEM, FieldProblem, maximised
from emseg.mrf.inference.label_field import LabelField
from emseg.mrf.inference.mean_field import MeanField
from emseg.mrf.inference.registry import METHODS, inference
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.lattice import build_lattice
from emseg.mrf.potts import haloed_labels
from emseg.mrf.strength import Slope, critical_beta

SHAPE, K = (20, 24), 3


def problem_of(image: np.ndarray, beta: float | None) -> tuple[FieldProblem, Mixture]:
    """A field of three classes on an image, with labels by equal shares of the grey values."""
    x = image.reshape(1, -1).astype(float)
    problem = Problem(Rows(x, np.ones(x.shape[1])), family_of("gaussian", "full"), 1e-6)
    grid = build_lattice(image.shape, 4)
    emission = Emission(problem, grid, np.arange(image.size).reshape(image.shape))
    first = np.searchsorted(np.quantile(x, [1 / 3, 2 / 3]), image).astype(np.uint8)
    labels = haloed_labels(grid, grid.split(first))
    return FieldProblem(emission, labels, beta), problem.m_step(emission.stats_of_labels(grid.core(labels), K))


@pytest.fixture
def stripes() -> np.ndarray:
    z = np.arange(SHAPE[0])[:, None] * K // SHAPE[0] + np.zeros(SHAPE, int)
    return np.random.default_rng(0).normal(2.0 * z, 1.0)


class Told(LabelField):
    """A method that shows probabilities which were drawn beforehand."""

    name: ClassVar[str] = "told"
    schedule: ClassVar[Schedule] = Schedule(iterations=6, hold=2, sweeps=1, answer=1)
    monotone: ClassVar[bool] = False
    largest_whole: ClassVar[int] = 0
    labels_large: ClassVar[str] = "told"
    drawn: ClassVar[list[np.ndarray]] = []

    def _sweep(self, log_f, beta, rng, visit) -> None:  # type: ignore[no-untyped-def]
        p = self.drawn.pop(0)
        for s in range(len(p)):
            visit(s, slice(0, self.lattice.cells), np.zeros_like(p[s]), p[s] * self.lattice.inside[s])


class OneNeighbour(Told):
    """The same, each pixel with as many neighbours of a label as the label is probable."""

    def _sweep(self, log_f, beta, rng, visit) -> None:  # type: ignore[no-untyped-def]
        p = self.drawn.pop(0)
        for s in range(len(p)):
            visit(s, slice(0, self.lattice.cells), p[s], p[s] * self.lattice.inside[s])


def test_statistics_of_drawn_labels_are_averaged(stripes: np.ndarray) -> None:
    """S_t = S_{t-1} + γ_t (s_t - S_{t-1}) with γ = 1, 1, 1, 2^-.7, 3^-.7, 4^-.7: a sum with known weights."""
    problem, start = problem_of(stripes, 0.5)
    grid, rng = problem.emission.lattice, np.random.default_rng(1)
    drawn = [rng.dirichlet(np.ones(K), grid.inside.shape).transpose(0, 2, 1).astype(np.float32) for _ in range(6)]
    Told.drawn = [p.copy() for p in drawn]
    _, last = fit_with_state(FieldEM(Told, Told.schedule, False), problem, start, Scheduled(6), rng)
    assert last is not None
    gamma = [1, 1, 1, 2**-0.7, 3**-0.7, 4**-0.7]
    weight = [g * np.prod([1 - later for later in gamma[t + 1 :]]) for t, g in enumerate(gamma)]
    assert sum(weight) == pytest.approx(1)
    assert min(weight[2:]) > 0.1  # none of them is lost, and the last is not all
    x = stripes.ravel()
    expected = np.zeros((K, 3))
    for w, p in zip(weight, drawn, strict=True):
        on_grid = grid.join(p).reshape(K, -1)
        expected += w * np.stack([on_grid.sum(1), on_grid @ x, on_grid @ x**2], axis=1)
    found = maximised(problem, last)
    np.testing.assert_allclose(last.counts, expected[:, 0], rtol=1e-4)
    np.testing.assert_allclose(found.components.means[:, 0], expected[:, 1] / expected[:, 0], rtol=1e-4)
    variance = expected[:, 2] / expected[:, 0] - (expected[:, 1] / expected[:, 0]) ** 2
    np.testing.assert_allclose(found.components.covariances[:, 0, 0], variance, rtol=1e-3)


def test_beta_is_averaged_with_the_same_step_sizes(stripes: np.ndarray) -> None:
    """β ← β + γ_t (Newton's β - β), where all pixels are shown with one neighbour, of the label that they have."""
    problem, start = problem_of(stripes, None)
    grid = problem.emission.lattice
    own = np.zeros((len(grid.phases), K, grid.cells), np.float32)
    own[:, 0] = 1
    OneNeighbour.drawn = [own.copy() for _ in range(6)]
    _, last = fit_with_state(
        FieldEM(OneNeighbour, Told.schedule, False), problem, start, Scheduled(6), np.random.default_rng(0)
    )
    assert last is not None
    beta, expected = critical_beta(grid, K), []
    for gamma in [1, 1, 1, 2**-0.7, 3**-0.7, 4**-0.7]:
        slope, c = Slope(beta), np.zeros((K, stripes.size), np.float32)
        c[0] = 1
        slope.add(c, c, np.ones(stripes.size, bool))
        beta += gamma * (slope.newton(critical_beta(grid, K)) - beta)
        expected.append(beta)
    np.testing.assert_allclose(last.betas, expected, rtol=1e-4)
    assert np.ptp(expected) > 0.1


@pytest.mark.parametrize("name", METHODS)
def test_a_given_beta_stays_and_the_schedule_ends_the_fit(stripes: np.ndarray, name: str) -> None:
    problem, start = problem_of(stripes, 0.7)
    method = inference(name)
    rng = np.random.default_rng(0)
    fit, last = fit_with_state(FieldEM(method, method.schedule, True), problem, start, Scheduled(999), rng)
    assert last is not None
    assert set(last.betas) == {0.7}
    assert len(last.betas) == len(fit.trace) <= method.schedule.iterations
    early = len(fit.trace) < method.schedule.iterations
    assert fit.status is (Status.SETTLED if early else Status.SCHEDULED)
    assert method.schedule.still > 0 or not early
    assert all(np.isfinite(row.objective) for row in fit.trace)
    assert len(last.free_energies) == (len(fit.trace) if method.monotone else 0)
    assert last.counts.sum() == pytest.approx(stripes.size, rel=1e-5)


def test_a_fit_settles_when_nothing_moves_for_some_iterations(stripes: np.ndarray) -> None:
    problem, start = problem_of(stripes, 0.7)
    rng = np.random.default_rng(0)
    plan = replace(MeanField.schedule, still=1e9)
    fit, _ = fit_with_state(FieldEM(MeanField, plan, False), problem, start, Scheduled(999), rng)
    assert (fit.status, len(fit.trace)) == (Status.SETTLED, WAIT)
    plan = replace(plan, still=0.0, iterations=WAIT + 5)
    fit, _ = fit_with_state(FieldEM(MeanField, plan, False), problem, start, Scheduled(999), rng)
    assert (fit.status, len(fit.trace)) == (Status.SCHEDULED, WAIT + 5)


def test_the_objective_of_mean_field_climbs(stripes: np.ndarray) -> None:
    problem, start = problem_of(stripes, 0.9)
    algorithm = FieldEM(MeanField, MeanField.schedule, True)
    fit, last = fit_with_state(algorithm, problem, start, Scheduled(99), np.random.default_rng(0))
    assert last is not None
    objective = np.array([row.objective for row in fit.trace])
    assert (np.diff(objective) > -1e-3).all()
    assert objective[-1] > objective[0] + 1
    # It is -F of all log-densities and the floor's penalty, which is -½ N floor Σ 1 / variance.
    penalty = -0.5 * stripes.size * 1e-6 * (1 / fit.mixture.components.covariances).sum()
    assert objective[-1] + last.free_energies[-1] == pytest.approx(penalty, rel=1e-3, abs=1e-6)


class Falling(MeanField):
    """Mean field that starts anew from the wrong end, every time."""

    def iterate(self, log_f, beta, rng, sweeps=1, visit=None):  # type: ignore[no-untyped-def]
        found = super().iterate(log_f, beta, rng, sweeps, visit)
        self.lattice.core(found.q)[:] = rng.permuted(self.lattice.core(found.q), axis=1) * self.lattice.inside[:, None]
        return found


def test_a_fall_is_reported_where_objectives_can_be_compared(stripes: np.ndarray) -> None:
    for beta, falls in ((0.9, True), (None, False), (50.0, False)):
        problem, start = problem_of(stripes, beta)
        algorithm = FieldEM(Falling, MeanField.schedule, True)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always", MonotonicityWarning)
            fit_with_state(algorithm, problem, start, Scheduled(99), np.random.default_rng(0))
        assert any(issubclass(w.category, MonotonicityWarning) for w in seen) is falls, beta


def test_the_first_beta_is_the_critical_one_and_large_fields_are_measured_in_part() -> None:
    seen: list[float] = []

    class Watching(MeanField):
        def iterate(self, log_f, beta, rng, sweeps=1, visit=None):  # type: ignore[no-untyped-def]
            seen.append(beta)
            counted = visit.slope
            found = super().iterate(log_f, beta, rng, sweeps, visit)
            seen.append(counted.n)
            return found

    side = int((3 * SLOPE_PIXELS) ** 0.5) + 1
    rng = np.random.default_rng(0)
    image = rng.normal(np.arange(side)[:, None] * K // side * np.ones((side, side)), 1)
    problem, start = problem_of(image, None)
    FieldEM(Watching, MeanField.schedule, False).init(problem, start, rng)
    assert seen[0] == pytest.approx(critical_beta(problem.emission.lattice, K))
    assert seen[1] == pytest.approx(problem.n / 3, rel=0.1)
