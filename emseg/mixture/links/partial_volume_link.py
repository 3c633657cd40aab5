"""The E-step of partial volume, between T(x) and what the M-step needs: log-densities, and what each part contributes.

Every component is a sum of atoms: normal distributions tied to the pure ones. An atom mixes a share α of its owner i
with 1-α of a neighbour j, x = a + b, a ~ N(α μ_i, α Σ_i), b ~ N((1-α) μ_j, (1-α) Σ_j), so

x ~ N(m, S),   m = α μ_i + (1-α) μ_j,   S = α Σ_i + (1-α) Σ_j
E[a | x] = α μ_i + G (x - m),   Var[a | x] = α Σ_i - G α Σ_i,   G = α Σ_i S⁻¹

and the same for b. These moments are linear in T(x), so sums of T(x) by atom are all that the samples are needed for.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.covariance.second_moments import pushed, raw_moments
from emseg.mixture.families.gaussian import Gaussian, GaussianFamily
from emseg.mixture.family import Real
from emseg.mixture.stats import Stats
from emseg.records import record

Array = NDArray[np.float64]
Ids = NDArray[np.intp]
BLOCK = 8192  # samples at a time: their densities stay in the second-level cache
NODES = 8  # of Gauss and Legendre's rule on each half of the way between two pure means
BELOW, PURE, ABOVE = 0, 1, 2
#: Columns of the statistics after the number of pixels: those below, pure and above; parts; then the moments of parts.
SIDES, PARTS, MOMENTS = slice(1, 4), 4, 5


@record(frozen=True, eq=False)
class Atoms:
    """R atoms of K components. Those of one owner follow one another.

    Attributes
    ----------
    owner, other : ndarray of int, shape (R,)
        The same for pure atoms.
    side : ndarray of int, shape (R,)
        Where the other is: BELOW, PURE (nowhere) or ABOVE.
    alpha : ndarray, shape (R,)
        Share of the owner: above ½, 1 for pure atoms.
    log_node : ndarray, shape (R,)
        Logarithm of the weight among the atoms of the same owner and side.
    first : ndarray of int, shape (K,)
        Where the atoms of each owner begin.
    """

    owner: Ids
    other: Ids
    side: Ids
    alpha: Array
    log_node: Array
    first: Ids


@lru_cache
def atoms_of(k: int) -> Atoms:
    """The atoms of K components: shares are uniform on (½, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    halves = [(0.75 + node / 4, float(np.log(weight / 2))) for node, weight in zip(nodes, weights, strict=True)]
    rows = []
    for i in range(k):
        rows.append((i, i, PURE, 1.0, 0.0))
        rows += [(i, j, side, *half) for j, side in ((i - 1, BELOW), (i + 1, ABOVE)) if 0 <= j < k for half in halves]
    owner, other, side = (np.array([row[n] for row in rows], np.intp) for n in range(3))
    alpha, log_node = (np.array([row[n] for row in rows]) for n in (3, 4))
    return Atoms(owner, other, side, alpha, log_node, np.searchsorted(owner, np.arange(k)))


class PartialVolumeLink:
    """log π_k f_k(x), and the expected statistics of the complete data: a `Link`.

    Parameters
    ----------
    normal : GaussianFamily
        The family of pure pixels.
    weights : ndarray, shape (..., K)
        π, of one mixture or a stack of S.
    pure : Gaussian
        Densities of pure pixels.
    shares : ndarray, shape (..., K, 3)
        s, see `PartialVolume`.
    """

    def __init__(self, normal: GaussianFamily, weights: Array, pure: Gaussian, shares: Array) -> None:
        k, d = pure.means.shape[-2:]
        self.normal, self.k, self.d = normal, k, d
        self.eta = normal.natural(pure)
        self.atoms = atoms = atoms_of(k)
        means = pure.means.reshape(-1, k, d)
        alpha, covariances = atoms.alpha[:, None], pure.covariances.reshape(-1, k, d, d)
        i, j = atoms.owner, atoms.other
        self.own, self.rest = alpha[..., None] * covariances[:, i], (1 - alpha[..., None]) * covariances[:, j]
        self.own_mean, self.rest_mean = alpha * means[:, i], (1 - alpha) * means[:, j]
        self.mixed = Gaussian(self.own_mean + self.rest_mean, self.own + self.rest)
        log_shares = np.log(shares.reshape(-1, k, 3)[:, i, atoms.side])
        log_weights = np.log(weights).reshape(-1, k)[:, i]
        self.scores = self.normal.natural(self.mixed)
        self.scores[..., 0] += log_weights + log_shares + atoms.log_node
        self._x: Real | None = None
        self._found: tuple[Real, Real, Real] | None = None

    def log_joint(self, forms: Real, t: Real) -> None:
        """log Σ_r π_k w_r N(x; m_r, S_r), in place."""
        _, total, top = self._densities_at(t)
        joint = np.log(total)
        joint += top
        forms[:] = joint.reshape(forms.shape)

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Σ c q (1; sides; parts; parts by share; E[a | x]; E[a aᵀ | x] / α), shape (S·K, …)."""
        density, total, _ = self._densities_at(t)
        r = density * (counts.reshape(total.shape) / total)[:, self.atoms.owner]
        sums: Array = np.asarray(r @ t.T, np.float64)  # (S, R, P)
        return self._parted(Stats(sums[..., 0], sums)).reshape(len(counts), -1)

    def class_shares(self, x: Real) -> NDArray[np.float32]:
        """E[share of class j | x, label k] of one mixture for samples (D, N), shape (K, K, N)."""
        atoms, found = self.atoms, np.zeros((self.k, self.k, x.shape[1]), np.float32)
        for start in range(0, x.shape[1], BLOCK):
            t, part = self.normal.statistics(x[:, start : start + BLOCK]), slice(start, start + BLOCK)
            density, total, _ = self._densities_at(t)
            shares = np.zeros((self.k, self.k, t.shape[1]))
            r = density[0] / total[0][atoms.owner]
            for own, other, alpha, share in zip(atoms.owner, atoms.other, atoms.alpha, r, strict=True):
                shares[own, own] += alpha * share
                shares[own, other] += (1 - alpha) * share
            found[..., part] = shares
        return found

    def purity(self, x: Real) -> NDArray[np.float32]:
        """P(pure | x) of one mixture for samples (D, N), shape (N,)."""
        found = np.empty(x.shape[1], np.float32)
        for start in range(0, x.shape[1], BLOCK):
            t, part = self.normal.statistics(x[:, start : start + BLOCK]), slice(start, start + BLOCK)
            density, total, top = (of_stack[0] for of_stack in self._densities_at(t))
            scale = np.exp(top - top.max(0))
            found[part] = (density[self.atoms.side == PURE] * scale).sum(0) / (total * scale).sum(0)
        return found

    def _densities_at(self, t: Real) -> tuple[Real, Real, Real]:
        """Densities of the atoms over the largest of their owner, their sums, and the logarithm of that largest.

        Shapes (S, R, B), (S, K, B) and (S, K, B). What was last asked for is remembered.
        """
        x = t[1 : 1 + self.d]
        if self._x is None or self._found is None or not np.array_equal(self._x, x):
            density = self.scores.astype(t.dtype) @ t
            top = np.maximum.reduceat(density, self.atoms.first, axis=1)
            density -= top[:, self.atoms.owner]
            np.maximum(density, -80, out=density)  # subnormal numbers are slow
            np.exp(density, out=density)
            total = np.add.reduceat(density, self.atoms.first, axis=1)
            self._x, self._found = x.copy(), (density, total, top)
        return self._found

    def _parted(self, sums: Stats) -> Array:
        """From sums of T(x) by atom, (S, R, P), to what each component has of all atoms, (S, K, …)."""
        atoms, each = self.atoms, np.arange(self.k)[:, None]
        mine, theirs = (np.asarray(who == each, np.float64) for who in (atoms.owner, atoms.other))  # (K, R)
        sides = np.stack([mine * (atoms.side == side) for side in (BELOW, PURE, ABOVE)], axis=1)  # (K, 3, R)
        counts = np.einsum("ksr,nr->nks", sides, sums.n)
        held = mine @ self._of_part(sums, self.own_mean, self.own, atoms.alpha)
        held += (theirs * (atoms.side != PURE)) @ self._of_part(sums, self.rest_mean, self.rest, 1 - atoms.alpha)
        return np.concatenate([counts.sum(2, keepdims=True), counts, held], axis=2)

    def _of_part(self, sums: Stats, mean: Array, matrix: Array, share: Array) -> Array:
        """Σ r (1; α; E[a | x]; E[a aᵀ | x] / α) of each atom for a part a ~ N(mean, matrix) of x, (S, R, P + 1)."""
        slope = matrix @ np.linalg.inv(self.mixed.covariances)
        constant = mean - (slope @ self.mixed.means[..., None])[..., 0]
        moved = pushed(
            sums.n, raw_moments(sums, self.d), slope, constant, matrix - slope @ matrix, self.normal.products
        ).t
        moved[..., 0] *= share
        moved[..., 1 + self.d :] /= np.where(share > 0, share, 1)[:, None]
        return np.concatenate([sums.n[..., None], moved], axis=2)
