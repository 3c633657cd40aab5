"""The noise level of a texture, where no patch is without texture.

Texture is strong in some places and weak in others, along all axes of a patch alike. Noise is the same everywhere. A
patch has coordinates x_i = √s u_i + n_i along the axes i of the covariance, with u_i ~ N(0, c_i), n_i ~ N(0, σ²), and
one scale s for all i (Wainwright & Simoncelli 2000, Scale mixtures of Gaussians and the statistics of natural images).
So x is a mixture over s with components N(0, s c_i + σ²), which EM fits. Axes of strong texture show the scale of a
patch. Along axes of faint texture, σ² is the variance that remains as s goes to 0, even if no patch has such a scale.
"""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Stop
from emseg.em.expectation import Expectation
from emseg.em.fit import Fit, fit
from emseg.em.variants.em import EM
from emseg.mixture.stats import Stats
from emseg.numerics.log_sum_exp import softmax
from emseg.records import record
from emseg.restore.patch.patches import Real

Array = NDArray[np.float64]
#: s, an octave apart. Closer scales could explain nearly any noise as texture.
SCALES: Array = np.exp2(np.arange(-10.0, 5.0))
AXES = 30  # axes of smallest variance that are used; the others show edges and shading, which have other scales
AXES_FROM, FITTED = 1 << 16, 8000  # patches that give the axes, and patches that the mixture is fitted to
FEWEST = 500  # patches that a fit needs
STOP = Stop(1e-5, 80)
LEAST = 1e-6  # smallest σ² and c, relative to the smallest variance
EMPTY = 1e-12  # smallest share of the patches that a scale keeps, so that no division is by zero
#: Scoring steps of an M-step, and halvings of each. Of 300 random starts and statistics, 5 need one or two halvings.
STEPS, HALVINGS = 2, 12
ROUNDING = 2e-5  # nats a patch: two roundings of a log-density of about 100 nats in single precision


def texture_level(patches: Real, most: float) -> float:
    """Standard deviation of the white noise of patches (N, P), at most `most`; `most` if there are too few patches."""
    moving = patches - patches.mean(1, keepdims=True)
    moving = moving[(moving != 0).any(1)]  # constant patches show neither noise nor texture
    if len(moving) < FEWEST:
        return most
    sample = _some(moving, AXES_FROM)
    axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))[1][:, 1 : AXES + 1]  # the first is the mean
    problem = ScaleProblem(np.square(axes.T.astype(np.float32) @ _some(moving, FITTED).T))
    found = fit_scale_mixture(problem, problem.start(most**2)).mixture
    return float(min(np.sqrt(found.noise), most))


def _some(rows: Real, most: int) -> Real:
    """At most so many of the rows, at even distances."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


@record(frozen=True, eq=False)
class ScaleMixture:
    """A mixture of N(0, s_j c + σ²), j = 1 … J, with the scales s_j given.

    Attributes
    ----------
    weights : ndarray, shape (J,)
    spectrum : ndarray, shape (M,)
        c, variances of the texture where s is 1.
    noise : float
        σ².
    """

    weights: Array
    spectrum: Array
    noise: float

    @property
    def variances(self) -> Array:
        """s_j c_i + σ², shape (J, M)."""
        return SCALES[:, None] * self.spectrum + self.noise

    def log_joint(self, squares: Real) -> Real:
        """log π_j f_j(x) of squared coordinates (M, N); shape (J, N)."""
        v = self.variances
        constant = np.log(self.weights) - 0.5 * np.log(2 * np.pi * v).sum(1)
        found: Real = (-0.5 / v).astype(np.float32) @ squares
        found += constant.astype(np.float32)[:, None]
        return found


@record(frozen=True, eq=False)
class ScaleProblem:
    """Squared coordinates of patches, shape (M, N). It plays the part of `emseg.em.problem.Problem`."""

    squares: Real
    n: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", float(self.squares.shape[1]))

    def start(self, noise: float) -> ScaleMixture:
        """Equal weights, and noise of at most the smallest variance."""
        variance = self.squares.mean(1, dtype=np.float64)
        noise = min(noise, 0.98 * float(variance.min()))
        return ScaleMixture(np.full(SCALES.size, 1 / SCALES.size), variance - noise, noise)

    def e_step(self, mixture: ScaleMixture) -> Expectation:
        """Statistics t_j = (n_j, Σ r_j x²), shape (J, 1 + M)."""
        joint = mixture.log_joint(self.squares)
        r, log_total = softmax(joint)
        log_likelihood = float(log_total.sum(dtype=np.float64))
        n = r.sum(1, dtype=np.float64)
        joint -= log_total
        entropy = -float(np.einsum("jn,jn->", r, joint, dtype=np.float64))
        return Expectation(
            stats=Stats(n, np.column_stack([n, (r @ self.squares.T).astype(np.float64)])),
            log_likelihood=np.asarray(log_likelihood),
            complete=np.asarray(log_likelihood - entropy),
            entropy=np.asarray(entropy),
            log_prior=np.asarray(0.0),
            rounding=np.asarray(ROUNDING * self.n),
        )

    def m_step(self, stats: Stats, previous: ScaleMixture) -> ScaleMixture:
        """The best weights, and c and σ² by steps of Fisher scoring, halved until Q rises (generalised EM)."""
        n, seen = np.maximum(stats.n, EMPTY * self.n), stats.t[:, 1:]
        new = ScaleMixture(n / n.sum(), previous.spectrum, previous.noise)
        for _ in range(STEPS):
            new = _climbed(new, n, seen)
        return new


def _climbed(mixture: ScaleMixture, n: Array, seen: Array) -> ScaleMixture:
    """One step that raises Q(c, σ²) = -½ Σ_ji (n_j log v_ji + seen_ji / v_ji), with v_ji = s_j c_i + σ².

    Scoring is least squares of seen_ji / n_j on v_ji, with weights n_j / v_ji²: c_i in closed form given σ².
    """
    v = mixture.variances
    s, w = SCALES[:, None], n[:, None] / v**2
    z = seen / v**2
    cross, own = (w * s).sum(0), (w * s * s).sum(0)
    towards = (s * z).sum(0)
    noise = (z.sum() - (cross * towards / own).sum()) / (w.sum() - (cross * cross / own).sum())
    least = LEAST * float((seen.sum(0) / n.sum()).min())
    best = _complete_log_likelihood(v, n, seen)
    share = 1.0
    for _ in range(HALVINGS):
        sigma2 = max(mixture.noise + share * (float(noise) - mixture.noise), least)
        fitted = (towards - cross * sigma2) / own
        spectrum = np.maximum(mixture.spectrum + share * (fitted - mixture.spectrum), least)
        new = ScaleMixture(mixture.weights, spectrum, sigma2)
        if _complete_log_likelihood(new.variances, n, seen) >= best:
            return new
        share /= 2
    return mixture


def _complete_log_likelihood(v: Array, n: Array, seen: Array) -> float:
    """Q(c, σ²) of `_climbed`."""
    return float(-0.5 * ((n[:, None] * np.log(v)).sum() + (seen / v).sum()))


def fit_scale_mixture(problem: ScaleProblem, start: ScaleMixture) -> Fit[ScaleMixture]:
    """EM from a start, until the stopping rule fires."""
    return fit(EM[ScaleMixture](), problem, start, STOP, np.random.default_rng(0))
