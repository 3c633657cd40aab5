"""Tables of samples, (N, D): arrays, and data frames of pandas, which are known by what they have."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, ImageError
from emseg.features.model import Features
from emseg.features.pixel_index import PixelIndex
from emseg.image.arrays.array_like import as_given, is_pillow
from emseg.image.model import Form, Image
from emseg.image.read import Source
from emseg.records import NamedRecord

Array = NDArray[np.float64]
#: Variance of a column relative to that of all its values, below which components do not shrink where values have no
#: step. Classes that lie a thousand of their widths apart keep their widths to a percent.
STEPLESS = 1e-8
SINGLE = 1.2e-7  # relative rounding of numbers that were in single precision
NUMBERS = "give rows and columns of numbers"


class Table(NamedRecord):
    """Samples in rows.

    Attributes
    ----------
    values : ndarray, shape (N, D)
        NaN where a value is missing.
    columns : tuple of str
        Their names; those of an array are their numbers from 0.
    frame : DataFrame or None
        What the table came as, if that has an index and names.
    form : Form or None
        Where an image was given as an array, its form; `values` is then (H, W, C).
    """

    values: Array
    columns: tuple[str, ...]
    frame: Any = None
    form: Form | None = None

    def called(self, j: int) -> str:
        """What messages call a column."""
        return f"column {self.columns[j]}{'' if self.frame is not None else ' (from 0)'}"

    def like(self, values: NDArray[Any]) -> Any:
        """Values of the same shape in the form that the table came in: with its index and the names of its columns."""
        if self.form is not None:
            return values[..., 0] if self.form.channel is None else np.moveaxis(values, -1, self.form.channel)
        if self.frame is None:
            return values
        return type(self.frame)(values, index=self.frame.index, columns=self.frame.columns)


def is_frame(data: object) -> bool:
    """Whether this is a data frame of pandas, or of a library that is like it."""
    return all(hasattr(data, name) for name in ("columns", "index", "iloc"))


def looks_like_table(data: Any, d: int) -> bool:
    """Whether this is a table of D columns: a data frame, or what has two axes and D columns and is no image."""
    return is_frame(data) or (has_axes(data, 2) and _shape(data)[1] == d)


def has_axes(data: Any, count: int) -> bool:
    """Whether this has so many axes, and is no image by its type."""
    if isinstance(data, Image | Source | str | bytes | os.PathLike) or is_pillow(data) or hasattr(data, "read"):
        return False
    return len(_shape(data)) == count


def _shape(data: Any) -> tuple[int, ...]:
    try:
        shape = getattr(data, "shape", None)
        return tuple(np.shape(data) if shape is None else shape)
    except (TypeError, ValueError):
        return ()


def as_table(data: Any) -> Table:
    """The table that a caller gave: an array-like of shape (N, D), or a data frame.

    Raises
    ------
    DataError
        If it has no rows or columns, or values that are no numbers, or infinite.
    """
    if is_frame(data):
        found = Table(_frame_values(data), tuple(str(name) for name in data.columns), data)
    elif hasattr(data, "to_frame") and hasattr(data, "index"):
        raise DataError(f"table: is a single column; {NUMBERS}, as data.to_frame()")
    elif isinstance(data, Image | Source | str | os.PathLike) or is_pillow(data):
        raise DataError(f"table: is an image; {NUMBERS}, or use emseg.segment(image).model")
    else:
        try:
            given = as_given(data, "table")
        except ImageError as error:
            raise DataError(f"{str(error).partition('; ')[0]}; {NUMBERS}") from error
        if given.array.ndim != 2:
            more = ", as data[:, None]" if given.array.ndim == 1 else ""
            raise DataError(f"table: has the shape {given.array.shape}; {NUMBERS}{more}")
        found = Table(given.with_nan(), tuple(map(str, range(given.array.shape[1]))))
    if found.values.size == 0:
        raise DataError(f"table: is empty, of shape {found.values.shape}; {NUMBERS}")
    if np.isinf(found.values).any():
        raise DataError("table: holds infinite values; mark what is unknown as NaN")
    return found


def _frame_values(data: Any) -> Array:
    """The numbers of a data frame, column by column, NaN for whatever it calls missing."""
    values = np.empty((len(data), len(data.columns)))
    for j, name in enumerate(data.columns):
        column = data.iloc[:, j]
        kind = getattr(column.dtype, "kind", "O")
        try:
            if kind in "mMc" or (kind not in "buif" and any(isinstance(value, str | bytes) for value in column)):
                raise TypeError
            values[:, j] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            remedy = "leave it out, or turn it into numbers"
            raise DataError(f"table: column {name!r} holds {column.dtype}, no numbers; {remedy}") from error
    return values


def table_features(table: Table, weight: Array | None, *, by_column: bool, standard: bool) -> Features:
    """The columns of a table as features, to be fitted like those of an image of N × 1 pixels.

    Parameters
    ----------
    table : Table
    weight : ndarray, shape (N,), optional
        How often each row counts. Rows that do not count, or of which nothing is known, are left out.
    by_column : bool
        Whether each column is scaled to variance 1 by itself; else by one common number, which keeps what is a ball.
    standard : bool
        False to leave the columns in their own units.

    Raises
    ------
    DataError
        If a column is unknown or the same in every row that counts.
    """
    counts = np.ones(len(table.values)) if weight is None else weight
    used = (counts > 0) & ~np.isnan(table.values).all(1)
    if not used.any():
        raise DataError("table: no row has a value and a weight above 0; check it")
    x, counts = np.ascontiguousarray(table.values[used].T), counts[used]
    require_varying(table, x)
    d = len(x)
    shift, scale, unit = np.zeros(d), np.ones(d), np.ones(d)
    share = np.where(np.isnan(x), 0, counts)
    share /= share.sum(1, keepdims=True)
    mean = np.nansum(x * share, axis=1)
    variance = np.nansum((x - mean[:, None]) ** 2 * share, axis=1)
    if standard:
        shift = mean
        scale = np.sqrt(variance if by_column else np.full(d, variance.mean()))
        unit = np.sqrt(variance) / scale
    grain = (np.array([step_of(row) for row in x]) ** 2 / 12 + STEPLESS * variance) / scale**2
    x = (x - shift[:, None]) / scale[:, None]
    index, shape = PixelIndex(None if used.all() else used), (len(used), 1)
    return Features(x, counts, index, table.columns, shift, scale, unit, shape, "bands", grain=np.diag(grain))


def step_of(values: Array) -> float:
    """The largest power of ten that known values are multiples of, from 1e-6 to 1e6; 0 where there is none."""
    known = values[~np.isnan(values)]
    largest, range_ = float(np.abs(known).max(initial=0)), float(np.ptp(known)) if known.size else 0.0
    for exponent in range(6, -7, -1):
        step = float(10.0**exponent)
        scaled, tolerance = known / step, 1e-4 + SINGLE * largest / step
        off = float(np.abs(scaled - np.rint(scaled)).max(initial=0))
        if range_ >= step / 2 and (off == 0 or off < tolerance < 0.1):
            return step
    return 0.0


def require_varying(table: Table, x: Array) -> None:
    """Raise DataError unless every column of planar samples x (D, N) has two different values."""
    unknown = np.isnan(x).all(1)
    if unknown.any():
        raise DataError(f"table: {table.called(int(unknown.argmax()))} is unknown in every row; leave it out")
    low, high = np.nanmin(x, axis=1), np.nanmax(x, axis=1)
    if (low == high).any():
        j = int((low == high).argmax())
        raise DataError(f"table: {table.called(j)} is {low[j]:g} wherever it is known; leave it out")
