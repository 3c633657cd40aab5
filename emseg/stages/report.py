"""The report of a segmentation: the numbers a paper or a script needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.fit import Fit
from emseg.features.model import Features
from emseg.features.pixel_index import CodeIndex
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.options.checked import recorded
from emseg.options.segmentation import SegmentOptions
from emseg.stages.start import Start
from emseg.version import __version__


def report(
    image: Image,
    features: Features,
    mixture: Mixture,
    found: Fit[Mixture],
    log_likelihood: float,
    counts: NDArray[np.int_],
    log_posterior: float,
    asked: SegmentOptions,
    start: Start,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """The content of `photo.json`, but for `outputs`.

    Likelihoods are natural logarithms of densities in the features' own units, summed over the pixels that carry data.
    aic, bic and icl are -2ℓ + penalty: lower is better (Biernacki, Celeux & Govaert 2000 for ICL).
    """
    n = features.n_pixels
    p = mixture.n_parameters
    bic = -2 * log_likelihood + p * float(np.log(n))
    return {
        "version": __version__,
        "input": {"path": image.name, "sha256": image.sha256},
        "options": recorded("segment", asked),
        "size": image.extent,
        "pixels": n,
        "partly_known": round(float(features.weight[np.isnan(features.x).any(0)].sum())),
        "distinct": features.x.shape[1],
        "features": {"spec": features.spec, "names": list(features.names)}
        | ({"evidence": dict(features.evidence)} if features.evidence else {}),
        "surviving": mixture.n_classes,
        "emptied": found.mixture.k - mixture.k,
        "algorithm": asked.algorithm,
        "status": found.status.value,
        "iterations": max(len(found.trace) - 1, 0),
        "e_steps": found.trace[-1].e_steps if found.trace else 0,
        "search_e_steps": start.e_steps,
        "selection": start.selection,
        "log_likelihood": log_likelihood,
        "log_likelihood_per_pixel": log_likelihood / n,
        "n_parameters": p,
        "aic": -2 * log_likelihood + 2 * p,
        "bic": bic,
        "icl": bic - 2 * log_posterior,
        **mixture_facts(mixture, counts),
        "bounds": _bounds(features, asked),
        "mrf": {"method": "none", "beta": None, "sweeps": 0, "energy": None},
        "seconds": dict(seconds),
    }


def mixture_facts(mixture: Mixture, counts: NDArray[np.int_]) -> dict[str, Any]:
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


def _bounds(features: Features, asked: SegmentOptions) -> dict[str, Any] | None:
    """Limits of the stored values, and how many pixels have a value that is one, if limits are asked for."""
    if not (asked.censored or asked.truncated):
        return None
    from emseg.stages.value_limits import bounds_facts

    return bounds_facts(features, asked)


def _mixed(mixture: Mixture) -> list[dict[str, Any]] | None:
    """What there is to say of the mixed classes, if pixels may be mixed."""
    classes = mixture.mixed_classes()
    if classes is None:
        return None
    return [{"between": [i + 1, j + 1], "weight": weight, "mean": mean.tolist()} for (i, j), weight, mean in classes]


def _noise(mixture: Mixture, counts: NDArray[np.int_]) -> dict[str, Any] | None:
    """What there is to say of the noise component, if there is one."""
    log_density = mixture.family.outlier_log_density()
    if log_density is None:
        return None
    weight, pixels = float(mixture.weights[-1]), int(counts[-1])
    return {"label": mixture.k, "weight": weight, "log_density": log_density, "pixels": pixels}


def mean_colours(
    image: Image,
    features: Features,
    row_labels: NDArray[np.unsignedinteger] | None,
    labels: NDArray[np.unsignedinteger],
    counts: NDArray[np.int_],
) -> NDArray[np.uint8] | None:
    """Mean sRGB colour of each region, (K, 3): grey for grey images, None for unnamed bands.

    Where the label of a pixel depends on its sample alone, `row_labels` (N,) give the same in less time.
    """
    if image.colour == "bands":
        return None
    channels = image.pixels.shape[2]
    k = counts.size
    if row_labels is not None and isinstance(features.index, CodeIndex) and image.pixels.dtype == np.uint8:
        codes = features.index.distinct
        values = [(codes >> codes.dtype.type(8 * c)) & codes.dtype.type(255) for c in range(channels)]
        sums = [np.bincount(row_labels, value * features.weight, k + 1) for value in values]
    else:
        flat = labels.ravel()
        pixels = np.where(flat[:, None] > 0, image.pixels.reshape(-1, channels), 0)
        sums = [np.bincount(flat, pixels[:, c], k + 1) for c in range(channels)]
    means = np.stack(sums, axis=1)[1:] / np.maximum(counts, 1)[:, None]
    scaled = means * (255 / _white(image))
    return np.broadcast_to(np.clip(scaled.round(), 0, 255).astype(np.uint8), (k, 3)).copy()


def _white(image: Image) -> float:
    """The stored value that shows as white.

    For integers of more than 8 bits, the most that as many bits can hold as are in use: sensors give 10, 12 or 14.
    """
    if image.pixels.dtype == np.uint8:
        return 255.0
    valid = image.pixels if image.valid is None else image.pixels[image.valid]
    top = float(valid.max())
    return max(top, 1.0) if image.pixels.dtype.kind == "f" else 2.0 ** max(int(top).bit_length(), 1) - 1
