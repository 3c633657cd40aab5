"""EM for a mixture and a gain together, as an algorithm that `emseg.em.fit` iterates.

    v_i = b_i (μ_k + e_i),   e_i ~ N(0, Σ_k),   b_i = Σ_j c_j φ_j(s_i)

E-step and M-step are those of the mixture for v / b. Between them the coefficients c solve the weighted least squares

    min_c  Σ_i Σ_d w_id (v_id - b_i m_id)² + RIDGE Σ_{j > 0} A_jj c_j²

where m_id is the expected mean of pixel i in channel d, w_id its expected precision (off-diagonal terms left out), and
A = Σ_id w_id m_id² φ_i φ_iᵀ. Then b is scaled to mean 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info
from emseg.em.convergence import Status
from emseg.em.problem import Problem
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.numerics.log_sum_exp import softmax
from emseg.records import record

Array = NDArray[np.float64]
#: Penalty on every coefficient but the constant, relative to its weight in the normal equations. It leaves an eleventh
#: of a coefficient in the image. A disc that is a class of its own makes a gain of standard deviation .070 with 0, .061
#: with .1, .049 with .3 and .027 with 1; mean errors of true gains are .001, .006, .014 and .029 then.
RIDGE = 0.1
#: Smallest gain, where its mean is 1: a polynomial may become negative in a corner. Results of images with gains from
#: .85 to 1.15 are the same from .01 to .2.
LEAST_GAIN = 0.05
FLOOR = 1e-5  # smallest variance of a class, relative to that of the pixels; results are the same from 1e-6 to 1e-4
STILL = 1e-4  # EM ends when the gain of no pixel moves more: a 40th of one of 256 grey levels


@record(frozen=True, eq=False)
class UnevenPixels:
    """Pixels with an unknown gain.

    Attributes
    ----------
    values : ndarray, shape (C, N)
        In units of each channel's standard deviation.
    basis : ndarray, shape (J, N)
        φ_j at the pixels; the first one is 1.
    """

    values: Array
    basis: Array

    @property
    def n(self) -> float:
        """Number of pixels."""
        return float(self.values.shape[1])

    def problem(self, gain: Array) -> Problem:
        """The mixture's problem once the gain (N,) is taken out."""
        return Problem(Rows(self.values / gain, np.ones(self.values.shape[1])), family_of("gaussian", "full"), FLOOR)


@record(frozen=True, eq=False)
class GainState:
    """Mixture and gain, and the E-step at them.

    Attributes
    ----------
    mixture : Mixture
    coefficients : ndarray, shape (J,)
        c, of a gain with mean 1.
    gain : ndarray, shape (N,)
        b, at least LEAST_GAIN.
    posterior : ndarray, shape (K, N)
    """

    mixture: Mixture
    coefficients: Array
    gain: Array
    posterior: Array

    @property
    def counts(self) -> Array:
        """Expected number of pixels of each class, shape (K,)."""
        return np.asarray(self.posterior.sum(1))


class GainEM:
    """EM for mixture and gain. Its least squares take the noise of all pixels for equal, so ℓ may fall a little."""

    monotone = False

    def init(self, pixels: UnevenPixels, start: Mixture, rng: np.random.Generator) -> tuple[GainState, Info]:
        """A gain of 1, and the E-step at the starting mixture."""
        coefficients = np.zeros(len(pixels.basis))
        coefficients[0] = 1.0
        return _e_step(pixels, start, coefficients, np.ones(pixels.values.shape[1]), None)

    def step(self, pixels: UnevenPixels, state: GainState, rng: np.random.Generator) -> tuple[GainState, Info]:
        """Gain, then mixture, then the E-step at both."""
        coefficients, gain = least_squares_gain(pixels, state.mixture, state.posterior)
        problem = pixels.problem(gain)
        t = problem.family.statistics(pixels.values / gain)
        mixture = problem.m_step(problem.family.completed(state.posterior @ t.T), state.mixture)
        still = np.abs(gain - state.gain).max() < STILL
        return _e_step(pixels, mixture, coefficients, gain, Status.SETTLED if still else None)


def _e_step(
    pixels: UnevenPixels, mixture: Mixture, coefficients: Array, gain: Array, ending: Status | None
) -> tuple[GainState, Info]:
    problem = pixels.problem(gain)
    posterior, log_density = softmax(mixture.log_joint(pixels.values / gain))
    # The density of v is that of v / b over b, for each channel.
    log_likelihood = float(log_density.sum() - len(pixels.values) * np.log(gain).sum())
    objective = log_likelihood + float(problem.scores(mixture)[1])
    info = Info(objective, log_likelihood, log_likelihood, 0.0, 1, 0.0, False, ending)
    return GainState(mixture, coefficients, gain, posterior), info


def least_squares_gain(pixels: UnevenPixels, mixture: Mixture, posterior: Array) -> tuple[Array, Array]:
    """The gain that explains the pixels best, their classes' means and variances given.

    Parameters
    ----------
    pixels : UnevenPixels
    mixture : Mixture
        Of Gaussians.
    posterior : ndarray, shape (K, N)

    Returns
    -------
    coefficients : ndarray, shape (J,)
    gain : ndarray, shape (N,)
        With mean 1, and at least LEAST_GAIN.
    """
    parts, basis = mixture.components, pixels.basis
    precision = 1 / np.einsum("kcc->kc", parts.covariances)
    weight = precision.T @ posterior  # (C, N)
    mean = (parts.means * precision).T @ posterior / weight
    normal = (basis * (weight * mean**2).sum(0)) @ basis.T
    ridge = RIDGE * np.diag(normal) * (np.arange(len(basis)) > 0)
    coefficients = np.linalg.solve(normal + np.diag(ridge), basis @ (weight * mean * pixels.values).sum(0))
    gain = coefficients @ basis
    level = float(gain.mean())
    return coefficients / level, np.maximum(gain / level, LEAST_GAIN)
