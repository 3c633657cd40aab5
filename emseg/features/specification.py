"""What `--features` may say: `lab,xy:0.5,texture:2`. Imports nothing heavy, so a typing error is answered at once."""

from __future__ import annotations

import math

from emseg.errors import UsageError

#: What each name means, for help texts and messages.
FEATURES = {
    "lab": "CIE L*a*b* (D65, 2°): distances are roughly those people see; the default for colour",
    "rgb": "the stored red, green and blue values",
    "gray": "the stored grey value, or the ITU-R 709 luma of a colour image",
    "hsv": "saturation·cos(hue), saturation·sin(hue), value",
    "hue": "angle of the hue in radians, for --family von-mises",
    "chroma": "log-chromaticity: the colour of a surface, however much light falls on it",
    "bands": "every channel as stored",
    "xy": "pixel column and row",
    "texture": "what the neighbourhood looks like, whatever its brightness",
}
DEFAULT = {"gray": "gray", "rgb": "lab", "bands": "bands"}
_NEED_COLOUR = {"lab", "rgb", "hsv", "hue", "chroma"}


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
            raise UsageError(f"--features: unknown name {name!r}; choose from auto, {', '.join(FEATURES)}")
        if name in weights:
            raise UsageError(f"--features: {name} is given twice; name it once, with a weight if it should count more")
        if colour not in (None, "rgb") and (name in _NEED_COLOUR or (name == "gray" and colour == "bands")):
            kind = "grey" if colour == "gray" else "multi-band"
            raise UsageError(f"--features: {name} does not fit a {kind} image; use --features {DEFAULT[str(colour)]}")
        weights[name] = _weight(name, number) if colon else 1.0
    return weights


def format_spec(weights: dict[str, float]) -> str:
    """The shortest spelling that `parse_spec` reads back to the same weights."""
    return ",".join(name if weight == 1 else f"{name}:{weight:.17g}" for name, weight in weights.items())


def _weight(name: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 1e-3 <= weight <= 1e3:
        raise UsageError(
            f"--features: the weight of {name} must be a positive number from 0.001 to 1000, not {number!r}"
        )
    return weight
