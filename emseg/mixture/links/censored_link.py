"""The E-step of Gaussians whose samples are censored or truncated: see `emseg.mixture.families.censored_gaussian`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.mixture.covariance.second_moments import product_indices
from emseg.mixture.families.gaussian import LOG_2PI, Gaussian
from emseg.mixture.families.sensor_limits import CensoredColumns, SensorLimits
from emseg.numerics.truncated_line import Cut
from emseg.numerics.truncated_normal import MOST, cut, independent, rough
from emseg.records import NamedRecord

Array = NDArray[np.float64]
Real = NDArray[np.floating[Any]]
# Smallest F_k in 1/F_k. A component that is nearly outside of B would hardly move, and drown what was recorded in
# rounding. With fewer samples than are expected outside its steps are longer, and they still climb: the bound that an
# M-step maximises is one as long as T varies no more than 1/F_k times as much within B as without, and it varies no
# more than twice as much.
LEAST = 0.01


class _Piece(NamedRecord):
    """Rows that are censored alike.

    Attributes
    ----------
    columns : CensoredColumns
    known : ndarray, shape (D_o, B)
        The other dimensions, x_o.
    log_joint : ndarray, shape (S·K, B)
        log π_k f_k.
    box : Cut
        Probability and moments beyond the limits.
    """

    columns: CensoredColumns
    known: Array
    log_joint: Array
    box: Cut


class CensoredLink:
    """What is between T and the log-densities of censored or truncated samples, a `Link`.

    A stack of mixtures is a tournament, in which approximate probabilities are good enough.

    Parameters
    ----------
    weights : ndarray, shape (..., K)
        π, of one mixture or a stack of S.
    components : Gaussian
    eta : ndarray, shape (..., K, P)
        Of log N(x; μ_k, Σ_k).
    limits : SensorLimits
    products : bool
        Whether T(x) holds the mixed products x_i x_j.
    """

    def __init__(self, weights: Array, components: Gaussian, eta: Array, limits: SensorLimits, products: bool) -> None:
        self.limits, self.products = limits, products
        self.eta = eta
        self.eta[..., 0] += np.log(weights)
        d = components.means.shape[-1]
        self.log_weights = np.log(weights).reshape(-1)
        self.means = components.means.reshape(-1, d)
        self.covariances = components.covariances.reshape(-1, d, d)
        self.exact = weights.ndim == 1
        self.log_f: Array = np.zeros(len(self.means))
        self.others: Array | None = None
        if self.limits.truncates:
            self.log_f, self.others = self._truncation()
        self._x: Real | None = None
        self._pieces: list[_Piece] = []
        self._corners: dict[tuple[bytes, bytes], _Piece] = {}

    def log_joint(self, forms: Real, t: Real) -> None:
        """Turn log π_k N(x; μ_k, Σ_k) into log π_k f_k(x), in place."""
        for piece in self._censored(t):
            forms[:, piece.columns.which] = piece.log_joint
        if self.others is not None:
            forms -= self.log_f[:, None].astype(forms.dtype)

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Σ_i c_i q_ik E_k[T | x_i], with those that were not recorded for each."""
        pieces = self._censored(t)
        if pieces:
            whole = np.ones(t.shape[1], np.bool_)
            whole[np.concatenate([piece.columns.which for piece in pieces])] = False
            total = (counts[:, whole] @ t[:, whole].T).astype(np.float64)
        else:
            total = (counts @ t.T).astype(np.float64)
        for piece in pieces:
            total += self._expected(counts[:, piece.columns.which].astype(np.float64), piece)
        if self.others is not None:
            total += counts.sum(1, dtype=np.float64)[:, None] * self.others
        return total

    def _censored(self, t: Real) -> list[_Piece]:
        """What is known of the censored rows of a block; what was last asked for is remembered."""
        x = t[1 : 1 + self.means.shape[-1]]
        if self._x is None or not np.array_equal(self._x, x):
            self._pieces, self._x = list(self._pieces_of(x)), x.copy()
        return self._pieces

    def _pieces_of(self, x: Real) -> Iterator[_Piece]:
        for columns in self.limits.censored_columns(x):
            if columns.seen.size:
                yield self._piece(columns, x[np.ix_(columns.seen, columns.which)].astype(np.float64))
                continue
            corner = (
                columns.low.tobytes(),
                columns.high.tobytes(),
            )  # where all dimensions are bounds, all rows are one
            if corner not in self._corners:
                self._corners[corner] = self._piece(columns, np.empty((0, 1)))
            yield self._corners[corner]._replace(columns=columns)

    def _piece(self, columns: CensoredColumns, known: Array) -> _Piece:
        means, left, log_density = self._given(known, columns)
        box = self._cut(means, left[:, None], columns.low, columns.high)
        unit = self.limits.log_scale[columns.cut].sum()
        return _Piece(columns, known, self.log_weights[:, None] + log_density + box.log_p + unit, box)

    def _given(self, known: Array, columns: CensoredColumns) -> tuple[Array, Array, Array]:
        """Mean (S·K, B, C) and covariance (S·K, C, C) of the other dimensions given x_o (D_o, B), and log N(x_o)."""
        o, c = columns.seen, columns.cut
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
        if not self.products:
            return independent(means, np.einsum("...ii->...i", covariances), low, high)
        if not self.exact:
            return rough(means, covariances, low, high)
        if low.size > MOST:
            raise UsageError(
                f"limits of {low.size} dimensions at once are more than {MOST}; use {option('covariance', 'diag')}"
            )
        return cut(means, covariances, low, high)

    def _expected(self, counts: Array, piece: _Piece) -> Array:
        """Σ_i c_i q_ik E_k[T | x_i] for rows with the same bounds; shape (S·K, P)."""
        (o, c, *_), known, box, d = piece.columns, piece.known, piece.box, self.means.shape[-1]
        if not o.size:
            counts = counts.sum(1, keepdims=True)
        first, second = np.zeros((len(counts), d)), np.zeros((len(counts), d, d))
        first[:, o], first[:, c] = counts @ known.T, np.einsum("kb,kbc->kc", counts, box.first)
        weighted = counts[:, None, :] * known
        second[:, o[:, None], o], across = weighted @ known.T, weighted @ box.first
        second[:, o[:, None], c], second[:, c[:, None], o] = across, np.swapaxes(across, 1, 2)
        second[:, c[:, None], c] = np.einsum("kb,kbij->kij", counts, box.second)
        i, j = product_indices(d, self.products)
        return np.concatenate([counts.sum(1)[:, None], first, second[:, i, j]], axis=1)

    def _truncation(self) -> tuple[Array, Array]:
        """log F_k (S·K,), and E_k[T] / F_k - E_k[T | B], shape (S·K, P)."""
        box = self._cut(self.means, self.covariances, self.limits.least, self.limits.most)
        f = np.exp(np.maximum(box.log_p, np.log(LEAST)))[:, None]
        second = self.covariances + self.means[:, :, None] * self.means[:, None, :]
        i, j = product_indices(self.means.shape[-1], self.products)
        ones = np.ones_like(f)
        whole = np.concatenate([ones, self.means, second[:, i, j]], axis=1)
        return box.log_p, whole / f - np.concatenate([ones, box.first, box.second[:, i, j]], axis=1)
