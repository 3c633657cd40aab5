"""The samples of one page as they are meant: palettes looked up, and white as the largest number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.limits import Reading
from emseg.image.strips.decode import stored_samples
from emseg.image.strips.directory import Directory
from emseg.image.strips.layout import ComplexNumbers, layout_of
from emseg.image.strips.streams import NeedsImagecodecs
from emseg.records import NamedRecord

REMEDY = "export it without compression, as whole numbers of 8 to 16 bits or floats of 32"

_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SAMPLES, _COLOURS, _INKS, _DEPTH = 256, 257, 258, 262, 277, 320, 332, 32997
_WHITE_IS_ZERO, _PALETTE, _CMYK = 0, 3, 5
_STEP = 257  # from 8 bits to 16: 255 becomes 65535


class Page(NamedRecord):
    """What a page holds.

    Attributes
    ----------
    samples : ndarray, shape (H, W, S)
        Extra samples, such as alpha, are the last.
    stored : ndarray, shape (H, W, S')
        The same as the file has them: indices of a palette, black as the largest number.
    there : ndarray of bool, shape (H, W), or None
        False where the writer left a strip or tile out; None where all are there.
    """

    samples: NDArray[Any]
    stored: NDArray[Any]
    there: NDArray[np.bool_] | None = None


def decode_page(directory: Directory, name: str, how: Reading, shift: int = 0) -> Page:
    """Decode a page.

    Parameters
    ----------
    directory : Directory
        Its tags.
    name : str
        What messages call the file.
    how : Reading
        How large it may be.
    shift : int
        How many bytes behind the page's own samples another plane is that has the same tags.

    Raises
    ------
    ImageError
        If it is too large, or of a kind that is not read.
    ValueError, OSError, zlib.error
        If it is damaged.
    """
    require_size(directory, name, how)
    if directory.number(_DEPTH, 1) > 1:
        raise ImageError(f"{name}: holds a volume; export its slices as single images")
    try:
        layout = layout_of(directory)
        if shift:
            layout = layout._replace(offsets=layout.offsets + shift)
            if int((layout.offsets + layout.counts).max()) > len(directory.data):
                raise ValueError("the file is cut short")
        stored, there = stored_samples(directory, layout)
    except ComplexNumbers as kind:
        raise ImageError(f"{name}: holds {kind} numbers; save their magnitude or real part") from kind
    except NeedsImagecodecs as kind:
        raise ImageError(f"{name}: holds {kind}, which needs imagecodecs; pip install imagecodecs") from kind
    except NotImplementedError as kind:
        raise ImageError(f"{name}: holds {kind}, which is not read; {REMEDY}") from kind
    return Page(_meant(stored, directory), stored, there)


def require_size(directory: Directory, name: str, how: Reading, slices: int = 1, channels: int = 1) -> None:
    """Raise ImageError if so many slices and channels of planes like a page are too large."""
    size = max(1, directory.number(_BITS, 1) // 8)
    width, height, samples = (
        directory.number(code, default) for code, default in ((_WIDTH, 0), (_HEIGHT, 0), (_SAMPLES, 1))
    )
    if directory.number(_PHOTOMETRIC, 1) == _PALETTE:  # becomes red, green and blue of 16 bits at most
        samples, size = samples + 2, 2
    how.require(width, height * slices, name, samples * channels, size)


def _meant(samples: NDArray[Any], page: Directory) -> NDArray[Any]:
    """The samples with palettes looked up, and white as the largest number."""
    photometric, bits = page.number(_PHOTOMETRIC, 1), page.number(_BITS, 1)
    if photometric == _PALETTE:
        return _looked_up(samples, page, bits)
    if samples.dtype.kind != "u" or bits > 8 * samples.dtype.itemsize:
        return samples
    white = (1 << bits) - 1
    if photometric == _WHITE_IS_ZERO:
        samples = np.concatenate([white - samples[..., :1], samples[..., 1:]], axis=2)
    if photometric == _CMYK and samples.shape[2] >= 4 and page.number(_INKS, 1) == 1:
        ink = white - samples.astype(np.uint64)
        colours = ((ink[..., :3] * ink[..., 3:4] + white // 2) // white).astype(samples.dtype)
        samples = np.concatenate([colours, samples[..., 4:]], axis=2)
    if bits < 8:  # black to white is 0 to 255, as in any image of bytes
        samples = ((samples.astype(np.uint16) * 255 + white // 2) // white).astype(np.uint8)
    return samples


def _looked_up(samples: NDArray[Any], page: Directory, bits: int) -> NDArray[Any]:
    """The colours of a palette (TIFF 6.0, section 5), and the extra samples after them.

    Colours have 16 bits. Where 8 bits hold them all, they become 8. Some writers stored 8 bits unscaled.
    """
    table = page.numbers(_COLOURS)
    if samples.dtype.kind != "u" or bits > 16 or table.size != 3 << bits:
        raise ValueError("the palette does not fit the samples")
    colours = table.reshape(3, -1).T.astype(np.uint16)
    if colours.max() < 256:
        colours = colours.astype(np.uint8)
    elif not (colours % _STEP).any() or not (colours & 255).any():
        colours = (colours >> 8).astype(np.uint8)
    found: NDArray[Any] = colours[samples[..., 0]]
    if samples.shape[2] == 1:
        return found
    white, extra, most = np.iinfo(found.dtype).max, samples[..., 1:].astype(np.uint64), (1 << bits) - 1
    scaled = (extra * white + most - 1) // most  # rounded up: only what is 0 becomes 0
    return np.concatenate([found, scaled.astype(found.dtype)], axis=2)
