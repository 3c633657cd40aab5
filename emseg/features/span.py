"""Features that depend on each other: the space that the samples span, and coordinates in it.

A band that is there twice, a grey picture stored in three channels, an index computed from two bands: such features say
nothing that the others do not. A mixture of all of them has no density, and each direction without extent would decide
the fit by rounding alone. So mixtures are fitted to coordinates z in the space that the samples span, x = B z, with
orthonormal columns in B: distances are those of x. The first independent features, the pivots, are a lower triangular
function of z. So components come in the same order by z as by x, and densities are those of the pivots: ℓ, bic and the
number of parameters are as if the other features were not there.

A direction has no extent where the samples spread in it by no more than rounding on the way to the features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

Floats = NDArray[np.float64]
#: Variance in a direction, over that which rounding of the stored values leaves. Less is rounding in the computation
#: of the features alone: a grey picture in L*a*b* has 1e-5, one pixel of 19200 five steps off grey 1e-2.
EXACT = 1e-3
#: The same where it is the rounding of floating-point numbers: sums and products of a few of them differ by more.
FLOATING = 16.0
LEAST = 1e-12  # variance relative to that of all features, which is taken to be rounding in any case
SAME = 1e-6  # part of a row of B that is no part of the rows before, from which on it counts as independent


class Span(NamedRecord):
    """Where samples lie: x = B z.

    Attributes
    ----------
    basis : ndarray, shape (D, R)
        B.
    pivots : ndarray of int, shape (R,)
        The first independent features, ascending; their rows of B are lower triangular, with a positive diagonal.
    """

    basis: Floats
    pivots: NDArray[np.intp]

    @property
    def triangle(self) -> Floats:
        """Rows of the pivots, (R, R)."""
        rows: Floats = self.basis[self.pivots]
        return rows


def found_span(covariance: Floats, rounding: Floats, most: float, how: str) -> Span | None:
    """The space that samples of a covariance (D, D) span; None where it is all of the space.

    Parameters
    ----------
    covariance : ndarray, shape (D, D)
        Of the samples.
    rounding : ndarray, shape (D, D)
        Covariance that rounding leaves.
    most : float
        Variance in a direction without extent, over that of rounding, at most.
    how : {"any", "axes", "equal"}
        Which dependencies count: all linear ones; only those of two features, which leave axes what they are; only
        those of features with equal values.
    """
    d = len(covariance)
    rounding = rounding + LEAST * float(np.trace(covariance)) / d * np.eye(d)
    basis = _of_pairs(covariance, rounding, most, how == "equal")
    if how == "any" and basis.shape[1] > 1:
        basis = basis @ _independent(basis.T @ covariance @ basis, basis.T @ rounding @ basis, most)
    if basis.shape[1] == d:
        return None
    return triangular(basis) if how != "equal" else Span(basis, _pivots(basis))


def _of_pairs(covariance: Floats, rounding: Floats, most: float, equal: bool) -> Floats:
    """B (D, R) where each feature is a multiple of one coordinate, or of none if it is constant."""
    columns: list[Floats] = []
    leaders: list[int] = []
    for i in range(len(covariance)):
        own = np.zeros(len(covariance))
        own[i] = 1.0
        if not equal and covariance[i, i] <= most * rounding[i, i]:
            continue
        for column, p in zip(columns, leaders, strict=True):
            slope = 1.0 if equal else covariance[i, p] / covariance[p, p]
            off = own.copy()
            off[p] -= slope
            if off @ covariance @ off <= most * (off @ rounding @ off):
                column[i] = slope
                break
        else:
            columns.append(own)
            leaders.append(i)
    if not columns:  # all features are constant to rounding: the widest one is kept
        columns = [np.eye(len(covariance))[int(np.diag(covariance).argmax())]]
    basis = np.stack(columns, axis=1)
    return basis if equal else basis / np.sqrt((basis**2).sum(0))


def _independent(covariance: Floats, rounding: Floats, most: float) -> Floats:
    """An orthonormal basis (D, R) of the space that is orthogonal to all directions without extent."""
    spread, directions = generalised(covariance, rounding)
    kept = spread > most
    kept[-1] = True
    if kept.all():
        return np.eye(len(kept))
    q, _ = np.linalg.qr(directions[:, ~kept], mode="complete")
    return np.asarray(q[:, np.count_nonzero(~kept) :], np.float64)


def generalised(covariance: Floats, rounding: Floats) -> tuple[Floats, Floats]:
    """Variances over that of rounding, ascending, (D,), and their directions v with vᵀ rounding v = 1, columns."""
    factor = np.linalg.inv(np.linalg.cholesky(rounding))
    spread, vectors = np.linalg.eigh(factor @ covariance @ factor.T)
    return spread, np.asarray(factor.T @ vectors)


def triangular(basis: Floats) -> Span:
    """The space of an orthonormal basis (D, R), in coordinates of which the pivots are a triangular function."""
    pivots = _pivots(basis)
    q, r = np.linalg.qr(basis[pivots].T)
    turned = basis @ (q * np.where(np.diag(r) < 0, -1.0, 1.0))
    upper = np.triu_indices(len(pivots), 1)
    turned[pivots[upper[0]], upper[1]] = 0.0
    return Span(turned, pivots)


def _pivots(basis: Floats) -> NDArray[np.intp]:
    """The first independent rows of a basis (D, R)."""
    found: list[int] = []
    left = np.eye(basis.shape[1])
    for i, row in enumerate(basis):
        rest = left @ row
        size = float(rest @ rest)
        if len(found) < basis.shape[1] and size > SAME**2:
            found.append(i)
            left = left - np.outer(rest, rest) / size
    return np.array(found, np.intp)


def informative(rows: Floats) -> NDArray[np.intp]:
    """As many independent rows of a matrix (D, R) as it has columns, each the longest that is left."""
    found: list[int] = []
    rest = rows.copy()
    for _ in range(rows.shape[1]):
        sizes = (rest**2).sum(1)
        best = int(np.argmax(sizes >= (1 - SAME) * sizes.max()))  # of equal ones the first
        found.append(best)
        direction = rest[best] / np.sqrt(sizes[best])
        rest = rest - np.outer(rest @ direction, direction)
    return np.sort(np.array(found, np.intp))
