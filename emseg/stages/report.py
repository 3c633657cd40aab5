"""The report of a segmentation: the numbers a paper or a script needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.fit import Fit
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.stages.start import Start
from emseg.version import __version__

NO_FIELD = {"method": "none", "beta": None, "sweeps": 0, "energy": None}


def input_report(photo: Image, features: Features) -> dict[str, Any]:
    """What reports of all commands say of the image and its features."""
    rank: dict[str, Any] = {}
    if features.span is not None:
        rank = {"rank": len(features.x), "independent": [features.names[i] for i in features.pivots]}
    evidence = {"evidence": dict(features.evidence)} if features.evidence else {}
    return {
        "version": __version__,
        "input": photo.source,
        "size": photo.extent,
        "pixels": features.n_pixels,
        "distinct": features.x.shape[1],
        "features": {"spec": features.spec, "names": list(features.names), **rank, **evidence},
    }


def segmentation_report(
    photo: Image,
    features: Features,
    mixture: Mixture,
    fitted: Fit[Mixture],
    start: Start,
    *,
    n_parameters: int,
    log_likelihood: float,
    log_posterior: float,
    counts: NDArray[np.int_],
    bounds: Mapping[str, Any] | None,
    mrf: Mapping[str, Any],
    bias_field: Mapping[str, Any] | None,
    options: Mapping[str, Any],
    warnings: Sequence[str],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """The content of `photo.json`, but for `outputs`.

    Likelihoods are natural logarithms of densities in the features' own units, summed over the pixels that carry data.
    aic, bic and icl are -2ℓ + penalty: lower is better (Biernacki, Celeux & Govaert 2000 for ICL).

    Parameters
    ----------
    photo : Image
    features : Features
    mixture : Mixture
        In the features' own units, components in the order of the labels.
    fitted : Fit
    start : Start
    n_parameters : int
        Of the mixture in the space that the features span.
    log_likelihood : float
        Of the mixture, in nats.
    log_posterior : float
        Σ log max_k r_ik over the pixels.
    counts : ndarray of int, shape (K,)
        Pixels of each label.
    bounds : mapping, optional
        What `bounds_report` says.
    mrf : mapping
        What `Smoothed.report` says, or `NO_FIELD`.
    bias_field : mapping, optional
        What `EvenlyLit.report` says.
    options : mapping
        All options of the command by name, with their values.
    warnings : sequence of str
        What the user should know of, as an option without effect.
    seconds : mapping of str to float
        By step.
    """
    n, p = features.n_pixels, n_parameters
    bic = -2 * log_likelihood + p * float(np.log(n))
    return {
        **input_report(photo, features),
        "options": dict(options),
        "warnings": list(warnings),
        "partly_known": round(float(features.weight[np.isnan(features.x).any(0)].sum())),
        "surviving": mixture.n_classes,
        "emptied": fitted.mixture.k - mixture.k,
        "algorithm": options["algorithm"],
        "status": fitted.status.value,
        "iterations": len(fitted.trace) - 1,
        "e_steps": fitted.trace[-1].e_steps,
        "search_e_steps": start.e_steps,
        "selection": start.selection,
        "log_likelihood": log_likelihood,
        "log_likelihood_per_pixel": log_likelihood / n,
        "n_parameters": p,
        "aic": -2 * log_likelihood + 2 * p,
        "bic": bic,
        "icl": bic - 2 * log_posterior,
        **mixture_report(mixture, counts),
        "bounds": bounds,
        "mrf": dict(mrf),
        "bias_field": None if bias_field is None else dict(bias_field),
        "seconds": dict(seconds),
    }


def mixture_report(mixture: Mixture, counts: NDArray[np.int_]) -> dict[str, Any]:
    """A mixture in the features' own units, and the pixels of each component; noise apart from the others."""
    k = mixture.n_classes
    parts = mixture.components[:k]
    return {
        "K": k,
        "family": mixture.family.name,
        "weights": mixture.weights[:k].tolist(),
        "means": parts.means.tolist(),
        "covariances": [matrix.tolist() if np.isfinite(matrix).all() else None for matrix in parts.covariances],
        "parameters": {name: getattr(parts, name).tolist() for name in parts.parts()},
        "noise": _noise(mixture, counts),
        "mixed": _mixed(mixture),
        "pixel_counts": counts[:k].tolist(),
    }


def _mixed(mixture: Mixture) -> list[dict[str, Any]] | None:
    """`mixed` of the report: the mixed classes, if pixels may be mixed."""
    classes = mixture.mixed_classes()
    if classes is None:
        return None
    return [{"between": [i + 1, j + 1], "weight": weight, "mean": mean.tolist()} for (i, j), weight, mean in classes]


def _noise(mixture: Mixture, counts: NDArray[np.int_]) -> dict[str, Any] | None:
    """`noise` of the report: the noise component, if there is one."""
    log_density = mixture.family.outlier_log_density()
    if log_density is None:
        return None
    weight, pixels = float(mixture.weights[-1]), int(counts[-1])
    return {"label": mixture.k, "weight": weight, "log_density": log_density, "pixels": pixels}
