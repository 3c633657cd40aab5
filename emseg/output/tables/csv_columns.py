"""Columns of numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from emseg.output.segmented import Segmented


def regions_file(result: Segmented) -> bytes:
    """The table of connected regions."""
    return table_csv(result.regions.table if result.regions else {})


def table_csv(columns: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Encode columns of one length under their names: whole numbers as such, others to seven digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    shown = [
        [str(value) for value in column.tolist()]
        if column.dtype.kind in "ui"
        else [f"{value:.7g}" for value in column.tolist()]
        for column in columns.values()
    ]
    writer.writerows(zip(*shown, strict=True))
    return text.getvalue().encode()
