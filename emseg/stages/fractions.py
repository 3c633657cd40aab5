"""`--partial-volume`: what it goes with, how much of each class a pixel holds, and what the report says."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.errors import UsageError
from emseg.features.model import Features
from emseg.mixture.assign import posterior
from emseg.mixture.families.gaussian import GaussianFamily
from emseg.mixture.families.partial_volume import PartialVolumeFamily
from emseg.mixture.families.partial_volume_link import ABOVE, BELOW
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.options.segmentation import SegmentOptions
from emseg.stages.start import Start

#: Variants that treat parts of the parameters one by one, which the mixed classes tie to each other, and those that
#: know Gaussians alone.
UNTIED = ("ecm", "ecme", "sage", "px", "vb")
BLOCK = 8192


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
    for option, bad in refused.items():
        if bad:
            raise UsageError(f"--partial-volume: does not go with {option}; leave one of them out")
    assert isinstance(family, GaussianFamily)
    return PartialVolumeFamily(family)


def mixed_start(start: Start, problem: Problem) -> Start:
    """The same start, components from dark to bright, with some of the pixels between them mixed.

    A search among mixed components finds likelier optima that nobody means: two pure classes, say, and all else mixed.
    The start is a mixture of unmixed ones. The covariances of those that mix most are far too large, and EM from there
    finds such optima too; so all of them start with the smallest one.
    """
    plain = start.mixture.permuted(start.mixture.canonical_order())
    matrices = plain.components.covariances
    least = np.linalg.slogdet(matrices)[1].argmin()
    narrow = replace(plain.components, covariances=np.repeat(matrices[least, None], plain.k, axis=0))
    parts = problem.family.conformed(plain.weights, narrow)
    return replace(start, mixture=problem.family.tied(Mixture(plain.weights, parts, problem.family)))


def fractions(mixture: Mixture, features: Features, labels: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """How much of each class every pixel is expected to hold.

    Parameters
    ----------
    mixture : Mixture
        Standardised, with mixed classes, K components.
    features : Features
    labels : ndarray of float32, shape (K, H, W), or None
        Probabilities of the labels where a field knows more of them than the samples.

    Returns
    -------
    ndarray of float32, shape (K, H, W)
        Sums to one over the classes; zero where there is no data.
    """
    of_rows = _given_labels(mixture, features.x)
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

    Labels of mixed pixels follow the majority of their neighbours too readily in a field, since the neighbours say
    little of which half of such a pixel is the larger: expected fractions are right more often.
    """
    held = fractions(mixture, features, probable).argmax(0).astype(labels.dtype) + labels.dtype.type(1)
    return np.where(labels > 0, held, labels.dtype.type(0))


def _given_labels(mixture: Mixture, x: NDArray[np.float64]) -> NDArray[np.float32]:
    """E[share of class j | x, label k] of samples (D, N), shape (K, K, N)."""
    out, link = np.empty((mixture.k, mixture.k, x.shape[1]), np.float32), mixture.family.link(mixture)
    for start in range(0, x.shape[1], BLOCK):
        part = slice(start, start + BLOCK)
        out[..., part] = link.expected_shares(mixture.family.statistics(x[:, part]))
    return out


def purity(mixture: Mixture, x: NDArray[Any]) -> NDArray[np.float32]:
    """The probability that samples (D, N) are not mixed, shape (N,)."""
    out, link = np.empty(x.shape[1], np.float32), mixture.family.link(mixture)
    for start in range(0, x.shape[1], BLOCK):
        part = slice(start, start + BLOCK)
        out[part] = link.purity(mixture.family.statistics(x[:, part]))
    return out


def mixed_facts(mixture: Mixture) -> list[dict[str, Any]]:
    """What the report says of the mixed classes: the labels they lie between, their weights and means."""
    parts, facts = mixture.components, []
    for i, j in pairwise(range(mixture.k)):
        halves = mixture.weights[i] * parts.shares[i, ABOVE], mixture.weights[j] * parts.shares[j, BELOW]
        mean = (parts.means[i] + parts.means[j]) / 2
        facts.append({"between": [i + 1, j + 1], "weight": float(sum(halves)), "mean": mean.tolist()})
    return facts
