"""How large a pixel or voxel is in the world."""

from __future__ import annotations

import math
from collections.abc import Sequence

from emseg.records import NamedRecord

#: Lengths of a unit in metres (BIPM, SI brochure, 2019; NIST Handbook 44, appendix C, for inch and foot).
METRES = {
    "pm": 1e-12,
    "Å": 1e-10,
    "nm": 1e-9,
    "µm": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "km": 1e3,
    "inch": 0.0254,
    "foot": 0.3048,
    "US survey foot": 1200 / 3937,
}
#: What programs call units, in lower case: ImageJ, OME (schema 2016-06, UnitsLength), ENVI.
_SPELLINGS = {
    **{name.lower(): name for name in METRES},
    **dict.fromkeys(("um", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometers", "micrometre"), "µm"),
    **dict.fromkeys(("angstrom",), "Å"),
    **dict.fromkeys(("nanometer", "nanometers", "nanometre"), "nm"),
    **dict.fromkeys(("millimeter", "millimeters", "millimetre"), "mm"),
    **dict.fromkeys(("centimeter", "centimeters", "centimetre"), "cm"),
    **dict.fromkeys(("meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("kilometer", "kilometers", "kilometre"), "km"),
    **dict.fromkeys(("in", "inches", '"'), "inch"),
    **dict.fromkeys(("feet", "ft"), "foot"),
    **dict.fromkeys(("degree", "degrees"), "degree"),
}


class PixelSize(NamedRecord):
    """The lengths of a pixel's or a voxel's sides.

    Attributes
    ----------
    lengths : tuple of float
        Along the rows' axis y and along x; of a volume along z, y and x. All are positive and finite.
    unit : str
        A name of `METRES`, or ``"degree"`` for images in longitude and latitude, where areas are not lengths' products.
    """

    lengths: tuple[float, ...]
    unit: str

    @property
    def is_length(self) -> bool:
        """Whether products of the lengths are areas and volumes."""
        return self.unit in METRES


def pixel_size(lengths: Sequence[float], unit: str) -> PixelSize | None:
    """The size of a pixel along y and x, or z, y and x; None where lengths or unit make no sense."""
    found = tuple(float(length) for length in lengths)
    known = _SPELLINGS.get(unit.strip().lower())
    fine = known is not None and all(0 < length < math.inf for length in found)
    return PixelSize(found, known) if fine and known else None
