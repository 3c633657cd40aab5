"""Every feature by its name: the one list that options, checks, documentation and tests read.

To add a feature, write a file in `emseg/features/kinds/` with a `FEATURE` (an `emseg.features.feature.Feature`), and
add a line to `FEATURES`. Importing this module imports no numpy; `feature_of` loads what it names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.features.feature import Feature


class Entry(NamedRecord):
    """A feature before it is loaded. A named tuple, because making a data class takes a millisecond of every start.

    Attributes
    ----------
    module : str
        Below `emseg.features.kinds`; has a `FEATURE`.
    summary : str
        What the feature means, in one line.
    colours : tuple of {"gray", "rgb", "bands"}
        Which images have the channels for it, by `Image.colour`.
    default_for : tuple of {"gray", "rgb", "bands"}
        Of which images it is the feature that ``"auto"`` stands for.
    weight : float
        Its weight where none is given: its spread after standardising.
    """

    module: str
    summary: str
    colours: tuple[str, ...] = ("gray", "rgb", "bands")
    default_for: tuple[str, ...] = ()
    weight: float = 1.0


FEATURES: dict[str, Entry] = {
    "lab": Entry(
        "lab",
        "CIE L*a*b* (D65, 2°): distances are roughly those people see; the default for colour",
        ("rgb",),
        default_for=("rgb",),
    ),
    "rgb": Entry("rgb", "the stored red, green and blue values", ("rgb",)),
    "gray": Entry(
        "gray",
        "the stored grey value, or the ITU-R 709 luma of a colour image",
        ("gray", "rgb"),
        default_for=("gray",),
    ),
    "hsv": Entry("hsv", "saturation·cos(hue), saturation·sin(hue), value", ("rgb",)),
    "hue": Entry("hue", "angle of the hue in radians, for von Mises components", ("rgb",)),
    "chroma": Entry("chroma", "log-chromaticity: the colour of a surface, however much light falls on it", ("rgb",)),
    "bands": Entry("bands", "every channel as stored", default_for=("bands",)),
    "xy": Entry("xy", "pixel column and row"),
    "texture": Entry("texture", "what the neighbourhood looks like, whatever its brightness"),
}
#: The feature that "auto" stands for, by what the image's channels mean.
DEFAULT = {colour: name for name, entry in FEATURES.items() for colour in entry.default_for}


def feature_of(name: str) -> Feature:
    """The feature of that name; KeyError if there is none."""
    feature: Feature = import_module(f"emseg.features.kinds.{FEATURES[name].module}").FEATURE
    return feature
