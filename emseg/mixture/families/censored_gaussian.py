"""Gaussians whose samples are censored or truncated.

Censored (Lee & Scott 2012, Comput. Stat. Data Anal. 56): where a value is a bound, as 255 of an overexposed pixel is,

log f_k(x) = log N(x_o; μ_o, Σ_oo) + log P_k(x_c beyond its bounds | x_o)

and T holds E[T | what is known of x, k], from the moments of a normal distribution cut to a box. Truncated (Dempster,
Laird & Rubin 1977, section 4.2): samples outside a box B were not recorded, so log f_k(x) = log N(x) - log F_k, F_k the
probability of B. What was not recorded is hidden data: for each recorded sample of component k, 1/F_k - 1 others are
expected outside of B, which makes

t_k += n_k (E_k[T] / F_k - E_k[T | B])

Weights stay shares of what was recorded. Both are exact E-steps, and ℓ never falls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError
from emseg.mixture.families.bounds import Bounds, Side
from emseg.mixture.families.gaussian import LOG_2PI, Gaussian, GaussianFamily, product_indices
from emseg.mixture.family import Real
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.numerics.truncated_normal import MOST, Cut, cut, independent, rough

Array = NDArray[np.float64]
# Smallest F_k in 1/F_k. A component that is nearly outside of B would hardly move, and drown what was recorded in
# rounding. With fewer samples than are expected outside its steps are longer, and they still climb: the bound that an
# M-step maximises is one as long as T varies no more than 1/F_k times as much within B as without, and it varies no
# more than twice as much.
LEAST = 0.01


@dataclass(frozen=True)
class BoundedFamily(GaussianFamily):
    """The Gaussian family, for samples within bounds.

    Attributes
    ----------
    bounds : Bounds
    """

    bounds: Bounds

    def link(self, mixture: Mixture) -> BoundedLink:
        """log-densities of what is known."""
        return BoundedLink(self, mixture)

    def m_projection(self, stats: Stats, *arguments: Any, **named: Any) -> Gaussian:
        """As for Gaussians, of recorded and other samples together."""
        return super().m_projection(_complete(stats), *arguments, **named)

    def pinned(self, stats: Stats, components: Gaussian) -> Stats:
        """As for Gaussians, of recorded and other samples together."""
        return Stats(stats.n, super().pinned(_complete(stats), components).t)

    def margin(self, seen: NDArray[np.intp]) -> BoundedFamily:
        """As for Gaussians, within the bounds of these dimensions.

        Raises
        ------
        UsageError
            If samples are truncated: whether what is missing of one was within bounds, too, is not known.
        """
        if self.bounds.truncates:
            raise UsageError("--truncated: does not go with unknown values; use --missing drop")
        return BoundedFamily(super().margin(seen).covariance, self.bounds[seen])

    def affine(self, shift: Array, scale: Array) -> BoundedFamily:
        """With the bounds where they then are."""
        return BoundedFamily(self.covariance, self.bounds.affine(shift, scale))


def _complete(stats: Stats) -> Stats:
    """With the samples that were not recorded in the counts too."""
    return Stats(np.maximum(stats.t[..., 0], stats.n), stats.t)


class _Piece(NamedTuple):
    """Rows with the same bounds: the other dimensions x_o, log π_k f_k (S·K, B), and the moments beyond the bounds."""

    side: Side
    known: Array
    log_joint: Array
    box: Cut


class BoundedLink:
    """What is between T and the log-densities of samples within bounds, a `Link`.

    A stack of mixtures is a tournament, in which approximate probabilities are good enough.
    """

    def __init__(self, family: BoundedFamily, mixture: Mixture) -> None:
        self.family, self.bounds = family, family.bounds
        self.eta = family.natural(mixture.components)
        self.eta[..., 0] += np.log(mixture.weights)
        d = mixture.d
        self.log_weights = np.log(mixture.weights).reshape(-1)
        self.means = mixture.components.means.reshape(-1, d)
        self.covariances = mixture.components.covariances.reshape(-1, d, d)
        self.exact = mixture.weights.ndim == 1
        self.log_f: Array = np.zeros(len(self.means))
        self.others: Array | None = None
        if self.bounds.truncates:
            self.log_f, self.others = self._truncation()
        self._x: Real | None = None
        self._pieces: list[_Piece] = []
        self._corners: dict[tuple[bytes, bytes], _Piece] = {}

    def log_joint(self, forms: Real, t: Real) -> None:
        """Turn log π_k N(x; μ_k, Σ_k) into log π_k f_k(x), in place."""
        for piece in self._censored(t):
            forms[:, piece.side.which] = piece.log_joint
        if self.others is not None:
            forms -= self.log_f[:, None].astype(forms.dtype)

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Σ_i c_i q_ik E_k[T | x_i], with those that were not recorded for each."""
        pieces = self._censored(t)
        if pieces:
            whole = np.ones(t.shape[1], np.bool_)
            whole[np.concatenate([piece.side.which for piece in pieces])] = False
            total = (counts[:, whole] @ t[:, whole].T).astype(np.float64)
        else:
            total = (counts @ t.T).astype(np.float64)
        for piece in pieces:
            total += self._expected(counts[:, piece.side.which].astype(np.float64), piece)
        if self.others is not None:
            total += counts.sum(1, dtype=np.float64)[:, None] * self.others
        return total

    def _censored(self, t: Real) -> list[_Piece]:
        """What is known of the censored rows of a block; what was last asked for is remembered."""
        x = t[1 : 1 + self.means.shape[-1]]
        if self._x is None or not np.array_equal(self._x, x):
            self._pieces, self._x = list(self._looked_at(x)), x.copy()
        return self._pieces

    def _looked_at(self, x: Real) -> Iterator[_Piece]:
        for side in self.bounds.sides(x):
            if side.seen.size:
                yield self._piece(side, x[np.ix_(side.seen, side.which)].astype(np.float64))
                continue
            corner = (side.low.tobytes(), side.high.tobytes())  # where all dimensions are bounds, all rows are one
            if corner not in self._corners:
                self._corners[corner] = self._piece(side, np.empty((0, 1)))
            yield self._corners[corner]._replace(side=side)

    def _piece(self, side: Side, known: Array) -> _Piece:
        means, left, log_density = self._given(known, side)
        box = self._cut(means, left[:, None], side.low, side.high)
        unit = self.bounds.log_scale[side.cut].sum()
        return _Piece(side, known, self.log_weights[:, None] + log_density + box.log_p + unit, box)

    def _given(self, known: Array, side: Side) -> tuple[Array, Array, Array]:
        """Mean (S·K, B, C) and covariance (S·K, C, C) of the other dimensions given x_o (D_o, B), and log N(x_o)."""
        o, c = side.seen, side.cut
        means = np.broadcast_to(self.means[:, None, c], (len(self.means), known.shape[1], c.size))
        left = self.covariances[:, c[:, None], c]
        if not o.size:
            return means, left, np.zeros(means.shape[:2])
        factor = np.linalg.cholesky(self.covariances[:, o[:, None], o])
        apart = np.linalg.solve(factor, known - self.means[:, o, None])
        log_det = np.log(np.einsum("kii->ki", factor)).sum(-1)
        log_density = -0.5 * (apart * apart).sum(1) - log_det[:, None] - 0.5 * o.size * LOG_2PI
        across = np.linalg.solve(factor, self.covariances[:, o[:, None], c])
        means = means + np.einsum("koc,kob->kbc", across, apart)
        return means, left - np.swapaxes(across, 1, 2) @ across, log_density

    def _cut(self, means: Array, covariances: Array, low: Array, high: Array) -> Cut:
        if not self.family.products:
            return independent(means, np.einsum("...ii->...i", covariances), low, high)
        if not self.exact:
            return rough(means, covariances, low, high)
        if low.size > MOST:
            raise UsageError(f"bounds of {low.size} dimensions at once are more than {MOST}; use --covariance diag")
        return cut(means, covariances, low, high)

    def _expected(self, counts: Array, piece: _Piece) -> Array:
        """Σ_i c_i q_ik E_k[T | x_i] for rows with the same bounds; shape (S·K, P)."""
        (o, c, *_), known, box, d = piece.side, piece.known, piece.box, self.means.shape[-1]
        if not o.size:
            counts = counts.sum(1, keepdims=True)
        first, second = np.zeros((len(counts), d)), np.zeros((len(counts), d, d))
        first[:, o], first[:, c] = counts @ known.T, np.einsum("kb,kbc->kc", counts, box.first)
        weighted = counts[:, None, :] * known
        second[:, o[:, None], o], across = weighted @ known.T, weighted @ box.first
        second[:, o[:, None], c], second[:, c[:, None], o] = across, np.swapaxes(across, 1, 2)
        second[:, c[:, None], c] = np.einsum("kb,kbij->kij", counts, box.second)
        i, j = product_indices(d, self.family.products)
        return np.concatenate([counts.sum(1)[:, None], first, second[:, i, j]], axis=1)

    def _truncation(self) -> tuple[Array, Array]:
        """log F_k (S·K,), and E_k[T] / F_k - E_k[T | B], shape (S·K, P)."""
        box = self._cut(self.means, self.covariances, self.bounds.least, self.bounds.most)
        f = np.exp(np.maximum(box.log_p, np.log(LEAST)))[:, None]
        second = self.covariances + self.means[:, :, None] * self.means[:, None, :]
        i, j = product_indices(self.means.shape[-1], self.family.products)
        ones = np.ones_like(f)
        whole = np.concatenate([ones, self.means, second[:, i, j]], axis=1)
        return box.log_p, whole / f - np.concatenate([ones, box.first, box.second[:, i, j]], axis=1)
