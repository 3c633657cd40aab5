"""`--partial-volume`: what it goes with, how much of each class a pixel holds, and what the report says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.features.model import Features
from emseg.mixture.assign import posterior
from emseg.mixture.families.gaussian import GaussianFamily
from emseg.mixture.families.partial_volume import PartialVolumeFamily
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.options.segmentation import SegmentOptions

#: Variants that treat parts of the parameters one by one, which the mixed classes tie to each other, and those that
#: know Gaussians alone.
UNTIED = ("ecm", "ecme", "sage", "px", "vb")


def mixing(family: Family, asked: SegmentOptions) -> PartialVolumeFamily:
    """The family with mixed classes.

    Raises
    ------
    UsageError
        If options do not go together.
    """
    refused = {
        f"--family {asked.family}": asked.family != "gaussian",
        f"-k {asked.k}": asked.k == 1 or isinstance(asked.k, str),
        "--noise": asked.noise,
        "--censored": bool(asked.censored),
        "--truncated": bool(asked.truncated),
        f"--missing {asked.missing}": asked.missing != "drop",
        "--scribbles": bool(asked.scribbles),
        "--prior-map": bool(asked.prior_map),
        f"--algorithm {asked.algorithm}": asked.algorithm in UNTIED,
        f"--base {asked.base}": asked.base in UNTIED,
    }
    for given, bad in refused.items():
        if bad:
            raise UsageError(f"--partial-volume: does not go with {given}; leave one of them out")
    return PartialVolumeFamily(GaussianFamily(family.normal_model(option("partial_volume"))))


def fractions(mixture: Mixture, features: Features, labels: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """How much of each class every pixel is expected to hold.

    Parameters
    ----------
    mixture : Mixture
        Standardised, K components.
    features : Features
    labels : ndarray of float32, shape (K, H, W), or None
        Probabilities of the labels where a field knows more of them than the samples.

    Returns
    -------
    ndarray of float32, shape (K, H, W), or None
        Sums to one over the classes; zero where there is no data. None where pixels are not mixed.
    """
    of_rows = mixture.class_shares(features.x)
    if of_rows is None:
        return None
    if labels is None:
        return features.on_grid(np.einsum("kn,kjn->jn", posterior(mixture, features.x), of_rows))
    out = np.zeros(labels.shape, np.float32)
    for label, held in zip(labels, of_rows, strict=True):
        out += label * features.on_grid(held)
    return out


def most_held(
    mixture: Mixture,
    features: Features,
    labels: NDArray[np.unsignedinteger[Any]],
    probable: NDArray[np.float32] | None,
) -> NDArray[np.unsignedinteger[Any]]:
    """What every pixel is expected to hold most of, in place of its most probable label (H, W); 0 stays 0.

    The labels themselves are returned where pixels are not mixed.

    Labels of mixed pixels follow the majority of their neighbours too readily in a field, since the neighbours say
    little of which half of such a pixel is the larger: expected fractions are right more often.
    """
    found = fractions(mixture, features, probable)
    if found is None:
        return labels
    held = found.argmax(0).astype(labels.dtype) + labels.dtype.type(1)
    return np.where(labels > 0, held, labels.dtype.type(0))
