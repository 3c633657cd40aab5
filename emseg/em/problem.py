"""`Problem`: samples and penalty, with the two projections of EM on them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance import CovarianceModel
from emseg.mixture.gaussian import Gaussian
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Real, Rows
from emseg.mixture.stats import Stats

Array = NDArray[np.float64]
EMPTY = 1e-12  # smallest share of the samples a component is given
CACHE_BYTES = 1_000_000  # all buffers of one block: they stay in the second-level cache


@dataclass(frozen=True, eq=False)
class Expectation:
    """What an E-step found at one mixture (or at each of a stack).

    Attributes
    ----------
    stats : Stats
    log_likelihood : ndarray, shape (...)
        ℓ, natural logarithm, summed over weighted samples, in the coordinates of the samples.
    log_prior : ndarray, shape (...)
        The covariance penalty.
    rounding : ndarray, shape (...)
        Bound on what arithmetic can add to the objective: some units in the last place of the sum of magnitudes
        |η_k · t_k|, which dwarfs ℓ where a component is much narrower than its distance from the origin.
    """

    stats: Stats
    log_likelihood: Array
    log_prior: Array
    rounding: Array

    @property
    def objective(self) -> Array:
        """What EM climbs: ℓ plus the penalty."""
        return self.log_likelihood + self.log_prior


@dataclass(frozen=True, eq=False)
class Problem:
    """A data set and a covariance model to fit to it.

    Attributes
    ----------
    samples : Rows
    model : CovarianceModel
    floor : float
        Relative variance floor: the penalty is -½ ψ tr Σ⁻¹ with ψ = floor · N. 0 for plain maximum likelihood.
    log_jacobian : float
        Added to every sample's log-density: brings ℓ from standardised coordinates to the features' own units.
    """

    samples: Rows
    model: CovarianceModel
    floor: float = 0.0
    log_jacobian: float = 0.0
    n: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", float(self.samples.weight.sum(dtype=np.float64)))

    @property
    def psi(self) -> float:
        """Scale of the inverse-Wishart penalty."""
        return self.floor * self.n

    def e_step(self, mixture: Mixture) -> Expectation:
        """e-projection: expected statistics and ℓ at a mixture, or at every mixture of a stack (..., K)."""
        samples = self.samples
        eta, precisions = mixture.components.natural(self.model.needs_products)
        eta[..., 0] += np.log(mixture.weights)
        lead, k, p = eta.shape[:-2], eta.shape[-2], eta.shape[-1]
        stack = eta.astype(samples.x.dtype, copy=False).reshape(-1, k, p)
        size = max(1024, CACHE_BYTES // (samples.x.dtype.itemsize * (p + len(stack) * (k + 2))) // 64 * 64)
        buffer = _Buffer(len(stack), k, min(size, samples.n_rows), samples.x.dtype)
        t = np.zeros(stack.shape)
        log_likelihood = np.full(len(stack), self.log_jacobian * self.n)
        for t_block, weight in samples.blocks(size):
            r, total = buffer.take(weight.size)
            log_likelihood += _weighted_responsibilities(stack, t_block, weight, r, total)
            t += (r.reshape(-1, weight.size) @ t_block.T).reshape(t.shape)
        t = t.reshape(*lead, k, p)
        prior = self.model.log_penalty(precisions, self.psi)
        rounding = 64 * np.finfo(samples.x.dtype).eps * np.abs(eta * t).sum((-1, -2))
        return Expectation(Stats(t[..., 0].copy(), t), log_likelihood.reshape(lead), prior, rounding)

    def m_step(self, stats: Stats) -> Mixture:
        """m-projection: the mixture that maximises the expected complete log-likelihood plus the penalty."""
        n = np.maximum(stats.n, EMPTY * self.n)  # an empty component stays finite, and harmless
        components = Gaussian.m_projection(Stats(n, stats.t), self.model, self.psi, self.samples.d)
        return Mixture(n / n.sum(-1, keepdims=True), components, self.model)


class _Buffer:
    """Working memory for one block, allocated once: fresh pages would cost as much as the arithmetic."""

    def __init__(self, s: int, k: int, width: int, dtype: np.dtype[np.floating]) -> None:
        self.r = np.empty((s, k, width), dtype)
        self.total = np.empty((2, s, width), dtype)

    def take(self, b: int) -> tuple[Real, Real]:
        """Contiguous arrays (S, K, B) and (2, S, B)."""
        if b == self.r.shape[2]:
            return self.r, self.total
        r, total = self.r.ravel(), self.total.ravel()
        s, k, _ = self.r.shape
        return r[: s * k * b].reshape(s, k, b), total[: 2 * s * b].reshape(2, s, b)


def _weighted_responsibilities(
    eta: Real,
    t: Real,
    weight: Real,
    r: Real,
    scratch: Real,
) -> Array:
    """Fill r (S, K, B) with c_i r_ik for coefficients eta (S, K, P) and statistics t (P, B); return ℓ, shape (S,).

    Densities are summed as they are; only where a sum leaves the range of the type are they shifted by their maximum
    first, which costs two more passes.
    """
    total, spare = scratch
    flat = r.reshape(-1, weight.size)
    np.matmul(eta.reshape(len(flat), -1), t, out=flat)
    limits = np.finfo(r.dtype)
    with np.errstate(over="ignore", under="ignore"):
        np.exp(r, out=r)
        np.add.reduce(r, axis=1, out=total)
    shifted = not (total.min() > limits.tiny * 1e16 and total.max() < limits.max)
    if shifted:
        np.matmul(eta.reshape(len(flat), -1), t, out=flat)
        top = np.maximum.reduce(r, axis=1)
        r -= top[:, None]
        np.exp(r, out=r)
        np.add.reduce(r, axis=1, out=total)
    np.divide(weight, total, out=spare)
    r *= spare[:, None]
    np.log(total, out=spare)
    if shifted:
        spare += top
    return np.asarray(spare @ weight, dtype=np.float64)
