"""Stochastic EM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.em.convergence import Status, Stop
from emseg.em.fit import fit
from emseg.em.stochastic.sem import SEM, SEMState, _matched
from emseg.em.variants.em import EM
from emseg.mixture.stats import Stats

pytestmark = pytest.mark.long


def test_the_mean_of_the_chain_is_the_maximum_of_the_likelihood(triangle) -> None:
    """Within four standard errors, which come from 20 chains of their own seeds."""
    problem, start = triangle(n=900, side=4.0)
    best = fit(EM(), problem, start, Stop(1e-12, 2000), np.random.default_rng(0)).mixture.pack()
    chains = np.array(
        [
            fit(SEM(30, 120), problem, start, Stop(), np.random.default_rng(seed)).mixture.pack() - best
            for seed in range(20)
        ]
    )
    error = chains.std(0, ddof=1) / np.sqrt(20)
    # Both means are unbiased to first order in the noise of the chain, whose square is some 1/n: hence the constant.
    assert (np.abs(chains.mean(0)) < 4 * error + 2 / 900).all()
    assert np.abs(chains).max() < 0.1


def test_it_ends_when_all_draws_are_made_with_an_exact_row(triangle) -> None:
    problem, start = triangle()
    found = fit(SEM(10, 25), problem, start, Stop(1e9, 1000), np.random.default_rng(0))
    assert found.status is Status.AVERAGED
    assert len(found.trace) == 1 + 35
    assert found.trace[-1].e_steps == 36
    assert found.trace[-1].kl == 0
    assert all(row.kl > 0 for row in found.trace[:-1])
    exact = problem.e_step(found.mixture)
    assert found.trace[-1].log_likelihood == float(exact.log_likelihood)


def test_components_that_change_places_are_put_back(triangle) -> None:
    problem, start = triangle()
    stats = problem.e_step(start).stats
    eta, _ = problem.scores(start)
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        matched = _matched(Stats(stats.n[order], stats.t[order]), eta)
        np.testing.assert_array_equal(matched.t, stats.t)
        np.testing.assert_array_equal(matched.n, stats.n)


def test_a_chain_whose_components_change_places_is_averaged_as_if_they_had_not(triangle) -> None:
    """From the last draw on: two earlier ones in the order where averaging began, the last in another."""
    problem, start = triangle()
    stats, order = problem.e_step(start).stats, np.array([2, 0, 1])
    eta, _ = problem.scores(start)
    swapped = replace(problem.e_step(start), stats=Stats(stats.n[order], stats.t[order]))
    last = SEMState(start.permuted(order), swapped, 2, eta, 2 * stats)
    end, info = SEM(0, 3).step(problem, last, np.random.default_rng(0))
    assert info.ending is Status.AVERAGED
    np.testing.assert_allclose(end.mixture.pack(), problem.m_step(stats).pack(), rtol=1e-9)


def test_it_leaves_a_poor_optimum_of_em() -> None:
    """A saddle: components that start equal stay equal in EM, whatever the data; drawn labels part them."""
    from emseg.em.problem import Problem
    from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
    from emseg.mixture.mixture import Mixture
    from emseg.mixture.samples import Rows

    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-4, 1, 300), rng.normal(4, 1, 300)])[None]
    model = GAUSSIANS["tied"]
    start = Mixture(np.full(2, 0.5), Gaussian(np.zeros((2, 1)), np.full((2, 1, 1), 16.0)), model)
    problem = Problem(Rows(x, np.ones(600)), model, 1e-6)
    stuck = fit(EM(), problem, start, Stop(1e-9, 2000), rng)
    found = fit(SEM(300, 100), problem, start, Stop(), rng)
    assert found.trace[-1].log_likelihood > stuck.trace[-1].log_likelihood + 100


def test_an_empty_draw_stays_finite(triangle) -> None:
    problem, start = triangle()
    state = SEMState(start, problem.e_step(start))
    nothing = np.array([1.0, 1.0, 0.0])
    stats = state.expectation.stats
    emptied = Stats(stats.n * nothing, stats.t * nothing[:, None])
    mixture = problem.m_step(emptied)
    after, info = SEM().init(problem, mixture, np.random.default_rng(0))
    assert np.isfinite([info.objective, info.kl]).all()
    assert np.isfinite(after.expectation.stats.t).all()


@pytest.mark.parametrize("options", [{"burn_in": -1}, {"draws": 0}])
def test_senseless_options(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        SEM(**options)
