"""Which images a TIFF file holds: by ImageJ's, OME's and other programs' own words, or page by page.

Words are read by tifffile, which knows a score of programs. Its decoders are not used.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from emseg.errors import ImageError, option
from emseg.image.formats.geotiff_tags import MASK
from emseg.image.formats.pillow import DECODER_ERRORS
from emseg.image.formats.tiff_masks import REDUCED
from emseg.image.series.channel_names import imagej_names, ome_names
from emseg.image.series.stored import Holdings, Plane, Series
from emseg.image.strips.directory import Directory, directory_at, page_offsets, short_tags
from emseg.image.strips.layout import layout_of
from emseg.records import NamedRecord

_PHOTOMETRIC, _RGB = 262, 2
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _DESCRIPTION, _SAMPLES, _PLANAR, _INSIDE = 254, 256, 257, 258, 270, 277, 284, 330
#: Tags of programs that say more of the pages than TIFF does: MetaMorph, FluoView, LSM, Micro-Manager, NDPI, SIS.
_TOLD_BY = (33628, 33629, 34361, 34412, 51123, 65420, 33560)
#: How descriptions of programs begin that say more: ImageJ, tifffile, Aperio, ScanImage; OME ends with its element.
_BEGINNINGS = ("ImageJ=", '{"shape"', "Aperio ", "state.", "SI.")
_AXES = re.compile(r'^\{"shape": *\[[\d, ]*\].*"axes": *"([A-Z]{3,})"')
_SIZES = re.compile(r"""\s(?:SizeZ|SizeC|SizeT|PlaneCount|NumPlanes|IFD)\s*=\s*["']?(\d+)""")
_ELEMENTS = re.compile(r"<(?:\w+:)?Pixels\s[^<>]*>")
_DECISIVE = frozenset((_SUBFILE, _WIDTH, _HEIGHT, _BITS, _SAMPLES, _PLANAR, _INSIDE))
MOST_INSIDE = 256  # pages within a page; a pyramid has some ten
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
    first = directory_at(data, next(page_offsets(data)))
    text = str(first.values.get(_DESCRIPTION, ""))
    told = text.startswith(_BEGINNINGS) or text.rstrip().endswith("OME>") or first.entries.keys() & {*_TOLD_BY}
    if told and _is_sound(text):
        try:
            found = _by_tifffile(data, text)
        except DECODER_ERRORS:  # the words are damaged, the pages need not be
            found = None
        if found is not None:
            return found
    holdings = _page_by_page(data)
    by_tifffile = text.startswith('{"shape"') and '"axes"' in text  # slices that its writer stored as colours, say
    if not by_tifffile and not text.startswith("ImageJ=") and not text.rstrip().endswith("OME>"):
        return holdings
    promised = re.search(r"^images=(\d+)", text, re.MULTILINE)
    if promised and int(promised[1][:12]) > 1 == holdings.images and _ends_within_a_plane(first):
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


def axes_of_samples(page: Directory, holdings: Holdings) -> str:
    """The axes of planes whose samples tifffile was told to be slices or times; empty if it was not.

    It stores any array whose first or last axis is 3 or 4 long as colours, and notes what the caller said of the axes.
    """
    found = _AXES.search(str(page.values.get(_DESCRIPTION, "")))
    if not found or len(holdings.series) > 1 or not names_samples(holdings.series[0], found[1]):
        return ""
    lengths = *holdings.series[0].lengths, *([page.number(code, 1) for code in (_SAMPLES, _HEIGHT, _WIDTH)])
    return found[1] if len(found[1]) == len(lengths) else ""


def guessed_colours(page: Directory, has_features: bool) -> tuple[str, ...]:
    """A line if samples are colours because tifffile stores any array of three planes, or four, as such."""
    text = str(page.values.get(_DESCRIPTION, ""))
    told = re.search(r'"axes": *"([A-Z]*)"', text)
    if not text.startswith('{"shape"') or page.number(_PLANAR, 1) != 2 or page.number(_PHOTOMETRIC, 1) != _RGB:
        return ()
    if told and "S" in told[1]:
        return ()
    count = page.number(_SAMPLES, 1)
    what = f"its {count} planes are taken as red, green and blue, as tifffile has stored them"
    channels = f", {option('features', 'bands')} as channels" if has_features else ""
    return (f"{what}; {option('axes', 'ZYX')} takes them as slices{channels}",)


def names_samples(series: Series, axes: str) -> bool:
    """Whether letters name the axes of a series, but its samples are no channels by them."""
    lead, page = axes[: len(series.axes)], axes[len(series.axes) :]
    if "S" not in series.page or len(page) != 3 or len({*axes}) < len(axes) or {*lead} & {*"YX"}:
        return False
    return page.replace(page[series.page.index("S")], "") == "YX"


def renamed(series: Series, axes: str, name: str) -> Series:
    """The series with the axes that a user names; raise ImageError if they do not fit."""
    if not fits(series, axes):
        sizes = " × ".join(map(str, series.lengths))
        lying = f"{sizes} planes stored as {series.page}" if series.lengths else f"a plane stored as {series.page}"
        letters = "1 letter" if len(series.lengths) == 1 else f"{len(series.lengths)} letters"
        wanted = f"give {letters} before {series.page}" if series.lengths else f"give {series.page}"
        raise ImageError(f"{name}: {option('axes', axes)} does not fit {lying}; {wanted}")
    lead = axes[: len(series.axes)]
    return series._replace(axes=lead, told=True, channel_names=series.channel_names if lead == series.axes else ())


class _Page(NamedRecord):
    """What decides how a page goes with others: NewSubfileType, its size and type, its axes, and pages within it."""

    kind: int
    likeness: tuple[int, ...]
    axes: str
    inside: tuple[int, ...] = ()


def _page_by_page(data: bytes) -> Holdings:
    """Each page an image; of one size, they lie along one axis. Masks are none."""
    pages = dict(_pages(data))
    inside = {at: _page_of(directory_at(data, at)) for found in pages.values() for at in found.inside if at}
    main = [at for at, found in pages.items() if not found.kind & MASK] or list(pages)
    whole = [at for at in main if not pages[at].kind & REDUCED] or main
    everything, taken = pages | inside, set(whole)
    rest = [at for at, found in everything.items() if at not in taken and not found.kind & MASK]
    reduced = [at for at in rest if everything[at].kind & REDUCED]
    whole += [at for at in rest if not everything[at].kind & REDUCED]
    if len(whole) > 1 and len({everything[at].likeness for at in whole}) == 1:
        series = [Series("Q", (len(whole),), [Plane(at) for at in whole], everything[whole[0]].axes)]
    else:
        series = [Series("", (), [Plane(at)], everything[at].axes) for at in whole]
    return Holdings(tuple(series), tuple(Series("", (), [Plane(at)], everything[at].axes) for at in reduced))


def _pages(data: bytes) -> Iterator[tuple[int, _Page]]:
    """All pages in order. Those with the same short tags as one before are like it: most files have many such pages."""
    known: dict[tuple[tuple[int, ...], ...], _Page] = {}
    for offset in page_offsets(data):
        key = tuple(short_tags(data, offset, _DECISIVE))
        if key not in known or known[key].inside:
            known[key] = _page_of(directory_at(data, offset))
        yield offset, known[key]


def _page_of(page: Directory) -> _Page:
    likeness = tuple(page.number(code, 0) for code in (_WIDTH, _HEIGHT, _SAMPLES, _BITS, _PLANAR))
    axes = "YX" if page.number(_SAMPLES, 1) == 1 else "SYX" if page.number(_PLANAR, 1) == 2 else "YXS"
    return _Page(page.number(_SUBFILE, 0), likeness, axes, tuple(page.numbers(_INSIDE)[:MOST_INSIDE].tolist()))


def _is_sound(text: str) -> bool:
    """Whether a description speaks of a number of planes that can be."""
    if any(int(number[:12]) > MOST_PLANES for number in _SIZES.findall(text)):
        return False
    parts = _ELEMENTS.findall(text) if text.rstrip().endswith("OME>") else []
    return all(np.prod([float(n) for n in _SIZES.findall(part)] or [1]) <= MOST_PLANES for part in parts)


def _by_tifffile(data: bytes, text: str) -> Holdings | None:
    """The series that tifffile sees; None if one of them is not made of whole planes."""
    import tifffile

    stream = io.BytesIO(data)
    found = None
    try:
        found = _told(tifffile.TiffFile(stream), text)
    except tifffile.TiffFileError as error:  # a ValueError only since 2025
        raise ValueError(str(error)) from error
    finally:
        if found is None:
            stream.close()
    return found and found._replace(release=stream.close)  # its parts refer to one another, and so hold the file


def _told(file: Any, text: str) -> Holdings | None:
    """What an open file of tifffile's holds."""
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
    planes = _Planes(found, math.prod(lengths))
    if not planes.exist():
        return None
    unknown = {"Q", "I"} & {*found.axes[:lead]}
    along = next((length for axis, length in zip(axes, lengths, strict=True) if axis == "C"), 1)
    if page != "YX" and key.samplesperpixel == len(names):
        along = len(names)
    return Series(axes, lengths, planes, page, not unknown, names if len(names) == along else ())


class _Planes(Sequence[Plane | None]):
    """The planes of a series of tifffile's, each looked up when it is asked for."""

    def __init__(self, found: Any, count: int) -> None:
        self.found, self.length = found, count

    def exist(self) -> bool:
        """Whether there are as many as the axes want, one after another; raise IndexError if pages are missing."""
        if self.found.is_truncated:
            key = self.found.keyframe
            return bool(key.compression == 1 and key.is_contiguous)
        return len(self.found) == self.length and (self.found[self.length - 1], True)[1]

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, at: int) -> Plane | None: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Plane | None]: ...
    def __getitem__(self, at: int | slice) -> Plane | Sequence[Plane | None] | None:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(self.length))]
        if self.found.is_truncated:
            key = self.found.keyframe
            return Plane(key.offset, at * math.prod(key.shape) * key.dtype.itemsize)
        page = self.found[at]
        return None if page is None or page.parent is not self.found.parent else Plane(page.offset)


def _unique(axes: str) -> str:
    """The axes with letters that stand there twice replaced."""
    spare = iter(letter for letter in _SPARE if letter not in axes)
    return "".join(next(spare) if axis in axes[:at] else axis for at, axis in enumerate(axes))
