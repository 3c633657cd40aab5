"""Options that several commands declare: which values and pixels hold data. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from emseg.errors import option as spelled
from emseg.options.declaration import PIXELS, declared
from emseg.options.kinds.basic_kinds import Number, Optional, Whole
from emseg.options.kinds.value_lists import Values


def nodata(commands: str) -> Any:
    """Stored values that hold no data."""
    label = "such pixels get label 0"
    known = f"unless {spelled('missing', 'em')} uses their other channels"
    return declared(
        Values(), (), PIXELS,
        "Stored values that mean no data, besides what the file declares; each counts in every channel that has it. "
        f"{label.capitalize()}, {known}.", commands,
        helps={
            name: "Stored values that mean no data, besides what the file declares. " + what
            for name, what in (
                ("denoise", "Such pixels stay as they are and have no influence."),
                ("inpaint", f"Such pixels have no influence. They are filled by {spelled('mask', 'nodata')}, and "
                 "where no mask is given."),
                ("impute", "They become missing values."),
            ) if name in commands.split()
        },
    )  # fmt: skip


def mask_above(commands: str, group: str = PIXELS) -> Any:
    """Which values of a mask are inside."""
    rest = "Unless given, what is not 0 is; of JPEG and its kin what is above half of the largest value."
    return declared(
        Optional(Number("a finite number", metavar="V")), None, group,
        f"What is above V in the mask is used, as 127. {rest}", commands,
        helps={"inpaint": f"What is above V in the mask is filled, as 127. {rest}"} if "inpaint" in commands else {},
    )  # fmt: skip


def grow(commands: str, group: str = PIXELS) -> Any:
    """By how much the inside of a mask grows."""
    rest = "by N pixels in each direction, in volumes N voxels; below 0 it shrinks."
    return declared(
        Whole(None), 0, group, f"Let what is used by the mask grow {rest}", commands,
        helps={"inpaint": f"Let what is filled grow {rest}"} if "inpaint" in commands else {},
    )  # fmt: skip
