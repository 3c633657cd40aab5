"""Images from what Python callers have in memory: arrays of all kinds, and images of PIL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, ImageError, option
from emseg.image.arrays.array_like import Given, as_given, is_nibabel, is_pillow, whole_numbers
from emseg.image.axes import arrangement, of_pages
from emseg.image.formats.registry import FORMATS
from emseg.image.limits import Reading
from emseg.image.mask_rule import NOT_ZERO, MaskRule
from emseg.image.missing.fourth_channel import with_fourth
from emseg.image.missing.nodata import without_data
from emseg.image.model import ASSUMED, Form, Image

#: The first page, and axes as they seem.
PLAIN = Reading()
LOSSY = tuple(entry.kind for entry in FORMATS if entry.is_lossy)  # as PIL calls them
VOLUME = "volume.nii"  # what a volume in memory is called, and its results after it
ORIENTATION = 274  # tag of EXIF


def image_in_memory(data: Any, name: str = "array", how: Reading = PLAIN) -> Image:
    """The image that an array or an image of PIL holds.

    Masked values, NaN and infinity are no data. Three channels are sRGB, four are sRGB with alpha where the fourth is
    like one. The axes of an xarray object are known by their names; any other array is (H, W) or (H, W, C), unless the
    axes of `how` say otherwise.

    Raises
    ------
    ImageError
        One line that says what is wrong, and the remedy.
    """
    if is_pillow(data):
        return _of_pillow(data, name if name != "array" else "image")
    if is_nibabel(data):
        from emseg.image.formats.nifti import image_of_nibabel

        return image_of_nibabel(data, str(data.get_filename() or VOLUME), how)
    given = as_given(data, name)
    if given.array.size == 0 or (given.axes and not how.axes):
        return image_of(given, name, how)
    return arranged_image(given, name, how)


def arranged_image(given: Given, name: str, how: Reading) -> Image:
    """The image of a page of an array whose axes the caller names, or which is (H, W) or (H, W, C); see `arrangement`.

    Raises
    ------
    ImageError
        If the axes do not fit, or nobody says what they are, or there is no such page.
    """
    arranged = arrangement(given.array.shape, how.axes, name)
    how.require_page(arranged.pages, name)
    array, known = (None if part is None else arranged.part(part, how.number) for part in (given.array, given.known))
    assert array is not None
    image = image_of(Given(array, known, arranged.letters, given.type_given), name, how)
    if how.axes:
        image = replace(image, taken={"axes": how.axes})
    return of_pages(image, how, arranged.pages, "image", arranged.paging)


def mask_in_memory(
    data: Any, photo: Image, channels: int = 1, rule: MaskRule = NOT_ZERO
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask (H, W) that an array or an image of PIL holds, and lines that the user should read.

    It is True where a value is inside by the rule, not NaN and not masked.

    Parameters
    ----------
    data : array-like or image of PIL
        Of shape (H, W) or (H, W, C): its channels must agree, but for those of a picture.
    photo : Image
    channels : int
        If more than 1, a mask of so many channels is kept as it is, (H, W, C).
    rule : MaskRule

    Raises
    ------
    ImageError
        If it holds no real numbers.
    DataError
        If it has another number of axes than the image, channels that do not agree, or nothing inside by the rule.
    """
    from emseg.image.missing.masks import inside_of

    if is_pillow(data):
        return _of_picture(_of_pillow(data, "mask"), photo, rule, data.format in LOSSY)
    if is_nibabel(data):
        from emseg.image.arrays.nibabel_volumes import mask_of_nibabel

        return mask_of_nibabel(data, photo, channels, rule)
    given = as_given(data, "mask")
    if given.array.ndim == 3 and given.array.shape[2] == 4 != channels and not given.axes:  # a picture with alpha
        picture = image_of(given, "mask")
        if picture.alpha is not None:
            return _of_picture(replace(picture, notices=()), photo, rule)
    values = given.array if given.known is None else np.where(given.known, given.array, 0)
    flat = values.reshape(1, -1, 1)  # one after another: what counts is the value alone
    found, notices = inside_of(Image(flat, "gray", name="mask"), rule)
    inside = found.reshape(values.shape)
    if given.known is not None:
        inside = inside & given.known
    return _grown(_of_shape(inside, given, photo, channels), photo, rule), notices


def _of_picture(
    mask: Image, photo: Image, rule: MaskRule, lossy: bool = False
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The mask that a picture is, whose channels are colours."""
    from emseg.image.missing.masks import inside_of

    inside, notices = inside_of(mask, rule, lossy)
    return _grown(np.asarray(inside.any(axis=2)), photo, rule), notices


def _grown(inside: NDArray[np.bool_], photo: Image, rule: MaskRule) -> NDArray[np.bool_]:
    from emseg.image.missing.masks import grown

    return grown(inside, rule.grow, photo.metadata.get("volume") if inside.shape[:2] == photo.shape else None)


def _of_shape(inside: NDArray[np.bool_], given: Given, photo: Image, channels: int) -> NDArray[np.bool_]:
    """A mask of any allowed shape as (H, W), or (H, W, C) of so many channels."""
    if "C" in given.axes:
        inside = np.moveaxis(inside, given.axes.index("C"), -1)
    volume = photo.metadata.get("volume", ())
    if volume and inside.shape[:3] == tuple(volume):  # slices below one another
        inside = inside.reshape(*photo.shape, *inside.shape[3:])
    if inside.ndim == 3 and inside.shape[2] > 1 and inside.shape == (*photo.shape, channels):
        return inside
    if inside.ndim == 3 and inside.size and (inside == inside[..., :1]).all():
        inside = inside[..., 0]
    if inside.ndim != 2:
        raise DataError(f"{photo.name}: the mask has shape {given.array.shape}; give one of shape (H, W)")
    return inside


def labels_in_memory(data: Any, photo: Image, name: str) -> NDArray[np.unsignedinteger[Any]]:
    """The label map (H, W) of an image that an array or an image of PIL holds; 0 where it is NaN or masked.

    Raises
    ------
    DataError
        If it has another shape than the image, fractions, or numbers below 0.
    """
    if is_pillow(data):
        array, known = np.asarray(data), None
    elif is_nibabel(data):
        from emseg.image.arrays.nibabel_volumes import values_of_nibabel

        array, known = values_of_nibabel(data, photo, name)[..., 0], None
    else:
        array, known = as_given(data, name)[:2]
    size = array.shape
    if array.ndim == len(photo.grid) + 1 and array.shape[-1] == 1:
        array, known = array[..., 0], None if known is None else known[..., 0]
    if array.shape not in (photo.grid, photo.shape):
        raise DataError(
            f"{name}: labels of shape {size} for {photo.name} of shape {photo.grid}; give one for each pixel"
        )
    values = whole_numbers(array if known is None else np.where(known, array, 0)).reshape(photo.shape)
    if values.dtype.kind not in "ui" or values.min() < 0:
        raise DataError(f"{name}: holds fractions or numbers below 0; labels are 1 and more, 0 is none")
    return values.astype(values.dtype.str.replace("i", "u"))


def planes_in_memory(data: Any, photo: Image, count: int, name: str) -> NDArray[Any]:
    """The planes (K, H, W) of an array of that shape, or of shape (H, W, K).

    Raises
    ------
    DataError
        If it has another shape.
    """
    if is_nibabel(data):
        from emseg.image.arrays.nibabel_volumes import values_of_nibabel

        data = np.moveaxis(values_of_nibabel(data, photo, name), 2, 0).reshape(-1, *photo.grid)
    given = as_given(data, name)
    array = given.array if given.known is None else np.where(given.known, given.array, 0)
    if array.shape == (*photo.grid, count) and array.shape != (count, *photo.grid):
        array = np.moveaxis(array, -1, 0)
    if array.shape != (count, *photo.grid):
        wanted = " × ".join(map(str, (count, *photo.grid)))
        raise DataError(
            f"{name}: has the shape {array.shape}; give {wanted} numbers, a plane for each of {option('k', count)}"
        )
    return array.reshape(count, *photo.shape)


def image_of(given: Given, name: str, how: Reading = PLAIN) -> Image:
    """The image of an array; see `image_in_memory`."""
    array, axes = given.array, given.axes or {2: "PP", 3: "PPC"}.get(given.array.ndim, "")
    if array.size == 0:
        raise ImageError(f"{name}: is empty, of shape {array.shape}; check how it was made")
    if not axes:
        raise ImageError(f"{name}: has the shape {array.shape}; give one image of shape (H, W) or (H, W, C)")
    channel = axes.index("C") if "C" in axes else None
    pixels = _channels_last(array, channel)
    known = None if given.known is None else _channels_last(given.known, channel)
    *grid, _ = pixels.shape
    pixels = pixels.reshape(-1, *pixels.shape[-2:])
    image = Image.from_array(_narrowed(pixels), name=name)
    if known is not None:
        image = without_data(image, ~known.reshape(-1, *known.shape[-2:]))
    facts: dict[str, Any] = {"volume": tuple(grid)} if len(grid) == 3 else {}
    if image.colour == "rgb":
        facts[ASSUMED] = True
    image = replace(image, metadata=facts, form=Form(channel, given.dtype))
    return image if channel is None else with_fourth(image, how, may_be_opacity=True)


def _channels_last(array: NDArray[Any], channel: int | None) -> NDArray[Any]:
    return array[..., None] if channel is None else np.moveaxis(array, channel, -1)


def _narrowed(pixels: NDArray[Any]) -> NDArray[Any]:
    """Colours that a wide integer type holds, as lists do, in 8 bits where they fit: then it is known what white is."""
    wide = pixels.dtype.kind in "ui" and pixels.dtype not in (np.uint8, np.uint16)
    if pixels.shape[2] not in (3, 4) or not wide or pixels.min() < 0 or pixels.max() > 255:
        return pixels
    return pixels.astype(np.uint8)


def _of_pillow(im: Any, name: str) -> Image:
    """An image of PIL as it is in memory: its frame of now, unturned."""
    from emseg.image.formats.pillow import DECODER_ERRORS, decode_whole  # arrays do without

    kept = ("transparency", "icc_profile", "dpi")
    try:
        if im.mode == "LAB":  # which Pillow cannot make RGB of
            image = image_of(Given(np.asarray(im)), name)
            return replace(image, colour="bands")
        still = (
            im.convert("LA") if im.mode == "La" else im.copy()
        )  # which has no EXIF of its own, so that it is not turned
        still.info = {key: value for key, value in im.info.items() if key in kept}
        image = decode_whole(still, name)
        tables = getattr(im, "quantization", None)  # of a JPEG file that was opened
        if tables:
            quantisation = {number: tuple(table) for number, table in tables.items()}
            image = replace(image, metadata={**image.metadata, "quantisation": quantisation})
    except DECODER_ERRORS as error:
        reason = " ".join(str(error).split())[:120]
        raise ImageError(f"{name}: cannot be read ({reason}); open it again from its source") from error
    channel = None if image.pixels.shape[2] == 1 and image.alpha is None else 2
    image = replace(image, form=Form(channel, image.pixels.dtype, image.alpha is not None))
    return image.with_notices(*_left_out(im))


def _left_out(im: Any) -> Iterator[str]:
    """What an image of PIL has besides the pixels that are in memory."""
    turn, frames = im.getexif().get(ORIENTATION, 1), getattr(im, "n_frames", 1)
    if turn in range(2, 9):
        yield f"its EXIF orientation {turn} is not applied; give its path, or ImageOps.exif_transpose(image)"
    if frames > 1:
        yield f"frame {im.tell() + 1} of {frames} is taken; call image.seek(n) for another"
