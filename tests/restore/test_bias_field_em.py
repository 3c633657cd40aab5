"""Mixture and gain together: the gain's least squares in closed form, and what the log says of the fit."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.convergence import Scheduled, Status
from emseg.em.fit import fit_with_state
from emseg.mixture.mixture import Mixture
from emseg.restore.bias_field_em import FLOOR, LEAST_GAIN, STILL, GainEM, UnevenPixels, least_squares_gain

N = 4000


def legendre(n: int = N) -> np.ndarray:
    """1, x and (3 x² - 1) / 2 at the middles of n cells of [-1, 1]: orthogonal to the constant."""
    x = (np.arange(n) + 0.5) * 2 / n - 1
    return np.stack([np.ones(n), x, (3 * x**2 - 1) / 2])


def two_classes(means: list[float], variances: list[float], rng: np.random.Generator) -> tuple[Mixture, np.ndarray]:
    """A mixture in one dimension, and pixels of it, each from the class whose number it is in turn."""
    which = np.arange(N) % 2
    x = rng.normal(np.array(means)[which], np.sqrt(np.array(variances))[which])[None]
    problem = UnevenPixels(x, legendre()).problem(np.ones(N))
    r = np.stack([which == 0, which == 1]).astype(float)
    return problem.m_step(problem.family.completed(r @ problem.family.statistics(x).T)), r


def test_the_ridge_takes_an_eleventh_of_every_coefficient() -> None:
    """With one class of known mean, A is diagonal, and c_j = A_jj a_j / (A_jj + A_jj / 10)."""
    mixture, _ = two_classes([5.0, 5.0], [0.01, 0.01], np.random.default_rng(0))
    mean = mixture.components.means[:, 0]
    basis = legendre()
    truth = np.array([1.0, 0.2, -0.1])
    r = np.zeros((2, N))
    r[0] = 1
    pixels = UnevenPixels((mean[0] * (truth @ basis))[None], basis)
    coefficients, gain = least_squares_gain(pixels, mixture, r)
    np.testing.assert_allclose(coefficients, [1, 0.2 / 1.1, -0.1 / 1.1], atol=1e-6)
    np.testing.assert_allclose(gain, coefficients @ basis, rtol=1e-9)


def test_the_gain_solves_the_penalised_least_squares() -> None:
    rng = np.random.default_rng(1)
    mixture, _ = two_classes([3.0, 6.0], [0.2, 0.5], rng)
    basis, r = legendre(), rng.dirichlet([1, 1], N).T
    v = rng.normal(4, 1, (1, N))
    precision = 1 / mixture.components.covariances[:, 0, 0]
    w = precision @ r
    m = (precision * mixture.components.means[:, 0]) @ r / w
    design = (np.sqrt(w) * m * basis).T
    penalty = np.sqrt(0.1 * (design**2).sum(0)) * np.array([0, 1, 1])
    stacked = np.vstack([design, np.diag(penalty)])
    expected = np.linalg.lstsq(stacked, np.append(np.sqrt(w) * v[0], np.zeros(3)), rcond=None)[0]
    coefficients, gain = least_squares_gain(UnevenPixels(v, basis), mixture, r)
    np.testing.assert_allclose(coefficients, expected / (expected @ basis).mean(), rtol=1e-8)
    assert gain.mean() == pytest.approx(1, rel=1e-9)


def test_no_gain_is_negative() -> None:
    mixture, _ = two_classes([3.0, 6.0], [0.2, 0.5], np.random.default_rng(2))
    basis = legendre()
    v = np.maximum(5 * basis[1], 0)[None]
    gain = least_squares_gain(UnevenPixels(v, basis), mixture, np.full((2, N), 0.5))[1]
    assert gain.min() == LEAST_GAIN


def test_the_log_has_the_likelihood_of_the_pixels() -> None:
    rng = np.random.default_rng(3)
    mixture, r = two_classes([3.0, 6.0], [0.1, 0.2], rng)
    basis = legendre()
    b = np.array([1.0, 0.1, -0.05]) @ basis
    which = r.argmax(0)
    v = (b * rng.normal(np.array([3.0, 6.0])[which], np.sqrt([0.1, 0.2])[which]))[None]
    pixels = UnevenPixels(v, basis)
    fit, state = fit_with_state(GainEM(), pixels, mixture, Scheduled(100), rng)
    assert state is not None
    assert fit.status is Status.SETTLED
    assert fit.trace[-1].objective > fit.trace[0].objective
    sigma = np.sqrt(fit.mixture.components.covariances[:, 0, 0])[:, None]
    mean = fit.mixture.components.means
    z = (v - state.gain * mean) / (state.gain * sigma)
    density = (fit.mixture.weights[:, None] * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * state.gain * sigma)).sum(0)
    assert fit.trace[-1].log_likelihood == pytest.approx(np.log(density).sum(), rel=1e-9)
    assert fit.trace[-1].objective < fit.trace[-1].log_likelihood  # by the floor's penalty
    assert abs(fit.trace[-1].objective - fit.trace[-1].log_likelihood) < N * FLOOR * (1 / sigma**2).sum()
    again = least_squares_gain(pixels, fit.mixture, state.posterior)[1]
    assert np.abs(again - state.gain).max() < 2 * STILL
    np.testing.assert_allclose(state.counts, [N / 2, N / 2], rtol=0.05)


def test_a_fit_that_does_not_settle_says_so() -> None:
    rng = np.random.default_rng(4)
    mixture, _ = two_classes([3.0, 6.0], [0.2, 0.2], rng)
    v = rng.normal(5, 2, (1, N)) * (1 + 0.3 * legendre()[1])
    assert (
        fit_with_state(GainEM(), UnevenPixels(v, legendre()), mixture, Scheduled(1), rng)[0].status is Status.MAX_ITER
    )
