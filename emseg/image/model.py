"""`Image`: pixels in their own type, and the facts that results carry over from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.records import NamedRecord, record, replace

if TYPE_CHECKING:
    from emseg.image.place.pixel_size import PixelSize


#: Key in `Image.metadata`: nobody says that its channels are colours.
ASSUMED = "assumed_colours"


class Form(NamedRecord):
    """How a caller's array holds an image, so that results go back in the same form.

    Attributes
    ----------
    channel : int or None
        Its axis of channels; None where it has none.
    dtype : dtype
        Its type in the machine's byte order.
    alpha : bool
        Whether its last channel is the opacity.
    """

    channel: int | None
    dtype: np.dtype[Any]
    alpha: bool = False


@record(frozen=True, eq=False)
class Image:
    """An image as read: nothing scaled, nothing converted.

    Attributes
    ----------
    pixels : ndarray, shape (H, W, C)
        Stored values in their own integer or floating type. Treat as read-only.
    colour : {"gray", "rgb", "bands"}
        What the channels mean: one grey value, sRGB, or C unnamed bands.
    valid : ndarray of bool, shape (H, W), or None
        False where there is no data (alpha 0, NaN); None where every pixel counts.
    name : str
        How messages call this image.
    sha256 : str or None
        Digest of the file's bytes, in hexadecimal.
    metadata : mapping
        What writers carry over: "resolution" (x, y) in dots per inch, "geotiff" {tag: stored value}, "nodata" as text,
        "icc", the bytes of a colour profile, "pixel_size", see there, and "software", what told it:
        "imagej" or "ome".
        Of JPEG files: "quantisation" {number of the table: 64 steps, row by row}.
        Of arrays: "assumed_colours", if nobody says that three channels are colours.
        Of images computed from another one: "steps", by channel, between values of that one.
        Of a volume: "volume" (Z, Y, X), whose slices are below one another in `pixels`, and "nifti", its header,
        or "affine" (4, 4), the map from indices x, y and z to millimetres. Of a slice: "slice", its place in a series.
    packed : ndarray of uint32, shape (H, W), or None
        For 8-bit RGB the same memory as `pixels`, one word a pixel: R + 256 G + 65536 B; the top byte is undefined.
    alpha : ndarray, shape (H, W), or None
        Opacity as stored, in the type of the pixels, for writers of pictures.
    known : ndarray of bool, shape (H, W, C), or None
        False where a channel holds no number; None where a pixel's channels are all known or all not, as `valid` says.
    notices : tuple of str
        What was left out, guessed or ignored of the file, a line each, with the option that decides it as
        `emseg.errors.option` marks it. Lines do not name the image. They come into reports and onto the terminal.
    form : Form or None
        Of an image that a caller handed over as an array, the array's form.
    channels : tuple of int
        Which channels of the file these are, from 1; empty for all of them.
    channel_names : tuple of str
        What the file calls its channels; empty if it does not say.
    taken : mapping
        What else was taken of the file, for reports: "page", "pages" and "axes" where there are several pages or more
        than plain ones, "files" of a stack.
    """

    pixels: NDArray[Any]
    colour: str
    valid: NDArray[np.bool_] | None = None
    name: str = "image"
    sha256: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    packed: NDArray[np.uint32] | None = None
    alpha: NDArray[Any] | None = None
    known: NDArray[np.bool_] | None = None
    notices: tuple[str, ...] = ()
    form: Form | None = None
    channels: tuple[int, ...] = ()
    channel_names: tuple[str, ...] = ()
    taken: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        size, channels = " × ".join(map(str, self.extent)), self.pixels.shape[2]
        lost = "" if self.valid is None else f", {int(np.count_nonzero(~self.valid))} pixels without data"
        return f"Image of {self.name}: {size}, {self.colour}, {channels} × {self.pixels.dtype}{lost}"

    def with_notices(self, *lines: str) -> Image:
        """The image with further lines that the user should read, each once."""
        return replace(self, notices=tuple(dict.fromkeys((*self.notices, *lines)))) if lines else self

    @property
    def as_given(self) -> NDArray[Any]:
        """The pixels in the form of the caller's array: shape, type and alpha; of a file, shape (*grid, C)."""
        pixels = self.pixels
        if self.form is None:
            return pixels.reshape(*self.grid, -1)
        if self.form.alpha and self.alpha is not None:
            pixels = np.concatenate([pixels, self.alpha[:, :, None]], axis=2)
        pixels = pixels.reshape(*self.grid, -1)
        if self.form.channel is None:
            return pixels[..., 0].astype(self.form.dtype, copy=False)
        return np.moveaxis(pixels, -1, self.form.channel).astype(self.form.dtype, copy=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def grid(self) -> tuple[int, ...]:
        """Height and width; of a volume the numbers of its slices, rows and columns (Z, H, W)."""
        return tuple(self.metadata.get("volume", self.shape))

    def in_space(self, planes: NDArray[Any]) -> NDArray[Any]:
        """Values of the pixels (..., H, W), or (..., Z · H, W) of a volume, as (..., *grid); no copy is made."""
        return planes.reshape(*planes.shape[:-2], *self.grid)

    @property
    def extent(self) -> list[int]:
        """Width and height; of a volume the lengths of its axes x, y and z."""
        return list(self.metadata.get("volume", self.shape))[::-1]

    @property
    def source(self) -> dict[str, Any]:
        """What reports say of the file: its path, its digest, and what was taken of it."""
        chosen = {"channels": list(self.channels)} if self.channels else {}
        named = {"channel_names": list(self.channel_names)} if self.channel_names else {}
        return {"path": self.name, "sha256": self.sha256, **self.taken, **chosen, **named}

    @property
    def pixel_size(self) -> PixelSize | None:
        """The lengths of a pixel's sides in a named unit, if the file tells them."""
        return self.metadata.get("pixel_size")

    @classmethod
    def from_array(cls, array: NDArray[Any], valid: NDArray[np.bool_] | None = None, name: str = "array") -> Image:
        """Wrap an array (H, W) or (H, W, C); three channels are taken as sRGB, non-finite pixels as missing.

        Raises
        ------
        ImageError
            If the array has no pixels, another number of axes, or values that are not real numbers.
        """
        pixels = np.asarray(array)
        if pixels.dtype == np.bool_:
            pixels = pixels.astype(np.uint8)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.ndim != 3 or pixels.size == 0 or pixels.dtype.kind not in "uif":
            got = f"{pixels.dtype} {pixels.shape}"
            raise ImageError(f"{name}: expected real numbers of shape (H, W) or (H, W, C), got {got}; convert it first")
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        colour = {1: "gray", 3: "rgb"}.get(pixels.shape[2], "bands")
        known = None
        if pixels.dtype.kind == "f":
            finite = np.isfinite(pixels)
            whole = finite.all(axis=2)
            if not whole.all() and not np.array_equal(whole, finite.any(axis=2)):
                known = finite if valid is None else finite & valid[:, :, None]
            valid = whole if valid is None else valid & whole
        if valid is not None and valid.all():
            valid = None
        return cls(pixels, colour, valid, name, known=known)
