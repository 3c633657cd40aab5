"""Every format of images that is read: the one list that the readers, checks and documentation use.

To add a format, write a module with a function `decode(data, name, how)` and add a line to `FORMATS`. Importing this
module imports no numpy; a format's module is loaded for the first file of that format.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from emseg.errors import ImageError
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emseg.image.limits import Reading
    from emseg.image.model import Image

HEAD = 132  # bytes at the start of a file that tell its format


class Format(NamedRecord):
    """A format of files. A named tuple, because making a data class would take a millisecond of every start.

    Attributes
    ----------
    name : str
        What messages call it.
    start : bytes
        Regular expression that the first `HEAD` bytes of a file match.
    module : str
        Below `emseg.image.formats`; has `decode`, and further functions as said below.
    kind : str
        What Pillow calls the format, if the module reads several through Pillow. Its functions then take `kind` too.
    suffixes : tuple of str
        Endings of file names, in lower case, if content alone does not tell the format.
    has_pages : bool
        Whether a file may hold several pages, frames or arrays. Then `count(data, name, how)` says how many.
    has_companion : bool
        Whether samples lie in another file. Then `companion(path)` finds it, and `decode` takes its bytes as `samples`.
    has_palette : bool
        Whether stored values may be indices of colours. Then `palette_indices(data)` reads them.
    is_lossy : bool
        Whether stored values may differ from those that were to be stored.
    holds_labels : bool
        Whether label maps are read from it.
    holds_volumes : bool
        Whether its images are slices of a volume.
    holds_slices : bool
        Whether an image may be slices of a volume by the file's own words.
    takes_axes : bool
        Whether a user may say what the axes of its arrays mean.
    package, extra : str
        What the module imports that is no dependency of emseg, and the extra of emseg that installs it.
    """

    name: str
    start: bytes
    module: str
    kind: str = ""
    suffixes: tuple[str, ...] = ()
    has_pages: bool = False
    has_companion: bool = False
    has_palette: bool = False
    is_lossy: bool = False
    holds_labels: bool = False
    holds_volumes: bool = False
    holds_slices: bool = False
    takes_axes: bool = False
    package: str = ""
    extra: str = ""

    def matches(self, head: bytes, path: str) -> bool:
        """Whether a file with these first bytes and this name is of this format."""
        named = not self.suffixes or path.lower().endswith(self.suffixes)
        return named and re.match(self.start, head, re.DOTALL) is not None

    def decode(self, data: bytes, name: str, how: Reading, samples: bytes | None = None) -> Image:
        """The image in a file's bytes; `name` is what messages call it, `samples` are the bytes of its companion.

        Raises
        ------
        ImageError
            If it is too large, of a kind that is not read, or a package is missing.
        ValueError, OSError and others
            Whatever a decoder raises for a damaged file.
        """
        more: dict[str, Any] = {"samples": samples} if self.has_companion else {}
        more |= {"kind": self.kind} if self.kind else {}
        try:
            image: Image = self._module.decode(data, name, how, **more)
        except ModuleNotFoundError as error:
            if not self.extra or error.name != self.package:
                raise
            raise ImageError(f"{name}: {self.name} needs {self.package}; pip install {self.package}") from error
        return image

    def count_pages(self, data: bytes, name: str, how: Reading) -> int:
        """The number of pages, frames or arrays in a file's bytes, by the axes of `how`; raises what `decode` does."""
        if not self.has_pages:
            return 1
        more = {"kind": self.kind} if self.kind else {}
        return int(self._module.count(data, name, how, **more))

    def companion(self, path: str) -> str | None:
        """The path of the file that holds the samples, if it is not the same; ImageError if there is none."""
        found: str | None = self._module.companion(path) if self.has_companion else None
        return found

    def palette_indices(self, data: bytes) -> NDArray[Any] | None:
        """The stored indices (H, W) of an image with a palette; None of an image without one."""
        if not self.has_palette:
            return None
        more = {"kind": self.kind} if self.kind else {}
        indices: NDArray[Any] | None = self._module.palette_indices(data, **more)
        return indices

    @property
    def _module(self) -> Any:
        return import_module(f"emseg.image.formats.{self.module}")


FORMATS: tuple[Format, ...] = (
    # DICOM may begin as TIFF.
    Format(
        "DICOM",
        rb".{128}DICM",
        "medical.dicom",
        has_pages=True,
        holds_slices=True,
        takes_axes=True,
        package="pydicom",
        extra="dicom",
    ),
    Format("PNG", rb"\x89PNG\r\n\x1a\n", "pillow", "PNG", has_pages=True, has_palette=True, holds_labels=True),
    Format("JPEG", rb"\xff\xd8\xff", "pillow", "JPEG", has_pages=True, is_lossy=True),
    Format(
        "TIFF", rb"II[*+]\0|MM\0[*+]", "tiff", has_pages=True, takes_axes=True, holds_labels=True, holds_slices=True
    ),
    Format("GIF", rb"GIF8", "pillow", "GIF", has_pages=True, has_palette=True),
    Format("BMP", rb"BM", "pillow", "BMP", has_pages=True),
    Format("WebP", rb"RIFF....WEBP", "pillow", "WEBP", has_pages=True, is_lossy=True),
    Format("AVIF", rb"....ftypavi[fs]", "avif", "AVIF", has_pages=True, is_lossy=True),
    Format(
        "JPEG 2000",
        rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51\0",
        "jpeg2000",
        "JPEG2000",
        has_pages=True,
        is_lossy=True,
    ),
    Format("NPY", rb"\x93NUMPY", "numpy_files", has_pages=True, takes_axes=True),
    Format("NPZ", rb"PK\x03\x04", "numpy_files", has_pages=True, takes_axes=True),
    Format("PNM", rb"P[23567fF]", "pnm"),
    Format("PBM", rb"P[14]", "pillow", "PPM", has_pages=True),  # a bit a sample
    Format(
        "ENVI", rb"(\xef\xbb\xbf)?ENVI", "envi", has_pages=True, takes_axes=True, has_companion=True, holds_labels=True
    ),
    Format(
        "NRRD", rb"NRRD000\d", "medical.nrrd", has_pages=True, takes_axes=True, holds_labels=True, holds_slices=True
    ),
    Format(
        "MetaImage",
        rb"(ObjectType|ObjectSubType|NDims|Comment) *=",
        "medical.metaimage",
        takes_axes=True,
        holds_slices=True,
        has_pages=True,
        has_companion=True,
        holds_labels=True,
    ),
    Format(  # gzip, or the length of a NIfTI-1 or NIfTI-2 header, 348 or 540, in either order of bytes
        "NIfTI",
        rb"\x1f\x8b|\x5c\x01\0\0|\0\0\x01\x5c|\x1c\x02\0\0|\0\0\x02\x1c",
        "nifti",
        takes_axes=True,
        suffixes=(".nii", ".nii.gz"),
        holds_labels=True,
        has_pages=True,
        holds_volumes=True,
        package="nibabel",
        extra="nifti",
    ),
)
#: Endings of file names that say that the image is a volume.
VOLUMES = tuple(suffix for entry in FORMATS if entry.holds_volumes for suffix in entry.suffixes)


def format_of(head: bytes, name: str) -> Format:
    """The format of a file with these first bytes and this name.

    Raises
    ------
    ImageError
        If the file is empty or of no known format.
    """
    if not head:
        raise ImageError(f"{name}: the file is empty; export it again from its source")
    found = next((entry for entry in FORMATS if entry.matches(head, name)), None)
    if found is None:
        raise ImageError(f"{name}: not an image of a kind that emseg reads; convert it to TIFF or PNG")
    return found
