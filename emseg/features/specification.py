"""What the option `features` may say: `lab,xy:0.5,texture:2`. Imports no numpy, so errors are answered at once."""

from __future__ import annotations

import math

from emseg.errors import UsageError, option
from emseg.features.registry import DEFAULT, FEATURES

LIGHTEST, HEAVIEST = 1e-3, 1e3  # weights; beyond them a feature decides nothing, or everything
FEATURES_OPTION = option("features")


def parse_spec(spec: str, colour: str | None = None) -> dict[str, float]:
    """Feature names and their weights, in the order given.

    Parameters
    ----------
    spec : str
        Comma-separated names of `FEATURES`, each with an optional weight: ``"lab,xy:0.5"``; or ``"auto"``.
    colour : {"gray", "rgb", "bands"}, optional
        What the image's channels mean (`Image.colour`). Without it only the spelling is judged.

    Raises
    ------
    UsageError
        For an unknown or repeated name, a weight that is no positive number, or a name the image has no channels for.
    """
    weights: dict[str, float] = {}
    for part in spec.split(","):
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if name == "auto":
            name = DEFAULT[colour] if colour else name
        elif name not in FEATURES:
            raise UsageError(f"{FEATURES_OPTION}: unknown name {name!r}; choose from auto, {', '.join(FEATURES)}")
        if name in weights:
            remedy = "name it once, with a weight if it should count more"
            raise UsageError(f"{FEATURES_OPTION}: {name} is given twice; {remedy}")
        if colour is not None and colour not in FEATURES[name].colours:
            kind = "grey" if colour == "gray" else "multi-band"
            remedy = option("features", DEFAULT[colour])
            raise UsageError(f"{FEATURES_OPTION}: {name} does not fit a {kind} image; use {remedy}")
        weights[name] = _weight(name, number) if colon else FEATURES[name].weight if name in FEATURES else 1.0
    return weights


def format_spec(weights: dict[str, float]) -> str:
    """The shortest spelling that `parse_spec` reads back to the same weights."""
    return ",".join(name if weight == 1 else f"{name}:{weight:.17g}" for name, weight in weights.items())


def _weight(name: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not LIGHTEST <= weight <= HEAVIEST:
        limits = f"from {LIGHTEST:g} to {HEAVIEST:g}"
        raise UsageError(f"{FEATURES_OPTION}: the weight of {name} must be a positive number {limits}, not {number!r}")
    return weight
