"""Model files: a fitted mixture as JSON, in the features' own units, and a reader that trusts nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option, shown
from emseg.features.specification import parse_spec
from emseg.mixture.components import require
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.gaussian import GaussianFamily
from emseg.mixture.families.outliers import OutlierFamily
from emseg.mixture.families.registry import family_of
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.records import record
from emseg.strict_json import json_bytes

FORMAT, VERSION = "emseg-model", 1
LARGEST_K, LARGEST_D = 4096, 256  # of a model that is read: its matrices take 2 GB
#: Beyond this squares of means overflow, and beyond its square variances: no image has such values, see `Feature`.
LARGEST_MEAN = 1e140
HEAD = ("format", "version", "family", "covariance", "features", "weights")
LIMITS = ("censored", "truncated")
NOISE = ("weight", "log_density")
AXES = {"covariances": 3, "scales": 3, "dof": 1}  # of the parameters; the others have two, K and D


@record(frozen=True, eq=False)
class Model:
    """What a model file holds: a mixture in the features' own units, and the specification of the features.

    Attributes
    ----------
    features : str
    mixture : Mixture
        Where features depend on each other its matrices are singular, and the densities are those of the pivots.
    pivots : tuple of int, optional
        The places of the first independent features, where others depend on them.
    """

    features: str
    mixture: Mixture
    pivots: tuple[int, ...] | None = field(default=None, kw_only=True)

    @property
    def independent(self) -> Mixture:
        """The mixture of the pivots; of all features where these are independent."""
        if self.pivots is None:
            return self.mixture
        return self.mixture.collapsed(np.array(self.pivots, np.intp), np.eye(len(self.pivots)), 0.0)


def model_json(report: Mapping[str, Any]) -> bytes:
    """The model that a report describes."""
    facts = {"format": FORMAT, "version": VERSION, "family": report["family"]}
    facts |= {"covariance": report["options"]["covariance"], "features": report["features"]["spec"]}
    if report.get("bounds"):
        facts["bounds"] = {key: report["bounds"][key] for key in LIMITS}
    if report["noise"]:
        facts["noise"] = {key: report["noise"][key] for key in NOISE}
    if "independent" in report["features"]:
        facts["pivots"] = [report["features"]["names"].index(name) for name in report["features"]["independent"]]
    return json_bytes(facts | {"weights": report["weights"]} | report["parameters"])


def mixture_json(features: str, mixture: Mixture, pivots: tuple[int, ...] | None = None) -> bytes:
    """The model file of a mixture in its features' own units."""
    k, family = mixture.n_classes, mixture.family.classes_only
    weights, parts = mixture.weights[:k], mixture.components[:k]
    facts: dict[str, Any] = {"format": FORMAT, "version": VERSION, "family": family.name}
    normal = getattr(family, "normal", family)
    facts |= {"covariance": normal.covariance.name if hasattr(normal, "covariance") else "full", "features": features}
    limits = getattr(family, "limits", None)
    if limits is not None:
        ends = (limits.low[0], limits.high[0]), (limits.least[0], limits.most[0])
        pairs = ([float(f"{end:.15g}") if np.isfinite(end) else None for end in pair] for pair in ends)
        facts["bounds"] = dict(zip(LIMITS, pairs, strict=True))
    log_density = mixture.family.outlier_log_density()
    if log_density is not None:
        facts["noise"] = {"weight": float(mixture.weights[-1]), "log_density": log_density}
    if pivots is not None:
        facts["pivots"] = list(pivots)
    parameters = {name: getattr(parts, name).tolist() for name in parts.parts()}
    return json_bytes(facts | {"weights": weights.tolist()} | parameters)


def parse_model(data: bytes, name: str) -> Model:
    """The model in the bytes of a file; `name` is what messages call it.

    Raises
    ------
    DataError
        If it is not one, or its numbers are not a mixture.
    """
    try:
        facts = json.loads(data)
        if not isinstance(facts, dict) or facts.get("format") != FORMAT or facts.get("version") != VERSION:
            raise ValueError("not a model of this version")
        kind = _family(facts).kind
        if set(facts) - {"noise", "bounds", "pivots"} != {*HEAD, *kind.parts()}:
            raise ValueError("unknown or missing keys")
        if not isinstance(facts["features"], str) or facts["covariance"] not in COVARIANCES:
            raise ValueError("unknown features or covariance")
        parse_spec(facts["features"])
        weights = _numbers(facts["weights"], 1)
        parts = kind(*(_numbers(facts[name], AXES.get(name, 2)) for name in kind.parts()))
        noise = _noise(facts["noise"]) if "noise" in facts else None
        pivots = _pivots(facts["pivots"], _columns(parts)) if "pivots" in facts else None
        _require_moderate(parts, pivots)
        _require_mixture(weights, parts, noise["weight"] if noise else 0.0, pivots)
        family = _family(facts)
        if "bounds" in facts:
            require(noise is None, "noise within bounds")
            family = _limited(family, facts["bounds"], _columns(parts))
        mixture = Mixture(weights / weights.sum() if noise else weights, parts, family)
        if noise:
            outliers = OutlierFamily(family, noise["log_density"], parts[:1])
            mixture = Mixture(*outliers.with_outliers(mixture.weights, parts, noise["weight"]), outliers)
    except (ValueError, TypeError, RecursionError, OverflowError, UsageError) as error:
        raise unusable(name, error) from error
    return Model(facts["features"], mixture, pivots=pivots)


def unusable(name: str, error: Exception) -> DataError:
    """The error of a file that holds no usable model, and why."""
    reason = shown(" ".join(str(getattr(error, "strerror", error)).split()))[:120]
    return DataError(f"{name}: not a usable model ({reason}); save one with {option('save', 'model')}")


def _family(facts: dict[str, Any]) -> Family:
    try:
        family = family_of(facts["family"], facts["covariance"])
    except KeyError:
        raise ValueError("unknown family or covariance") from None
    if "shares" not in facts:
        return family
    if "noise" in facts:
        raise ValueError("shares of what cannot be mixed")
    from emseg.mixture.families.partial_volume import PartialVolumeFamily

    return PartialVolumeFamily(GaussianFamily(family.normal_model("shares")))


def _limited(family: Family, value: Any, d: int) -> Family:
    """The family of samples within limits, which are null where there are none."""
    if not isinstance(value, dict) or set(value) != set(LIMITS):
        raise ValueError("unknown or missing keys of bounds")
    from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
    from emseg.mixture.families.sensor_limits import SensorLimits

    ends = []
    for name in LIMITS:
        if not isinstance(value[name], list) or len(value[name]) != 2:
            raise ValueError("expected two limits")
        numbers = zip(value[name], (-np.inf, np.inf), strict=True)
        low, high = (end if limit is None else float(_numbers([limit], 1)[0]) for limit, end in numbers)
        require(low < high, "limits must ascend")
        ends.append((low, high))
    return CensoredGaussianFamily(family.normal_model("bounds"), SensorLimits.of(d, *ends))


def _columns(parts: Any) -> int:
    return int(parts.means.shape[1])


def _numbers(value: Any, axes: int) -> NDArray[np.float64]:
    array = np.array(value, object)  # which keeps truth values and strings what they are
    if array.ndim != axes or not {type(number) for number in array.flat} <= {int, float}:
        raise ValueError(f"expected numbers along {axes} axes")
    numbers = array.astype(np.float64)
    if numbers.size == 0 or not np.isfinite(numbers).all():
        raise ValueError("expected finite numbers")
    return numbers


def _require_mixture(weights: NDArray[np.float64], parts: Any, noise: float, pivots: tuple[int, ...] | None) -> None:
    k, d = parts.means.shape
    require(
        k <= LARGEST_K and d <= LARGEST_D, f"{k} components of {d} features are more than {LARGEST_K} of {LARGEST_D}"
    )
    require(weights.shape == parts.means.shape[:1], "shapes do not agree")
    require(weights > 0, "weights must be positive")
    with np.errstate(over="ignore"):
        require(abs(weights.sum() + noise - 1) < 1e-6, "weights must sum to 1")
    (parts.collapsed(np.array(pivots, np.intp), np.eye(len(pivots))) if pivots else parts).check()


def _require_moderate(parts: Any, pivots: tuple[int, ...] | None) -> None:
    """Raise ValueError for numbers whose squares leave the range of numbers."""
    require(np.abs(parts.means) < LARGEST_MEAN, f"means must be below {LARGEST_MEAN:g}")
    for name in parts.parts():
        numbers = np.abs(getattr(parts, name))
        require(numbers < LARGEST_MEAN**2, f"{name} must be below {LARGEST_MEAN**2:g}")
    if parts.matrix_part:
        variances = np.einsum("kii->ki", getattr(parts, parts.matrix_part))
        variances = variances if pivots is None else variances[:, list(pivots)]
        require(np.abs(variances) > LARGEST_MEAN**-2, f"variances must be above {LARGEST_MEAN**-2:g}")


def _pivots(value: Any, d: int) -> tuple[int, ...]:
    places = [int(number) for number in _numbers(value, 1)]
    require(
        places == value and places == sorted(set(places)) and places[0] >= 0 and places[-1] < d, "impossible pivots"
    )
    return tuple(places)


def _noise(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) != set(NOISE):
        raise ValueError("unknown or missing keys of noise")
    weight, log_density = (float(number) for number in _numbers([value[key] for key in NOISE], 1))
    require(0 < weight < 1, "the weight of noise must lie between 0 and 1")
    return {"weight": weight, "log_density": log_density}
