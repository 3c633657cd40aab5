"""The search for ν: its residual is the slope's sign, its rate that of EM, its steps those of the secant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.problem import Problem
from emseg.em.variants.ecme import ECME
from emseg.em.variants.secant_dof import RATES, DofSearch
from emseg.mixture.families.gaussian import GAUSSIANS
from emseg.mixture.families.student import Student, StudentFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows


def posed(dof: float) -> tuple[Problem, Mixture]:
    x = np.random.default_rng(1).standard_t(4.0, 2000)[None]
    family = StudentFamily(GAUSSIANS["full"])
    start = Mixture(np.ones(1), Student(np.zeros((1, 1)), np.ones((1, 1, 1)), np.array([dof])), family)
    return Problem(Rows(x, np.ones(2000)), family), start


def at(problem: Problem, mixture: Mixture, log_dof: float, last: DofSearch | None = None) -> DofSearch:
    there = replace(mixture, components=replace(mixture.components, dof=np.exp([log_dof])))
    return DofSearch.after_e_step(problem, there, problem.e_step(there).stats, last)


@pytest.mark.parametrize("dof", [1.0, 2.5, 12.0, 40.0])
def test_the_residual_has_the_sign_of_the_slope_of_the_likelihood(dof: float) -> None:
    problem, mixture = posed(dof)
    ends = [replace(mixture, components=replace(mixture.components, dof=np.array([dof * f]))) for f in (0.999, 1.001)]
    low, high = (float(problem.e_step(end).log_likelihood) for end in ends)
    assert np.sign(at(problem, mixture, np.log(dof)).residual[0]) == np.sign(high - low)


def test_the_rate_is_the_derivative_of_the_map() -> None:
    problem, mixture = posed(9.0)
    first, second = at(problem, mixture, 1.9), at(problem, mixture, 1.91)
    found = second.with_rate(first)
    image = [one.log_dof[0] + one.residual[0] for one in (first, second)]
    assert found.rate[0] == pytest.approx((image[1] - image[0]) / 0.01, rel=1e-6)
    assert 0.3 < found.rate[0] < 1
    assert second.with_rate(second).rate[0] == 0  # no way between the points, nothing learned
    steep = DofSearch(np.array([1.0]), np.array([0.5]), np.zeros(1))
    for residual, rate in ((0.9, RATES[1]), (-5.0, RATES[0])):
        other = DofSearch(np.array([1.1]), np.array([residual]), np.zeros(1))
        assert other.with_rate(steep).rate[0] == rate


def test_a_secant_step_comes_closer_than_ems() -> None:
    problem, mixture = posed(9.0)
    search = at(problem, mixture, 1.55).with_rate(at(problem, mixture, 1.6))
    plain = float(replace(search, rate=np.zeros(1)).next_mixture(problem, mixture).components.dof[0])
    secant = float(search.next_mixture(problem, mixture).components.dof[0])
    left = [abs(float(at(problem, mixture, np.log(dof)).residual[0])) for dof in (plain, secant)]
    assert left[1] < 0.3 * left[0]


def test_ecme_hands_the_rate_on_that_its_passes_have_learned() -> None:
    """It is that of EM's map for ν: near its derivative at the fixed point, and the next iteration begins with it."""
    problem, start = posed(9.0)
    rng = np.random.default_rng(0)
    state, _ = ECME().init(problem, start, rng)
    for _ in range(3):
        state, _ = ECME(slack=1e-14).step(problem, state, rng)
    assert state.search is not None
    here = float(state.search.log_dof[0])
    ends = [at(problem, state.mixture, here + h) for h in (-1e-3, 1e-3)]
    images = [float(one.log_dof[0] + one.residual[0]) for one in ends]
    derivative = (images[1] - images[0]) / 2e-3
    assert 0.3 < derivative < RATES[1]
    assert state.search.rate[0] == pytest.approx(derivative, abs=0.1)
    assert abs(state.search.residual[0]) < 1e-6
