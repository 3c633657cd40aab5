"""The fourth channel of an image that does not say what it is: opacity, or one more band.

NumPy arrays, ENVI cubes and TIFF samples of an unspecified kind leave that open. Pictures with alpha and satellite
images with near infrared both have four channels. Opacity is mostly full where it is not clear. Near infrared hardly
ever is. So the values decide, unless options do, and a line always says what came of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import option
from emseg.image.limits import Reading
from emseg.image.missing.nodata import without_data
from emseg.image.model import Image

#: What options want of it, see `emseg.image.limits.Fourth`.
BAND, OPACITY, COLOURS = "band", "opacity", "colours"
TAKEN = "fourth_channel"  # key in `Image.taken`


def with_fourth(image: Image, how: Reading, may_be_opacity: bool) -> Image:
    """The image with its fourth channel taken apart if it is opacity, and a notice of what was done.

    An image of another number of channels, and one of which options choose the channels, stays as it is. If the last of
    them looks like opacity, a notice says that it is a band.

    Parameters
    ----------
    image : Image
        Bands, all channels as stored.
    how : Reading
    may_be_opacity : bool
        Whether the first three channels may be colours.
    """
    if image.alpha is not None or how.channels or how.goes_with:
        return image
    if image.pixels.shape[2] != 4:
        return image.with_notices(*_last_like_opacity(image, how))
    if (how.axes or image.channel_names) and how.fourth.wanted != OPACITY:  # which say that these are channels
        return image
    as_opacity = f"{option('mask', 'alpha')} takes it as opacity"
    if how.fourth.wanted == OPACITY:
        return _split(image, "opacity").with_notices("its fourth channel is taken as opacity, as is asked for")
    if may_be_opacity and how.fourth.wanted != BAND:
        as_band = f"{_band_option(how)} takes it as a band"
        if is_opacity(image.pixels):
            line = "its fourth channel is taken as opacity, because it is mostly full or clear"
            return _split(image, "opacity").with_notices(f"{line}; {as_band}")
        if how.fourth.wanted == COLOURS:
            line = "its fourth channel does not look like opacity, and is left out"
            left = replace(_split(image, "nothing", False), alpha=None)
            return left.with_notices(f"{line}; {as_band}, {as_opacity}")
    image = replace(image, taken={**image.taken, TAKEN: "band"})
    return image.with_notices(f"its fourth channel is taken as a band like the others; {as_opacity}")


def joined(image: Image) -> Image:
    """The image with its opacity as a band again, if it was taken for that by its values."""
    if image.taken.get(TAKEN) != "opacity" or image.alpha is None:
        return image
    pixels = np.concatenate([image.pixels, image.alpha[:, :, None]], axis=2)
    there = None if image.valid is None else image.valid | (image.alpha == 0)
    found = Image.from_array(pixels, there, image.name)
    facts: dict[str, Any] = {"pixels": pixels, "colour": "bands", "valid": found.valid, "known": found.known}
    form = image.form and image.form._replace(alpha=False)
    lines = tuple(line for line in image.notices if not line.startswith("its fourth channel"))
    taken = {**image.taken, TAKEN: "band"}
    image = replace(image, **facts, alpha=None, packed=None, form=form, taken=taken, notices=lines)
    return image.with_notices(
        f"its fourth channel is taken as a band like the others, by {option('features', 'bands')}"
    )


def is_opacity(pixels: NDArray[Any]) -> bool:
    """Whether the fourth channel of (H, W, 4) looks like opacity: at least half of what is not clear is full.

    A channel that is the same everywhere, and not clear, is no band that tells anything, and so is opacity, too.
    """
    dtype, fourth = pixels.dtype, pixels[..., 3]
    if dtype in (np.uint8, np.uint16):
        full: float = np.iinfo(dtype).max
    elif dtype.kind == "f" and np.all(np.isnan(pixels) | ((pixels >= 0) & (pixels <= 1))):
        full = 1.0
    else:
        return False
    opaque, visible = np.count_nonzero(fourth == full), np.count_nonzero(fourth > 0)
    return bool(0 < visible <= 2 * opaque or 0 < fourth.min() == fourth.max())


def _last_like_opacity(image: Image, how: Reading) -> tuple[str, ...]:
    """A line if the last of two channels, or of more than four, is clear or full everywhere, and has no name."""
    count, dtype = image.pixels.shape[2], image.pixels.dtype
    if count in (1, 3) or image.channel_names or how.axes or dtype.kind == "i":
        return ()
    last, full = image.pixels[..., -1], np.iinfo(dtype).max if dtype.kind == "u" else 1
    clear = int(np.count_nonzero(last == 0))
    if clear == 0 or clear == last.size or clear + np.count_nonzero(last == full) < last.size:
        return ()
    without = option("channels", ",".join(map(str, range(1, count))))
    return (f"its last channel is taken as a band, though all of it is clear or full; {without} leaves it out",)


def opacity_lines(photo: Image, above: float) -> tuple[str, ...]:
    """A line if pixels are partly transparent, which does not count.

    Parameters
    ----------
    photo : Image
    above : float
        Opacity that counts as none.
    """
    alpha = photo.alpha
    if alpha is None:
        return ()
    full = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1
    between = int(np.count_nonzero((alpha > above) & (alpha < full)))
    if not between:
        return ()
    samples = photo.taken.get("samples", 0)  # of a TIFF
    if samples and 2 * between > np.count_nonzero(alpha):
        line = "one of its bands is declared to be opacity, but few of its values are clear or full"
        numbers = ",".join(map(str, range(1, samples + 1)))
        return (f"{line}; {option('channels', numbers)} takes all as bands",)
    half = full // 2 if alpha.dtype.kind in "ui" else full / 2
    line = f"{between} pixels are partly transparent, and count as opaque"
    return (f"{line}; {option('mask', 'alpha')} with {option('mask_above', half)} leaves out the clearer ones",)


def _band_option(how: Reading) -> str:
    return option("features", "bands") if how.fourth.has_features else option("channels", "1,2,3,4")


def _split(image: Image, taken: str, clear_is_no_data: bool = True) -> Image:
    """The image in three colours, and its fourth channel as alpha."""
    pixels, alpha = image.pixels[..., :3], image.pixels[..., 3]
    absent = np.zeros((*image.shape, 3), np.bool_)
    if image.known is not None:
        absent |= ~image.known[..., :3]
    elif image.valid is not None:
        absent |= ~image.valid[:, :, None]
    if clear_is_no_data:
        clear = alpha == 0
        if image.known is not None:
            clear = clear | ~image.known[..., 3]
        absent |= clear[:, :, None]
    form = image.form and image.form._replace(alpha=True)
    image = replace(image, pixels=pixels, colour="rgb", alpha=alpha, valid=None, known=None, packed=None, form=form)
    return without_data(replace(image, taken={**image.taken, TAKEN: taken}), absent)
