"""Sums of exponentials from logarithms, and the probabilities that they normalise.

Three forms of one thing, from the plainest to the fastest: `log_sum_exp` and `softmax` shift by the maximum first.
`exponentiate` writes into buffers and shifts only where sums leave the range of the type, which saves two passes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.floating[Any]]
Number = TypeVar("Number", bound=np.floating[Any])
# Added to the logarithm of the smallest normal number: exponentials below count as that. Subnormal numbers cost a
# hundred times as much, and so would products of such a number with others as small as e^-25.
ABOVE_TINY = 25.0


def log_sum_exp(scores: NDArray[Number], axis: int = 0) -> NDArray[Number]:
    """log Σ exp along an axis, which is dropped; where all scores are -∞ it is -∞.

    Parameters
    ----------
    scores : ndarray
    axis : int

    Returns
    -------
    ndarray
        With one axis less.
    """
    return softmax(scores, axis)[1]


def softmax(
    scores: NDArray[Number], axis: int = 0, out: NDArray[Number] | None = None
) -> tuple[NDArray[Number], NDArray[Number]]:
    """exp(scores) over their sum along an axis, and the logarithm of that sum.

    Where all scores are -∞, probabilities are NaN and the logarithm is -∞.

    Parameters
    ----------
    scores : ndarray
    axis : int
    out : ndarray, optional
        Where the probabilities go; `scores` itself is allowed.

    Returns
    -------
    probabilities : ndarray, the shape of `scores`
    log_sum : ndarray
        With one axis less.
    """
    top = scores.max(axis, keepdims=True)
    np.copyto(top, 0, where=np.isneginf(top))
    found = np.subtract(scores, top, out=out)
    np.exp(found, out=found)
    total = found.sum(axis, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        found /= total
        np.log(total, out=total)
    total += top
    return found, total.squeeze(axis)


def exponentiate(scores: Real, total: Real, log_total: Real, rescore: Callable[[], None]) -> None:
    """Exponentials of scores, up to a factor for each column, in place; their sums; and log Σ exp.

    Densities are summed as they are. Only where a sum leaves the range of the type are the scores made again and
    shifted by their maximum, which costs two more passes.

    Parameters
    ----------
    scores : ndarray, shape (S, K, B)
        Overwritten.
    total : ndarray, shape (S, B)
        Receives the sums of what `scores` then holds.
    log_total : ndarray, shape (S, B)
        Receives log Σ_k exp(scores).
    rescore : callable
        Writes the scores once more.
    """
    lowest, smallest = _range(scores.dtype, scores.shape[1])
    np.maximum(scores, lowest, out=scores)
    with np.errstate(over="ignore"):
        np.exp(scores, out=scores)
        np.add.reduce(scores, axis=1, out=total)
    if np.minimum.reduce(total, axis=None) > smallest and np.maximum.reduce(total, axis=None) < np.inf:
        np.log(total, out=log_total)
        return
    rescore()
    top = np.maximum.reduce(scores, axis=1)
    scores -= top[:, None]
    np.maximum(scores, lowest, out=scores)
    np.exp(scores, out=scores)
    np.add.reduce(scores, axis=1, out=total)
    np.log(total, out=log_total)
    log_total += top


@cache
def _range(dtype: np.dtype[np.floating[Any]], k: int) -> tuple[float, float]:
    """The lowest score whose exponential is taken, and the smallest sum of K exponentials that stands as it is.

    Sums that the lowest exponentials could change by more than rounding are found by being small themselves.
    """
    limits = np.finfo(dtype)
    lowest = float(np.log(limits.tiny)) + ABOVE_TINY
    return lowest, float(np.exp(lowest)) * k / float(limits.eps)
