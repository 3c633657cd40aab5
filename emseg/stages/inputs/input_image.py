"""From what a caller gives to an image and a mask: paths are read, arrays and images of other libraries are wrapped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emseg.errors import DataError, ImageError, UsageError, option
from emseg.execution import steps
from emseg.image.file_bytes import MAX_BYTES
from emseg.image.limits import ANY_FOURTH, Fourth, Reading, Working
from emseg.image.mask_rule import NOT_ZERO, MaskRule
from emseg.image.model import Image
from emseg.image.read import Source, read_image, read_mask
from emseg.options.declarations.reading import ReadingOptions
from emseg.records import replace


class HasImage(Protocol):
    """What the results of emseg have."""

    @property
    def image(self) -> Image:
        """The image."""


class HasArray(Protocol):
    """What PIL's images have, and whatever else lends its memory to NumPy."""

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Where the numbers are."""


Path = str | os.PathLike[str]
#: What a caller may give for a mask or a label map: a path, or whatever NumPy can read.
MaskLike = ArrayLike | HasArray | Path
#: What a caller may give for an image: besides, one that is read already or still to be, a result, a file or its bytes.
ImageLike = MaskLike | Image | Source | HasImage | IO[bytes] | bytes | Sequence[Path | Image | Source]

#: What may be given for a mask by name: the opacity of the image itself.
ALPHA = "alpha"
#: Nothing is said of pages, axes or channels.
PLAIN = ReadingOptions()


def as_image(
    image: ImageLike, working: Working | None = None, reading: ReadingOptions = PLAIN, fourth: Fourth = ANY_FOURTH
) -> Image:
    """Read a path, a file or a `Source`, wrap an array, or pass an image on.

    Parameters
    ----------
    image : Image, Source, path, array-like, image of PIL, file or bytes; or a list of them that is one image
    working : Working, optional
        What is to be done with the image: a file that would take too much memory is not read.
    reading : ReadingOptions
        Which page, axes and channels to take. A `Source` has its own; what is given here comes before them.
    fourth : Fourth
        What options want of a fourth channel.

    Raises
    ------
    UsageError
        If there is no such channel, or an `Image` is to be taken apart again.
    ImageError
        If a file cannot be read or is too large, or an array is no image.
    """
    steps.step("reading")
    if reading.stack:
        return _stack(image, working, reading)
    of_result = getattr(image, "image", None)  # `denoise` and the like return one
    image = of_result if isinstance(of_result, Image) else image
    how = image.how if isinstance(image, Source) else Reading()
    page = int(reading.page or how.page)
    how = how._replace(page=page, axes=reading.axes or how.axes, channels=reading.channels or how.channels)
    how = how._replace(working=working) if working else how
    how = how._replace(truncated_ok=reading.truncated_ok or how.truncated_ok)
    how = how._replace(fourth=fourth if fourth != ANY_FOURTH else how.fourth)
    if isinstance(image, Image):
        if how.page or how.axes:
            raise UsageError(f"{option('page' if how.page else 'axes')}: is for files and arrays; an Image has its own")
        return _chosen(_as_bands(image) if fourth.wanted == "band" else image, how)
    if isinstance(image, str | os.PathLike):
        return read_image(image, how)
    if isinstance(image, Source):
        return image._replace(how=how).read()
    data = _file_bytes(image)
    if data is not None:
        return Source(str(getattr(image, "name", "bytes")), how, data).read()
    from emseg.image.arrays.from_memory import image_in_memory  # the command line reads files

    return _chosen(image_in_memory(image, how=how), how)


def _stack(images: Any, working: Working | None, reading: ReadingOptions) -> Image:
    """Several images as one: their channels side by side."""
    if not isinstance(images, list | tuple) or not images:
        raise UsageError(f"{option('stack', True)}: goes with a list of images; give [first, second]")
    from emseg.image.stacked import read_stack  # most images are alone

    each = replace(reading, stack=False, channels=())
    image = read_stack(len(images), lambda at, part: as_image(images[at], part, each, Fourth("band")), working)
    return _chosen(image, Reading(channels=reading.channels))


def saved_of(image: ImageLike) -> tuple[str, ...]:
    """Kinds of results that will be written of an image, if its source says so."""
    first = image[0] if isinstance(image, list) and image else image
    return first.how.saves if isinstance(first, Source) else ()


def wanted_by(mask: object, fourth: Fourth = ANY_FOURTH) -> Fourth:
    """What a mask wants of a fourth channel, or else what is wanted anyway."""
    return Fourth("opacity") if isinstance(mask, str) and mask == ALPHA else fourth


def _as_bands(image: Image) -> Image:
    """An image that was read before it was known that bands are wanted."""
    if image.alpha is None:
        return image
    from emseg.image.missing.fourth_channel import joined

    return joined(image)


def _chosen(image: Image, how: Reading) -> Image:
    """The image with the channels that are wanted."""
    if not how.channels:
        return image
    from emseg.image.channels import with_channels  # most images are taken whole

    return with_channels(image, how.channels)


def _file_bytes(image: Any) -> bytes | None:
    """The bytes of an image file, if that is what was given, or a file that is open for reading."""
    if isinstance(image, bytes | bytearray):
        return bytes(image)
    if not (hasattr(image, "read") and hasattr(image, "seek")) or isinstance(image, np.ndarray):
        return None
    if hasattr(image, "getbands") or hasattr(image, "__array__"):  # which PIL's images and arrays on a disk have
        return None
    try:
        data = image.read(MAX_BYTES + 1)
        at_end = not data and image.tell() > 0
    except (OSError, ValueError) as error:  # closed, or only for writing
        raise ImageError(f"file: cannot be read ({error}); open it again, as open(path, 'rb')") from error
    if not isinstance(data, bytes):
        raise ImageError("file: holds text; open it in binary mode, as open(path, 'rb')")
    if at_end:
        raise ImageError("file: is at its end; go back to the beginning, as file.seek(0)")
    if len(data) > MAX_BYTES:
        raise ImageError("file: more bytes than emseg reads; crop or shrink the image")
    return data


def image_and_mask(
    image: ImageLike,
    mask: MaskLike | None,
    missing: str = "drop",
    working: Working | None = None,
    nodata: Sequence[float] = (),
    reading: ReadingOptions = PLAIN,
    rule: MaskRule = NOT_ZERO,
    fourth: Fourth = ANY_FOURTH,
) -> tuple[Image, NDArray[np.bool_] | None]:
    """The image, and the mask of pixels to use, (H, W).

    Parameters
    ----------
    image
        See `as_image`.
    mask : array-like, image of PIL or path, optional
    missing : {"drop", "em"}
        With ``"em"``, a mask may have as many channels as the image. What it says of single channels then becomes a
        part of the image (`Image.known`), and no mask is left.
    working : Working, optional
        What is to be done with the image, see `as_image`.
    nodata : sequence of float
        Stored values that mean "no data".
    reading : ReadingOptions
        Which page, axes and channels to take.
    rule : MaskRule
        Which values of the mask are inside.
    fourth : Fourth
        What features want of a fourth channel.

    Raises
    ------
    UsageError
        If the type of the pixels has no such value.
    ImageError, DataError
        If a file cannot be read, or the mask has another size.
    """
    photo = as_image(image, working, reading, wanted_by(mask, fourth))
    if nodata:
        from emseg.image.missing.nodata import without_given  # most files say for themselves

        photo = without_given(photo, nodata)
    channels = 1 if missing == "drop" else photo.pixels.shape[2]
    inside, notices = (None, ()) if mask is None else as_mask(mask, photo, channels, rule)
    photo = photo.with_notices(*notices, *(idle_rule(rule) if mask is None else ()))
    if missing == "drop":
        return _noted(photo), inside
    from emseg.image.missing.partly_known import partly_known

    if inside is None or inside.ndim == 2:
        return partly_known(photo), inside
    return partly_known(photo, inside), None


def idle_rule(rule: MaskRule) -> tuple[str, ...]:
    """A line for each part of a rule that has nothing to count, because there is no mask."""
    above = rule.above if rule.above is None or not rule.above.is_integer() else int(rule.above)
    given = {"mask_above": above, "grow": rule.grow or None}
    why = f"does nothing without {option('mask')}; add one, or leave it out"
    return tuple(f"{option(name, value)} {why}" for name, value in given.items() if value is not None)


def _noted(photo: Image) -> Image:
    """The image, with a notice if pixels are left out of which something is known."""
    if photo.known is None:
        return photo
    lost = photo.known.any(axis=2)
    if photo.valid is not None:
        lost &= ~photo.valid
    count = int(np.count_nonzero(lost))
    line = f"{count} pixels lack data in some of their channels, and get label 0; {option('missing', 'em')} labels them"
    return photo.with_notices(f"{line} by the others") if count else photo


def as_mask(
    mask: MaskLike, photo: Image, channels: int = 1, rule: MaskRule = NOT_ZERO
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask (H, W), True inside, and lines that the user should read.

    Inside is where any channel is so by the rule; NaN and masked are outside. With several channels, a mask of shape
    (H, W, C) is kept as it is.

    Raises
    ------
    DataError
        If an array has another number of axes, or its channels do not agree.
    ImageError
        If a file cannot be read, lies elsewhere than the image, or has another size.
    """
    if isinstance(mask, str) and mask == ALPHA:
        from emseg.image.missing.masks import opaque

        return opaque(photo, rule), ()
    if isinstance(mask, str | os.PathLike):
        return read_mask(mask, photo, channels, rule)
    from emseg.image.arrays.from_memory import mask_in_memory

    return mask_in_memory(mask, photo, channels, rule)


def mask_of_same_size(
    mask: MaskLike, photo: Image, rule: MaskRule = NOT_ZERO
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask (H, W), True where it is inside by the rule, and lines that the user should read.

    Raises
    ------
    DataError
        If an array has another shape than the image.
    ImageError
        If a file cannot be read, lies elsewhere than the image, or has another size.
    """
    found, notices = as_mask(mask, photo, rule=rule)
    if found.shape != photo.shape:
        sizes = f"mask of shape {found.shape} for an image of shape {photo.shape}"
        raise DataError(f"{photo.name}: {sizes}; give a mask of the image's size")
    return found, notices
