"""Pixels that mix two classes: how much of each class a pixel holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.mixture.assign import posterior
from emseg.mixture.mixture import Mixture


def fractions(mixture: Mixture, features: Features, labels: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """How much of each class every pixel is expected to hold.

    Parameters
    ----------
    mixture : Mixture
        Standardised, K components.
    features : Features
    labels : ndarray of float32, shape (K, H, W) or (K, Z, H, W), or None
        Probabilities of the labels where a field knows more of them than the samples.

    Returns
    -------
    ndarray of float32, shape of the labels or (K, H, W), or None
        Sums to one over the classes; zero where there is no data. None where pixels are not mixed.
    """
    of_rows = mixture.class_shares(features.x)
    if of_rows is None:
        return None
    if labels is None:
        return features.on_grid(np.einsum("kn,kjn->jn", posterior(mixture, features.x), of_rows))
    out = np.zeros(labels.shape, np.float32)
    for label, held in zip(labels, of_rows, strict=True):
        out += label * features.on_grid(held).reshape(-1, *label.shape)
    return out


def most_held(
    mixture: Mixture,
    features: Features,
    labels: NDArray[np.unsignedinteger[Any]],
    probable: NDArray[np.float32] | None,
) -> NDArray[np.unsignedinteger[Any]]:
    """What every pixel is expected to hold most of, in place of its most probable label (H, W); 0 stays 0.

    The labels themselves are returned where pixels are not mixed.

    Neighbours say little of which class is the larger part of a mixed pixel. In a field, labels of mixed pixels follow
    the majority of their neighbours too readily; expected fractions are right more often.
    """
    found = fractions(mixture, features, probable)
    if found is None:
        return labels
    held = found.argmax(0).astype(labels.dtype) + labels.dtype.type(1)
    return np.where(labels > 0, held, labels.dtype.type(0))
