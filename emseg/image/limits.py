"""Which page of a file to read, and how large it may be. A header can claim any size, so it is judged first."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Protocol

from emseg.errors import ImageError, option
from emseg.records import NamedRecord

MAX_PIXELS = 500_000_000  # width × height: a header that claims more is more likely wrong than right
SHARE = 0.8  # of the memory that is free, by default
ANY_MACHINE = 64 << 20  # bytes that nobody needs to ask for
#: Bytes that Python takes with the libraries of a segmentation (44 to 48 MB measured), and an image so small that it
#: adds nothing to speak of. Who says how much memory a run may take means all of it.
PROCESS, LITTLE = 48_000_000, 8_000_000
#: Bytes a pixel that a plain fit takes besides the stored samples: of few distinct values; and of many, for each pixel
#: and for each of its samples. `emseg.stages.inputs.memory` has the measurements, and knows what options add.
WORKING = 24
WORKING_MANY, WORKING_SAMPLE = 64, 24
#: The table of all 2²⁴ values of three bytes: bytes as far as it is used, and of an image with few pixels, for each.
TABLE, TABLE_PIXEL = 18_000_000, 130


class Working(Protocol):
    """What is to be done with an image, as far as its memory depends on it."""

    def bytes_per_pixel(self, pixels: int, channels: int, itemsize: int) -> int:
        """Bytes a pixel besides the stored values, for an image of so many pixels, and bytes a channel."""


class PlainFit:
    """A fit of a mixture to the stored values, and no more."""

    def bytes_per_pixel(self, pixels: int, channels: int, itemsize: int) -> int:
        """Bytes a pixel besides the stored values."""
        few = itemsize * channels <= 3  # as many bits as a table of all values may have
        return (WORKING if few else WORKING_MANY + WORKING_SAMPLE * channels) + table_of(pixels, channels, itemsize)


def table_of(pixels: int, channels: int, itemsize: int) -> int:
    """Bytes a pixel of the table of all values."""
    return min(TABLE_PIXEL, TABLE // pixels) if itemsize * channels == 3 else 0


class Fourth(NamedRecord):
    """What options want of a fourth channel that its file says nothing of, see `emseg.image.missing.fourth_channel`.

    Attributes
    ----------
    wanted : str
        ``"band"``, ``"opacity"``, or ``"colours"`` where the first three must be colours; empty to go by its values.
    has_features : bool
        Whether the command has an option for features, which lines may then name.
    """

    wanted: str = ""
    has_features: bool = False


#: No option says anything of a fourth channel.
ANY_FOURTH = Fourth()


class Reading(NamedRecord):
    """How to read.

    Attributes
    ----------
    page : int
        Which of several pages, frames or arrays, from 1; 0 is the first because nobody said which.
    max_pixels : int or None
        Largest width × height; None is `MAX_PIXELS`.
    max_memory : int or None
        Bytes that reading and fitting may take by a rough estimate; None is a share of what is free.
    working : Working or None
        What is to be done with the image; None is a plain fit.
    axes : str
        What the axes of the stored array mean, a letter each, see `emseg.image.axes`; empty to go by the file.
    channels : tuple of int or str
        Which channels are wanted, by number from 1 or by name; empty for all.
    goes_with : str
        Of a mask or a label map, what kind of image it is for: ``"plane"`` or ``"volume"``. Its arrays are taken as
        they are stored, and pages without a meaning are the slices of a volume. Empty for images.
    fourth : Fourth
        What options want of a fourth channel.
    truncated_ok : bool
        Whether a file that ends early is read as far as its rows are known.
    saves : tuple of str
        Kinds of results that will be written, as far as their memory counts, see `emseg.output.registry.KINDS`.
    """

    page: int = 0
    max_pixels: int | None = None
    max_memory: int | None = None
    working: Working | None = None
    axes: str = ""
    channels: tuple[int | str, ...] = ()
    goes_with: str = ""
    fourth: Fourth = ANY_FOURTH
    truncated_ok: bool = False
    saves: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number of the page, from 1."""
        return self.page or 1

    def require(self, width: int, height: int, name: str, channels: int = 1, itemsize: int = 1) -> None:
        """Raise ImageError for an image without pixels, with too many, or too large for the memory."""
        if width < 1 or height < 1 or channels < 1:
            size = f"{width} × {height}" if channels > 0 else f"{width} × {height} × {channels}"
            raise ImageError(f"{name}: has no pixels ({size}); export it again from its source")
        most, pixels = self.max_pixels or MAX_PIXELS, width * height
        if pixels > most:
            raise ImageError(
                f"{name}: {width} × {height} pixels are more than {most:,}; crop it or scale it down "
                f"({option('max_pixels')})"
            )
        need = pixels * (channels * itemsize + (self.working or PlainFit()).bytes_per_pixel(pixels, channels, itemsize))
        if need <= (ANY_MACHINE if self.max_memory is None else LITTLE):
            return
        memory = free_memory() if self.max_memory is None else self.max_memory
        need += 0 if self.max_memory is None else PROCESS
        if need > memory:
            raise ImageError(
                f"{name}: {width} × {height} pixels take about {_amount(need)} of memory, allowed are "
                f"{_amount(memory)}; crop it or scale it down ({option('max_memory')})"
            )

    def require_page(self, pages: int, name: str) -> None:
        """Raise ImageError if the file has fewer pages than the one to read."""
        if self.page > pages:
            raise ImageError(f"{name}: there is no page {self.page}; it has {pages} ({option('page')})")


def free_memory() -> int:
    """Bytes that one image may take: a share of the free memory of the machine, or of the container if that is less."""
    free = sys.maxsize
    with suppress(OSError, ValueError, AttributeError):  # other systems say only how much there is
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as file:
        free = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))
    with suppress(OSError, ValueError):
        most, used = (_number(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
        free = min(free, max(most - used, 0))
    return int(free * SHARE)


def _amount(size: int) -> str:
    """A number of bytes as people write it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())
