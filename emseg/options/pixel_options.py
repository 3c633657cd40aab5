"""Options that several commands declare: which values and pixels hold data. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from emseg.errors import option as spelled
from emseg.options.declaration import declared
from emseg.options.groups import PIXELS
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
