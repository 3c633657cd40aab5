"""Whether a model suits the image that it is applied to: how many pixels lie far from every one of its classes."""

from __future__ import annotations

import numpy as np

from emseg.features.model import Features
from emseg.mixture.mixture import Mixture

#: Squared distance in standard deviations from which on a pixel is far. A Gaussian class has one in ten million beyond
#: six; soft edges, shadows and the tails of real classes lie within.
FAR = 36.0
MOST = 0.5  # share of the pixels that may be far before a line says so
SAMPLE = 50_000  # distinct samples that are looked at; the share is known to half a percent then
ROUNDING = 1e-10  # smallest relative variance that is not rounding


def far_share(features: Features, mixture: Mixture) -> float:
    """Share of the pixels that are farther than FAR + D from every class, by Mahalanobis' distance.

    Parameters
    ----------
    features : Features
        Pixels of which something is unknown do not count.
    mixture : Mixture
        Of the standardised features.

    Returns
    -------
    float
        0 where classes have no covariances, as angles.
    """
    parts = mixture.components[: mixture.n_classes]
    matrices = np.asarray(parts.covariances)
    if not np.isfinite(matrices).all():
        return 0.0
    step = -(-features.x.shape[1] // SAMPLE)
    x, weight = features.x[:, ::step], features.weight[::step]
    whole = ~np.isnan(x).any(0)
    x, weight = x[:, whole], weight[whole]
    nearest = np.full(x.shape[1], np.inf)
    for mean, matrix in zip(parts.means, matrices, strict=True):
        variances, axes = np.linalg.eigh(matrix)
        along = axes.T @ (x - mean[:, None])
        least = max(ROUNDING * float(variances[-1]), 1e-300)
        np.minimum(nearest, (along**2 / np.maximum(variances, least)[:, None]).sum(0), out=nearest)
    total = float(weight.sum())
    return float(weight[nearest > FAR + len(x)].sum()) / total if total else 0.0
