"""Features that depend on each other, brought to coordinates in the space that they span."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emseg.features.grain import STEPLESS, widened
from emseg.features.model import Features
from emseg.features.span import EXACT, FLOATING, Span, found_span, informative, triangular
from emseg.records import replace

Floats = NDArray[np.float64]
SEEN = 65536  # samples that show whether features may depend on each other; then all of them are looked at


def reduced(features: Features, how: str, moved: bool = True) -> Features:
    """The features in the space that they span, if it is smaller, with a grain that suits the fit of a mixture.

    Parameters
    ----------
    features : Features
        As `emseg.features.build.build_features` makes them.
    how : {"any", "axes", "equal", "none"}
        Which dependencies count, see `found_span`.
    moved : bool
        Whether features are standardised; those in their own units keep their grain as it is.
    """
    grain = np.zeros((len(features.x),) * 2) if features.grain is None else features.grain
    most = EXACT if features.lattice else FLOATING
    covariance = _covariance(features.x, features.weight, SEEN)
    span = None if how == "none" else found_span(covariance, grain, most, how)
    if span is not None and features.x.shape[1] > SEEN:
        covariance = _covariance(features.x, features.weight, features.x.shape[1])
        span = found_span(covariance, grain, most, how)
    if how == "equal" and span is not None and not _equal(features.x, span):
        span = None
    if span is not None:
        features, span = (features, span) if how == "equal" else _even(features, span)
        features = _in(features, span)
        covariance = _covariance(features.x, features.weight, SEEN)
    if not moved:
        return features
    grain = np.zeros((len(features.x),) * 2) if features.grain is None else features.grain
    grain = grain + STEPLESS * np.diag(features.unit**2) * (not features.lattice) + TINY * np.diag(features.unit**2)
    return replace(features, grain=widened(grain, covariance))


TINY = 1e-10  # of the variance of a group: rounding of the fit itself must not matter


def only(features: Features, pivots: Sequence[int]) -> Features:
    """The features of which some, in ascending order, say all that a mixture knows of the others."""
    basis = np.zeros((len(features.names), len(pivots)))
    basis[list(pivots), np.arange(len(pivots))] = 1.0
    return _in(features, Span(basis, np.array(pivots, np.intp)))


def _in(features: Features, span: Span) -> Features:
    """Features in coordinates of a space."""
    x, pivots = features.x, span.pivots
    inverse: Floats = np.linalg.inv(span.triangle).astype(np.float64, copy=False)
    z = _solved(x, span, inverse)
    grain = features.grain if features.grain is None else _grain_in(span, features.grain)
    return replace(features, x=z, unit=features.unit[pivots], span=span, grain=grain)


def _grain_in(span: Span, grain: Floats) -> Floats:
    """The grain (R, R) of coordinates, by as many features as tell them best.

    Two colours of about the same lightness differ in L* by a few steps of rounding, and in a* by hundreds. Copies of a
    band share its rounding, so they tell no more together than alone.
    """
    rows = informative(span.basis / np.sqrt(np.maximum(np.diag(grain), np.finfo(float).tiny))[:, None])
    inverse = np.linalg.inv(span.basis[rows])
    return np.asarray(inverse @ grain[np.ix_(rows, rows)] @ inverse.T, np.float64)


def _solved(x: Floats, span: Span, inverse: Floats) -> Floats:
    """z of x: by the pivots; where these are unknown, by another feature that depends on the same coordinate alone."""
    z = inverse @ np.ascontiguousarray(x[span.pivots])
    if not np.isnan(z).any():
        return z
    for j, column in enumerate(span.basis.T):
        for i in np.flatnonzero(column):
            np.copyto(z[j], x[i] / column[i], where=np.isnan(z[j]))
    return z


def _even(features: Features, span: Span) -> tuple[Features, Span]:
    """Groups that span fewer dimensions than they have features, scaled to the variance that their weight says."""
    factor = np.ones(len(features.names))
    for rows in features.groups:
        part = span.basis[rows]
        rank = max(1, int(np.linalg.matrix_rank(part, 1e-6)))
        factor[rows] = np.sqrt(len(part) / rank)
    if (factor == 1).all():
        return features, span
    grain = None if features.grain is None else features.grain / np.outer(factor, factor)
    features = replace(features, x=features.x / factor[:, None], scale=features.scale * factor, grain=grain)
    basis = span.basis / factor[:, None]
    if np.count_nonzero(basis, axis=1).max() <= 1:  # axes stay axes
        return features, Span(basis / np.sqrt((basis**2).sum(0)), span.pivots)
    return features, triangular(np.linalg.qr(basis)[0])


def _covariance(x: Floats, weight: Floats, most: int) -> Floats:
    """Covariance (D, D) of some samples, what is unknown of them at its mean."""
    some = slice(None, None, -(-x.shape[1] // most))
    x, share = x[:, some], weight[some] / weight[some].sum()
    known = ~np.isnan(x)
    if known.all():
        centred = x - (x @ share)[:, None]
        covariance: Floats = (centred * share) @ centred.T
        return covariance
    counts = np.maximum((known * share) @ known.T, np.finfo(float).tiny)
    filled = np.where(known, x, 0.0)
    centred = np.where(known, filled - ((filled @ share) / np.maximum(known @ share, np.finfo(float).tiny))[:, None], 0)
    pairs: Floats = (centred * share) @ centred.T / counts
    return pairs


def _equal(x: Floats, span: Span) -> bool:
    """Whether features that share a coordinate have equal values."""
    leader = x[span.pivots][span.basis.argmax(1)]
    return bool(((leader == x) | np.isnan(leader) | np.isnan(x)).all())
