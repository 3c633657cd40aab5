"""Model files: a fitted mixture as JSON, in the features' own units, and a reader that trusts nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, shown
from emseg.mixture.covariance import COVARIANCES
from emseg.output.report import report_json

FORMAT, VERSION = "emseg-model", 1
LARGEST = 1 << 24  # bytes
KEYS = ("format", "version", "family", "covariance", "features", "weights", "means", "covariances")


@dataclass(frozen=True, eq=False)
class Model:
    """What a model file holds: weights (K,), means (K, D), covariances (K, D, D)."""

    covariance: str
    features: str
    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]


def model_json(report: Mapping[str, Any]) -> bytes:
    """The model that a report describes."""
    facts = {"format": FORMAT, "version": VERSION, "family": "gaussian", "covariance": report["options"]["covariance"]}
    facts["features"] = report["features"]["spec"]
    return report_json(facts | {key: report[key] for key in ("weights", "means", "covariances")})


def read_model(path: str) -> Model:
    """Read a model file.

    Raises
    ------
    DataError
        If it is not one, or its numbers are not a mixture.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise ValueError("too large")
        facts = json.loads(text)
        if not isinstance(facts, dict) or facts.get("format") != FORMAT or facts.get("version") != VERSION:
            raise ValueError("not a model of this version")
        if set(facts) != set(KEYS) or facts["family"] != "gaussian":
            raise ValueError("unknown or missing keys")
        if not isinstance(facts["features"], str) or facts["covariance"] not in COVARIANCES:
            raise ValueError("unknown features or covariance")
        weights, means, covariances = (_numbers(facts[key], n) for n, key in enumerate(KEYS[-3:], 1))
        _require_mixture(weights, means, covariances)
    except (OSError, ValueError, TypeError, RecursionError, OverflowError) as error:
        reason = shown(" ".join(str(getattr(error, "strerror", error)).split()))[:120]
        raise DataError(f"{shown(path)}: not a usable model ({reason}); save one with --save model") from error
    return Model(facts["covariance"], facts["features"], weights, means, covariances)


def _numbers(value: Any, axes: int) -> NDArray[np.float64]:
    array = np.array(value, object)  # which keeps truth values and strings what they are
    if array.ndim != axes or not {type(number) for number in array.flat} <= {int, float}:
        raise ValueError(f"expected numbers along {axes} axes")
    numbers = array.astype(np.float64)
    if numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError("expected finite numbers")
    return numbers


@np.errstate(over="ignore")
def _require_mixture(
    weights: NDArray[np.float64], means: NDArray[np.float64], covariances: NDArray[np.float64]
) -> None:
    k, d = means.shape
    if weights.shape != (k,) or covariances.shape != (k, d, d):
        raise ValueError("shapes do not agree")
    if not ((weights > 0).all() and abs(weights.sum() - 1) < 1e-6):
        raise ValueError("weights must be positive and sum to 1")
    if not np.allclose(covariances, np.swapaxes(covariances, 1, 2), rtol=1e-9, atol=0):
        raise ValueError("covariances are not symmetric")
    try:
        np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError as error:
        raise ValueError("covariances are not positive definite") from error
