"""`Parts`: samples in memory, in several parts that several processes can work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import pairwise
from typing import Any

import numpy as np

from emseg.mixture.family import Real
from emseg.mixture.samples import DRAW_BLOCK, Part, Places, Rows, Samples
from emseg.records import record


@record(frozen=True, eq=False)
class Parts(Samples):
    """Samples in memory, in several parts.

    Attributes
    ----------
    each : tuple of Rows
        In the order of their places.
    """

    each: tuple[Rows, ...]
    weight: Real = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", np.concatenate([rows.weight for rows in self.each]))

    def parts(self) -> Sequence[Part]:
        """The parts."""
        return self.each

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return self.each[0].d

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """Type of the samples, which is also the precision of the E-step."""
        return self.each[0].dtype

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return all(rows.complete for rows in self.each)

    @property
    def observed(self) -> Parts:
        """The samples of which something was observed."""
        return Parts(
            tuple(rows.observed for rows in self.each if not np.isnan(rows.x).all()) or (self.each[0].observed,)
        )

    def take(self, places: Places) -> Rows:
        """Rows by their places among all rows; one may come several times."""
        ends = np.cumsum([rows.n_rows for rows in self.each])
        owner = np.searchsorted(ends, places, side="right")
        x = np.empty((self.d, places.size), self.dtype)
        for i, rows in enumerate(self.each):
            here = owner == i
            x[:, here] = rows.x[:, places[here] - (ends[i] - rows.n_rows)]
        return Rows(x, self.weight[places])

    def dealt(self, count: int) -> tuple[Samples, ...]:
        """So many lots: the row at place i goes to lot i modulo `count`."""
        lots = zip(*(rows.dealt(count) for rows in self.each), strict=True)
        return tuple(Parts(tuple(rows for rows in lot if rows.n_rows)) for lot in lots)


def cut(rows: Rows, count: int) -> Parts:
    """Rows in at most so many parts of about equal length, each of whole blocks of draws but for the last.

    Parameters
    ----------
    rows : Rows
        All samples, from place 0 on.
    count : int
    """
    blocks = -(-rows.n_rows // DRAW_BLOCK)
    ends = sorted({min(DRAW_BLOCK * (blocks * i // count), rows.n_rows) for i in range(count)} | {rows.n_rows})
    return Parts(tuple(rows.between(a, b) for a, b in pairwise(ends)))
