"""From a path or bytes to an `Image`, told apart by content."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, option, shown
from emseg.image.file_bytes import digest_of_bytes, nodata_beside, place_files, read_image_bytes
from emseg.image.formats import pillow
from emseg.image.formats.registry import HEAD, format_of
from emseg.image.limits import Reading
from emseg.image.mask_rule import NOT_ZERO, MaskRule
from emseg.image.model import Image
from emseg.records import NamedRecord, replace

DEFAULT = Reading()
#: What else can be done with files that end early, by the format.
ROWS = dict.fromkeys(
    ("PNG", "JPEG", "GIF", "TIFF"), f", or add {option('truncated_ok', True)} for the rows that are there"
)
ONLY = f"; {option('truncated_ok', True)} is for {', '.join(ROWS)}"
EARLY = ("missing", "cut short", "truncated", "early", "Truncated")  # words of decoders for what ends early


class Source(NamedRecord):
    """An image that is still to be read: its path, how to read it, and its bytes if they did not come from a file."""

    path: str | os.PathLike[str]
    how: Reading = DEFAULT
    data: bytes | None = None

    def read(self) -> Image:
        """Read it; see `read_image`."""
        if self.data is None:
            return read_image(self.path, self.how)
        return decode_image(self.data, shown(self.path), self.how)


def read_image(path: str | os.PathLike[str], how: Reading = DEFAULT) -> Image:
    """Read an image; of several pages, frames or arrays, one.

    The formats are those of `emseg.image.formats.registry.FORMATS`, told apart by content. For NIfTI alone the name
    counts too: `.nii` or `.nii.gz`. An ENVI cube is read by its header.

    Stored values are kept in their own type, 16-bit colour PNG included. EXIF orientation is applied. Alpha 0, a
    transparent palette entry or key colour, GDAL's nodata value, NaN and infinity mean "no data"; other alpha is
    ignored. Colours are taken as sRGB, whatever profile comes with them.

    Parameters
    ----------
    path : path
    how : Reading
        Which page, and how large an image may be.

    Raises
    ------
    ImageError
        One line that names the file and the remedy, for whatever cannot be read in full.

    Examples
    --------
    >>> import emseg, os, tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "black.png")
    ...     Image.new("L", (5, 4)).save(path)
    ...     emseg.read_image(path).pixels.shape
    (4, 5, 1)
    """
    data, samples = read_image_bytes(path)
    image = placed_by_file_beside(decode_image(data, shown(path), how, samples), path)
    mask, facts = nodata_beside(path)
    if mask is None and facts is None:
        return image
    from emseg.image.sidecars import without_beside  # most images are alone

    image = replace(image, sha256=digest_of_bytes(data, samples, mask, facts))
    return without_beside(image, mask, facts, decode_image) if how.number == 1 and not how.axes else image


def placed_by_file_beside(image: Image, path: str | os.PathLike[str]) -> Image:
    """The image with the place that a file beside it tells, if it has none of its own."""
    beside = place_files(path)
    if not beside or image.metadata.keys() & {"geotiff", "nifti", "affine", "slice"}:
        return image
    from emseg.image.place.files_beside import tags_of_file
    from emseg.image.place.ground import on_ground  # most pictures have no place

    tags = next(filter(None, map(tags_of_file, beside)), {})
    return replace(image, metadata={**image.metadata, **on_ground(tags)})


def count_pages(path: str | os.PathLike[str], how: Reading = DEFAULT) -> int:
    """How many pages, frames or arrays a file has, with the axes of `how`.

    Raises
    ------
    ImageError
        As `read_image`, as far as the headers tell.
    """
    name = shown(path)
    data, _ = read_image_bytes(path)
    found = format_of(data[:HEAD], name)
    with _guarded(found.name, name):
        return found.count_pages(data, name, how)


def read_mask(
    path: str | os.PathLike[str], photo: Image, channels: int = 1, rule: MaskRule = NOT_ZERO
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Read the mask (H, W) of an image: True where any channel is inside by the rule; see `emseg.image.missing.masks`.

    If `channels` is more than 1 and the mask has as many, it stays as it is: (H, W, C). The mask is brought to the grid
    of the image by `emseg.image.place.alignment.aligned`; lines that the user should read are the second result.

    Raises
    ------
    ImageError
        As `read_image`, and when the mask lies elsewhere than the image, or has another size.
    DataError
        If nothing is inside because of the rule.
    """
    from emseg.image.missing.masks import grown
    from emseg.image.place.alignment import OUTSIDE, aligned  # most images come without a mask

    inside, metadata, lines = _inside(path, photo, rule)
    inside, notices = aligned(inside, metadata, shown(path), photo, "mask", OUTSIDE)
    inside = inside if inside.shape[2] == channels > 1 else np.asarray(inside.any(axis=2))
    return grown(inside, rule.grow, photo.metadata.get("volume")), lines + notices


def _inside(
    path: str | os.PathLike[str], photo: Image, rule: MaskRule
) -> tuple[NDArray[np.bool_], Mapping[str, Any], tuple[str, ...]]:
    """Where a mask is inside, (h, w, C), or for a volume of the shape of an array as stored; metadata; and lines."""
    from emseg.image.missing.masks import colours_against_indices, inside_of

    if "volume" in photo.metadata:
        from emseg.image.stored_array import is_array, stored_array

        if is_array(path):
            array = np.atleast_3d(stored_array(os.fspath(path), shown(path)))
            values = array.astype(np.uint8) if array.dtype == np.bool_ else array
            inside, lines = inside_of(Image(values.reshape(1, -1, 1), "gray", name=shown(path)), rule)
            return inside.reshape(array.shape), {}, lines
    data, samples = read_image_bytes(path)
    how = Reading(goes_with="volume" if "volume" in photo.metadata else "plane")
    mask, form = decode_image(data, shown(path), how, samples), format_of(data[:HEAD], shown(path))
    mask = placed_by_file_beside(mask, path)
    inside, lines = inside_of(mask, rule, form.is_lossy)
    return inside, mask.metadata, lines + colours_against_indices(inside, form.palette_indices(data))


def decode_image(data: bytes, name: str, how: Reading = DEFAULT, samples: bytes | None = None) -> Image:
    """`read_image` for a file's bytes already in memory.

    Parameters
    ----------
    data : bytes
    name : str
        What messages call the file.
    how : Reading
    samples : bytes, optional
        The bytes of its companion, for a format that has one.

    Raises
    ------
    ImageError
        As `read_image`.
    """
    found = format_of(data[:HEAD], name)
    more = ROWS.get(found.name, ONLY if how.truncated_ok else "")
    with _guarded(found.name, name, "" if how.goes_with else more):
        try:
            image = found.decode(data, name, how, samples)
        except pillow.DECODER_ERRORS:
            if not how.truncated_ok or found.name not in ROWS:
                raise
            from emseg.image.damage.truncated import rows_that_are_there  # hardly any file ends early

            image = rows_that_are_there(found, data, name, how)
    image = replace(image, name=name, sha256=digest_of_bytes(data, samples))
    if how.axes and not found.takes_axes:
        image = image.with_notices(f"{option('axes', how.axes)} does nothing with {found.name}; leave it out")
    if not how.channels or image.channels:  # the decoder has chosen them
        return image
    from emseg.image.channels import with_channels  # most images are taken whole

    return with_channels(image, how.channels)


@contextmanager
def _guarded(kind: str, name: str, more: str = "") -> Iterator[None]:
    """Turn whatever a decoder raises into one line; `more` is what else can be done if the file ends early."""
    try:
        with warnings.catch_warnings():  # a decoder's doubts are either an error here or nothing the user can act on
            warnings.simplefilter("ignore")
            yield
    except MemoryError as error:
        raise ImageError(f"{name}: does not fit into memory; crop it or scale it down first") from error
    except pillow.DECODER_ERRORS as error:
        detail = shown(" ".join(str(error).split()))[:160]
        if " " not in detail:  # a bare key or index tells nobody anything
            detail = "its parts do not fit together"
        remedy = "export it again from its source" + (more if any(word in detail for word in EARLY) else "")
        raise ImageError(f"{name}: damaged or unusual {kind} ({detail}); {remedy}") from error
