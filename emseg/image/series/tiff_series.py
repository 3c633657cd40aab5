"""Which images a TIFF file holds: by ImageJ's, OME's and other programs' own words, or page by page.

Words are read by tifffile, which knows a score of programs. Its decoders are not used.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from emseg.errors import ImageError, option
from emseg.image.formats.geotiff_tags import MASK
from emseg.image.formats.pillow import DECODER_ERRORS
from emseg.image.formats.tiff_masks import REDUCED
from emseg.image.series.channel_names import imagej_names, ome_names
from emseg.image.series.stored import Holdings, Plane, Series
from emseg.image.strips.directory import Directory, directory_at, page_offsets
from emseg.image.strips.layout import layout_of

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _DESCRIPTION, _SAMPLES, _PLANAR, _INSIDE = 254, 256, 257, 258, 270, 277, 284, 330
#: Tags of programs that say more of the pages than TIFF does: MetaMorph, FluoView, LSM, Micro-Manager, NDPI, SIS.
_TOLD_BY = (33628, 33629, 34361, 34412, 51123, 65420, 33560)
#: How descriptions of programs begin that say more: ImageJ, tifffile, Aperio, ScanImage; OME ends with its element.
_BEGINNINGS = ("ImageJ=", '{"shape"', "Aperio ", "state.", "SI.")
_SIZES = re.compile(r"""\s(?:SizeZ|SizeC|SizeT|PlaneCount|NumPlanes|IFD)\s*=\s*["']?(\d+)""")
_ELEMENTS = re.compile(r"<(?:\w+:)?Pixels\s[^<>]*>")
#: Planes that a description may speak of: a thousand times what an hour of video has.
MOST_PLANES = 1 << 27
_SAMPLED = str.maketrans("CE", "SS")
_SPARE = "QIJKUVWGOBDFNLMHPRA"  # letters for axes without a meaning, each used once


def is_alone(page: Directory) -> bool:
    """Whether the first page of a file is all that it holds, as far as its tags say."""
    if page.following or page.entries.keys() & {_INSIDE, *_TOLD_BY}:
        return False
    text = str(page.values.get(_DESCRIPTION, ""))
    if text.startswith('{"shape"'):
        return '"axes"' not in text and '"truncated"' not in text
    return not (text.startswith(_BEGINNINGS) or text.rstrip().endswith("OME>"))


def holdings_of(data: bytes) -> Holdings:
    """The images of a TIFF file.

    Raises
    ------
    ValueError and others
        As decoders do, if pages are damaged.
    """
    pages = [(offset, directory_at(data, offset)) for offset in page_offsets(data)]
    text = str(pages[0][1].values.get(_DESCRIPTION, ""))
    told = text.startswith(_BEGINNINGS) or text.rstrip().endswith("OME>") or pages[0][1].entries.keys() & {*_TOLD_BY}
    if told and _is_sound(text):
        try:
            found = _by_tifffile(data, text)
        except DECODER_ERRORS:  # the words are damaged, the pages need not be
            found = None
        if found is not None:
            return found
    holdings = _page_by_page(data, pages)
    if not text.startswith("ImageJ=") and not text.rstrip().endswith("OME>"):
        return holdings
    promised = re.search(r"^images=(\d+)", text, re.MULTILINE)
    if promised and int(promised[1][:12]) > 1 == len(pages) and _ends_within_a_plane(pages[0][1]):
        raise ValueError("the file is cut short")
    return holdings._replace(doubt="what its description says of its planes does not fit them, and is not used")


def _ends_within_a_plane(page: Directory) -> bool:
    """Whether the file has more bytes behind the samples of its only page than tags and texts take."""
    layout = layout_of(page)
    return len(page.data) - int((layout.offsets + layout.counts).max()) > int(layout.counts.sum()) // 2


def fits(series: Series, axes: str) -> bool:
    """Whether letters name the axes of a series, those of a plane as it is stored included."""
    end = axes[len(series.axes) :]
    return len(axes) == len(series.axes + series.page) and end.translate(_SAMPLED) == series.page


def renamed(series: Series, axes: str, name: str) -> Series:
    """The series with the axes that a user names; raise ImageError if they do not fit."""
    if not fits(series, axes):
        sizes = " × ".join(map(str, series.lengths))
        lying = f"{sizes} planes stored as {series.page}" if series.lengths else f"a plane stored as {series.page}"
        wanted = f"give {len(series.lengths)} letters before {series.page}" if series.lengths else f"give {series.page}"
        raise ImageError(f"{name}: {option('axes', axes)} does not fit {lying}; {wanted}")
    return series._replace(axes=axes[: len(series.axes)], told=True, channel_names=())


def _page_by_page(data: bytes, pages: list[tuple[int, Directory]]) -> Holdings:
    """Each page an image; of one size, they lie along one axis. Masks are none."""
    inside = [(at, directory_at(data, at)) for _, page in pages for at in page.numbers(_INSIDE).tolist()[:256] if at]
    kinds = {at: page.number(_SUBFILE, 0) for at, page in (*pages, *inside)}
    whole = [entry for entry in pages if not kinds[entry[0]] & (REDUCED | MASK)]
    whole = whole or [entry for entry in pages if not kinds[entry[0]] & MASK] or pages
    taken = {at for at, _ in whole}
    rest = [entry for entry in (*pages, *inside) if entry[0] not in taken and not kinds[entry[0]] & MASK]
    reduced = [entry for entry in rest if kinds[entry[0]] & REDUCED]
    whole += [entry for entry in rest if not kinds[entry[0]] & REDUCED]
    alike = len({_likeness(page) for _, page in whole}) == 1
    single = [Series("", (), (Plane(at),), _axes_of(page)) for at, page in whole]
    if alike and len(whole) > 1:
        single = [Series("Q", (len(whole),), tuple(Plane(at) for at, _ in whole), single[0].page)]
    return Holdings(tuple(single), tuple(Series("", (), (Plane(at),), _axes_of(page)) for at, page in reduced))


def _likeness(page: Directory) -> tuple[int, ...]:
    return tuple(page.number(code, 0) for code in (_WIDTH, _HEIGHT, _SAMPLES, _BITS, _PLANAR))


def _axes_of(page: Directory) -> str:
    if page.number(_SAMPLES, 1) == 1:
        return "YX"
    return "SYX" if page.number(_PLANAR, 1) == 2 else "YXS"


def _is_sound(text: str) -> bool:
    """Whether a description speaks of a number of planes that can be."""
    if any(int(number[:12]) > MOST_PLANES for number in _SIZES.findall(text)):
        return False
    parts = _ELEMENTS.findall(text) if text.rstrip().endswith("OME>") else []
    return all(np.prod([float(n) for n in _SIZES.findall(part)] or [1]) <= MOST_PLANES for part in parts)


def _by_tifffile(data: bytes, text: str) -> Holdings | None:
    """The series that tifffile sees; None if one of them is not made of whole planes."""
    import tifffile

    try:
        with io.BytesIO(data) as stream, tifffile.TiffFile(stream) as file:  # its parts refer to one another
            found = list(file.series)
            if text.startswith(("ImageJ=", "<")) and found and found[0].kind in ("generic", "uniform"):
                return None
            names: list[tuple[str, ...]] = [()] * len(found)
            if file.is_ome:
                told = ome_names(text)
                names = told if len(told) == len(found) else names
            elif file.is_imagej:
                names = [imagej_names(file.imagej_metadata or {}, s.axes, s.shape) for s in found]
            series = [_series(s, own) for s, own in zip(found, names, strict=True)]
            levels = [_series(level, ()) for s in found for level in s.levels[1:]]
    except tifffile.TiffFileError as error:  # a ValueError only since 2025
        raise ValueError(str(error)) from error
    if not series or not all(series):
        return None
    return Holdings(tuple(filter(None, series)), tuple(filter(None, levels)))


def _series(found: Any, names: tuple[str, ...]) -> Series | None:
    """A series of tifffile's; None if it is not made of whole planes."""
    key, lead = found.keyframe, len(found.shape) - len(found.keyframe.shape)
    page = {"YX": "YX", "YXS": "YXS", "SYX": "SYX", "CYX": "SYX"}.get(found.axes[lead:] if lead >= 0 else "")
    if page is None or found.shape[lead:] != key.shape or key.imagedepth > 1:
        return None
    lengths, axes = tuple(found.shape[:lead]), _unique(found.axes[:lead])
    planes = tuple(_planes(found, int(np.prod(lengths, dtype=np.int64))))
    if not planes:
        return None
    unknown = {"Q", "I"} & {*found.axes[:lead]}
    along = next((length for axis, length in zip(axes, lengths, strict=True) if axis == "C"), 1)
    if page != "YX" and key.samplesperpixel == len(names):
        along = len(names)
    return Series(axes, lengths, planes, page, not unknown, names if len(names) == along else ())


def _planes(found: Any, count: int) -> Iterator[Plane | None]:
    """The planes of a series of tifffile's; none if there are more or fewer than its axes want."""
    if found.is_truncated:
        key = found.keyframe
        if key.compression != 1 or not key.is_contiguous:
            return
        size = int(np.prod(key.shape)) * key.dtype.itemsize
        for at in range(count):
            yield Plane(key.offset, at * size)
        return
    if len(found) != count:
        return
    for at in range(count):
        page = found[at]
        yield None if page is None or page.parent is not found.parent else Plane(page.offset)


def _unique(axes: str) -> str:
    """The axes with letters that stand there twice replaced."""
    spare = iter(letter for letter in _SPARE if letter not in axes)
    return "".join(next(spare) if axis in axes[:at] else axis for at, axis in enumerate(axes))
