"""EM for a patch mixture, fitted to noisy patches.

The clean patch and its component are the missing data. Given S_k = Σ_i r_ik x_i x_iᵀ of the noisy patches, the
likelihood of zero-mean Gaussians of covariance Σ_k + σ²I is largest where Σ_k has the eigenvectors of S_k/n_k and the
eigenvalues max(s - σ², 0) (Tipping & Bishop 1999, JRSS B 61), so the M-step has a closed form. A prior adds ν patches
to each component. They are distributed as that component of an earlier mixture, with the same noise: an inverse Wishart
prior.
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
from emseg.restore.patch.patch_mixture import D, PatchMixture
from emseg.restore.patch.patches import Real

Array = NDArray[np.float64]
NEGLIGIBLE = 1e-6  # smaller responsibilities are left out of the statistics: below their single-precision rounding
EMPTY = 1e-12  # smallest share of the patches that a component keeps, so that no division is by zero
ROUNDING = 1e-4  # nats a patch: four roundings of a log-density of about 200 nats in single precision
FLAT = 0.4  # share of the patches that the start takes as flat, those of least energy
SWEEPS = 5  # iterations of the projective k-means of the start


@record(frozen=True, eq=False)
class PatchProblem:
    """Noisy patches and the prior of their mixture. It plays the part of `emseg.em.problem.Problem`.

    Attributes
    ----------
    x : ndarray of float32, shape (D, N)
    noise : float
        σ².
    strength : float
        ν, the number of patches that the prior adds to each component.
    prior : PatchMixture, optional
        Their distribution; by default, noise alone.
    """

    x: Real
    noise: float
    strength: float = 5.0
    prior: PatchMixture | None = None
    n: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", float(self.x.shape[1]))

    def e_step(self, mixture: PatchMixture) -> Expectation:
        """Statistics t_k = (n_k, S_k), shape (K, 1 + D²), and the log-likelihood of the patch coordinates."""
        joint = mixture.log_joint(self.x)
        joint, log_total = softmax(joint, out=joint)
        log_likelihood = float(log_total.sum(dtype=np.float64))
        t = np.zeros((mixture.k, 1 + D * D))
        entropy = 0.0
        for k, r in enumerate(joint):
            mine = np.flatnonzero(r > NEGLIGIBLE)
            t[k] = moments(self.x[:, mine], r[mine])
            entropy -= float(r[mine] @ np.log(r[mine]))
        return Expectation(
            stats=Stats(t[:, 0].copy(), t),
            log_likelihood=np.asarray(log_likelihood),
            complete=np.asarray(log_likelihood - entropy),
            entropy=np.asarray(entropy),
            log_prior=np.asarray(self._log_prior(mixture)),
            rounding=np.asarray(ROUNDING * self.n),
        )

    def m_step(self, stats: Stats, previous: PatchMixture | None = None) -> PatchMixture:
        """The mixture that maximises the expected complete log-likelihood plus the prior."""
        n = np.maximum(stats.n, EMPTY * self.n)
        scatter = stats.t[:, 1:].reshape(-1, D, D) + self.strength * self._scale(len(n))
        spectrum, axes = np.linalg.eigh(scatter / (n + self.strength)[:, None, None])
        return PatchMixture(n / n.sum(), axes, np.maximum(spectrum - self.noise, 0), self.noise)

    def _scale(self, k: int) -> Array:
        """Ψ_k, the covariance of the patches that the prior adds; shape (K, D, D)."""
        noise = self.noise * np.eye(D)
        if self.prior is None:
            return np.broadcast_to(noise, (k, D, D))
        axes = self.prior.axes.astype(np.float64)
        scale: Array = (axes * self.prior.variances[:, None]) @ np.swapaxes(axes, 1, 2) + noise
        return scale

    def _log_prior(self, mixture: PatchMixture) -> float:
        """-½ ν Σ_k (log|Σ_k + σ²I| + tr (Σ_k + σ²I)⁻¹ Ψ_k)."""
        total = mixture.variances + self.noise
        seen = np.einsum("kij,kil,klj->kj", mixture.axes, self._scale(mixture.k), mixture.axes, optimize=True)
        return float(-0.5 * self.strength * (np.log(total) + seen / total).sum())


def moments(x: Real, weight: Real) -> Array:
    """(Σ w, Σ w x xᵀ) of patches (D, N) with weights (N,), flattened to shape (1 + D²,)."""
    second = (x * weight) @ x.T
    return np.concatenate([[weight.sum(dtype=np.float64)], second.ravel().astype(np.float64)])


def fit_patch_mixture(problem: PatchProblem, start: PatchMixture, stop: Stop) -> Fit[PatchMixture]:
    """EM from a start, until the stopping rule fires."""
    return fit(EM[PatchMixture](), problem, start, stop, np.random.default_rng(0))


def starting_patch_mixture(problem: PatchProblem, k: int, rng: np.random.Generator) -> PatchMixture:
    """A start for `fit_patch_mixture`.

    Flat patches are split by their energy, and the others by their direction (projective k-means).

    Parameters
    ----------
    problem : PatchProblem
    k : int
    rng : numpy.random.Generator
    """
    x = problem.x
    energy = np.einsum("dn,dn->n", x, x)
    order = np.argsort(energy, kind="stable")
    flat, rest = np.split(order, [int(FLAT * order.size)])
    n_flat = max(1, k // 6)
    label = np.empty(order.size, np.intp)
    for j, part in enumerate(np.array_split(flat, n_flat)):
        label[part] = j
    unit = x[:, rest] / np.sqrt(np.maximum(energy[rest], np.finfo(np.float32).tiny))
    centres = unit[:, rng.choice(rest.size, k - n_flat, replace=rest.size < k)].T.copy()
    for _ in range(SWEEPS):
        near = np.abs(centres @ unit).argmax(0)
        for j in range(len(centres)):
            if (near == j).any():
                mine = unit[:, near == j]
                centres[j] = np.linalg.eigh(mine @ mine.T)[1][:, -1]
    label[rest] = n_flat + np.abs(centres @ unit).argmax(0)
    t = np.stack([moments(x[:, label == j], np.ones((label == j).sum(), np.float32)) for j in range(k)])
    return problem.m_step(Stats(t[:, 0].copy(), t))
