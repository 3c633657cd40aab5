"""What Python callers hand over for an array: anything that NumPy can read, with its mask and the names of its axes.

No library is imported for it. PIL images, masked arrays, xarray's arrays and sparse matrices are known by what they
have.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, option
from emseg.records import NamedRecord

#: What an axis is, by the names that xarray's users give it: Y and X of the picture, C for channels, Z for slices, and
#: T for pictures one after another.
_AXES = {
    "T": ("t", "time", "date", "frame", "frames", "scene"),
    "Y": ("y", "lat", "latitude", "row", "rows", "height", "northing", "line", "lines", "v"),
    "X": ("x", "lon", "longitude", "column", "columns", "col", "cols", "width", "easting", "sample", "samples", "u"),
    "C": ("c", "s", "band", "bands", "channel", "channels", "variable", "rgb", "rgba", "colour", "color", "wavelength"),
    "Z": ("z", "depth", "slice", "slices", "plane", "planes", "altitude", "level"),
}
AXIS_OF = {name: axis for axis, names in _AXES.items() for name in names}
_NO_DATA = ("_FillValue", "nodata", "missing_value", "nodatavals")  # attributes that say which value is none
_KINDS = {"c": "complex numbers", "O": "objects", "U": "texts", "S": "texts", "T": "texts", "V": "records"}
NUMBERS = "buif"
LARGEST = 2**53  # integers that a double holds exactly


class Given(NamedRecord):
    """An array as a caller gave it.

    Attributes
    ----------
    array : ndarray
        Real numbers or truth values, in the machine's byte order. It may be the caller's memory: treat as read-only.
    known : ndarray of bool, of the same shape, or None
        False where the caller has masked a value; None where none is.
    axes : str
        Where the caller's object names its axes, a letter for each: P for a place in the picture or the volume, C for
        the channels. Else empty.
    type_given : dtype or None
        The caller's type where it is not the array's own.
    """

    array: NDArray[Any]
    known: NDArray[np.bool_] | None = None
    axes: str = ""
    type_given: np.dtype[Any] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that the caller gave, in the machine's byte order."""
        return self.array.dtype if self.type_given is None else self.type_given

    def with_nan(self) -> NDArray[np.float64]:
        """The numbers as floats, NaN where masked."""
        numbers = self.array.astype(np.float64)
        return numbers if self.known is None else np.where(self.known, numbers, np.nan)


def is_pillow(data: object) -> bool:
    """Whether this is an image of PIL."""
    return any(base.__module__ == "PIL.Image" and base.__name__ == "Image" for base in type(data).__mro__)


def is_nibabel(data: object) -> bool:
    """Whether this is a volume that nibabel has loaded."""
    return any(base.__module__ == "nibabel.spatialimages" for base in type(data).__mro__)


def as_given(data: Any, name: str) -> Given:
    """The numbers of whatever NumPy can read.

    Parameters
    ----------
    data : array-like
        An array, a list, or anything with `__array__`: tensors in the memory of the processor, xarray, dask, zarr.
    name : str
        What messages call it.

    Raises
    ------
    ImageError
        If it holds no real numbers, or its library refuses to hand them over.
    """
    axes = _named_axes(data, name)
    try:
        if hasattr(data, "toarray") and not isinstance(data, np.ndarray):  # sparse matrices
            data = data.toarray()
        found = np.asanyarray(data.values if axes else data)
    except MemoryError:
        raise
    except Exception as error:  # each library has its own reasons, as a tensor on a graphics card
        uneven = isinstance(data, (list, tuple)) and isinstance(error, ValueError)
        reason = "its rows differ in length" if uneven else _reason(error)
        raise ImageError(f"{name}: cannot be read as an array ({reason}); {_remedy(data)}") from error
    known = _known(found)
    array = found.view(np.ndarray)
    if array.dtype.kind not in NUMBERS:
        what = _KINDS.get(array.dtype.kind, f"values of type {array.dtype}")
        raise ImageError(f"{name}: holds {what}, of shape {array.shape}; {_remedy(data, array.dtype.kind)}")
    if axes:
        known = _declared(data, array, known)
        single = tuple(place for place, axis in enumerate(axes) if axis == " ")
        array, axes = array.squeeze(single), axes.replace(" ", "")
        known = None if known is None else known.squeeze(single)
    known = None if known is None or known.all() else known
    given = array.dtype.newbyteorder("=")
    return Given(array.astype(_sound_type(array.dtype), copy=False), known, axes, given)


def whole_numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Values as integers, with 0 for NaN, if they are whole numbers; else as they are."""
    if values.dtype == np.bool_:
        return values.astype(np.uint8)
    if values.dtype.kind != "f" or not values.size:
        return values
    whole = np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)
    exact = float(np.abs(whole).max()) < LARGEST and bool((whole == np.rint(whole)).all())
    return whole.astype(np.int64) if exact else values


def _sound_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type to work with: in the machine's byte order, floats of 32 or 64 bits."""
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return dtype.newbyteorder("=")


def _known(found: Any) -> NDArray[np.bool_] | None:
    """Where the masks of NumPy and of astropy leave values; None without a mask."""
    mask = getattr(found, "mask", None)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        return None
    return ~np.broadcast_to(mask, found.shape)


def _declared(data: Any, array: NDArray[Any], known: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Where values are not those that an xarray object declares to be no data."""
    stated = [data.attrs[key] for key in _NO_DATA if key in getattr(data, "attrs", {})]
    values = [value for entry in stated for value in np.ravel(entry) if isinstance(value, (int, float, np.number))]
    for value in values:
        there = array != value
        known = there if known is None else known & there
    return known


def _named_axes(data: Any, name: str) -> str:
    """The axes of an xarray object: P for places, C for channels, a blank for others of length 1; empty for the rest.

    Raises
    ------
    ImageError
        If its names leave open which axes are those of the picture.
    """
    if not (hasattr(data, "dims") and hasattr(data, "coords")):
        return ""
    if not hasattr(data, "values") or callable(data.values):
        raise ImageError(f"{name}: is a set of several arrays; give one of them, or data.to_dataarray()")
    dims = [str(dim) for dim in data.dims]
    axes = [AXIS_OF.get(dim.lower(), "?") for dim in dims]
    axes = [" " if size == 1 and axis in "?T" else axis for size, axis in zip(data.shape, axes, strict=True)]
    if "T" in axes:
        time = dims[axes.index("T")]
        raise ImageError(f"{name}: has {time} as a dimension; select one, as data.isel({time}=0), or rename it to band")
    letters = [axis for axis in axes if axis != " "]
    if len(letters) == 3 and letters.count("?") == 1 and "C" not in letters:
        axes[axes.index("?")] = "C"  # what is no place in the picture is what is measured there
    elif "?" in letters and len(letters) - letters.count("C") == 2:
        axes = ["P" if axis == "?" else axis for axis in axes]
    places = [axis for axis in axes if axis in "YXZP"]
    named = [axis for axis in axes if axis in "YXZC"]
    if len(places) not in (2, 3) or "?" in axes or len(set(named)) < len(named):
        raise ImageError(
            f"{name}: has the dimensions {', '.join(dims)}; rename them to y, x and band, as data.rename(...)"
        )
    return "".join("P" if axis in "YXZ" else axis for axis in axes)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__


def _remedy(data: Any, kind: str = "") -> str:
    if kind == "c":
        return "give abs(data), or its real and imaginary parts as channels"
    if hasattr(data, "detach"):
        return "give data.detach().cpu()"
    if isinstance(data, (list, tuple)) and any(isinstance(part, str) for part in data):
        return f"give one path at a time, or all of them as one image with {option('stack', True)}"
    return "give real numbers of shape (H, W) or (H, W, C)"
