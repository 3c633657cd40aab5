"""`MaskRule`: how the values of a mask count. Imports no numpy."""

from __future__ import annotations

from emseg.records import NamedRecord


class MaskRule(NamedRecord):
    """How the values of a mask count.

    Attributes
    ----------
    above : float or None
        Values above it are inside; None: those that are not 0.
    grow : int
        Pixels by which the inside grows in each direction; below 0 it shrinks.
    """

    above: float | None = None
    grow: int = 0


#: What is not 0 is inside.
NOT_ZERO = MaskRule()
