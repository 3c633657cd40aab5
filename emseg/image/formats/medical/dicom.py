"""DICOM images, read by pydicom once their header is known to be of an allowed size.

Stored values are rescaled to the modality's, Hounsfield units for CT (PS3.3, C.11.1). MONOCHROME1 is turned round, so
that white is the largest. Padding is no data. Frames with positions are the slices of a volume; others are images.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import EmsegError, ImageError, shown
from emseg.image.axes import Arrangement, arrangement, of_pages
from emseg.image.damage.jpeg_scans import markers, require_few_scans
from emseg.image.formats.medical.place import Slices, sides_of, slices_of
from emseg.image.formats.medical.voxels import image_of_voxels
from emseg.image.limits import Reading
from emseg.image.missing.nodata import without_data
from emseg.image.model import Image

logging.getLogger("pydicom").addHandler(logging.NullHandler())  # its doubts are errors here, or nothing

_DEFLATED = b"1.2.840.10008.1.2.1.99"  # a transfer syntax that pydicom unpacks without a limit
_META = 1 << 12  # bytes at the start of a file within which its transfer syntax is named
_PIXELS = "PixelData", "FloatPixelData", "DoubleFloatPixelData"
_NEEDED = "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated"
_PALETTE = "PALETTE COLOR"
REMEDY = "pip install 'pylibjpeg[all]'"
_JPEG_2000 = b"\xff\x4f\xff\x51"
_INTEGERS = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)


@contextmanager
def _one_kind_of_error() -> Iterator[None]:
    """Turn whatever pydicom raises for damaged files into ValueError: it has errors of many kinds."""
    try:
        yield
    except (EmsegError, MemoryError, ModuleNotFoundError):
        raise
    except RecursionError as error:
        raise ValueError("its sequences are nested too deeply") from error
    except Exception as error:
        raise ValueError(str(error)) from error


@_one_kind_of_error()
def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode an image or a volume.

    Raises
    ------
    ImageError
        If it is too large, of a kind that is not read, or pydicom is not installed.
    ValueError
        If the file is damaged.
    """
    dataset = _parsed(data, name)
    slices, arranged = _arranged(dataset, name, how)
    size = 8 if "DoubleFloatPixelData" in dataset else max(1, int(dataset.get("BitsAllocated", 32)) // 8)
    arranged.require(name, how, size)
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    single = how.number - 1 if "Z" not in arranged.axes and frames > 1 and not how.axes else None
    stored = _pixels(dataset, name, single)
    colours = int(dataset.SamplesPerPixel) > 1 or dataset.PhotometricInterpretation == _PALETTE
    absent = None if colours else _padding(dataset, stored)
    values = stored if colours else _of_modality(_upright(stored, dataset), dataset)
    if slices is not None and "Z" in arranged.axes and not how.axes:
        order = list(slices.order)
        values, absent = values[order], None if absent is None else absent[order]
    if single is not None:
        arranged = Arrangement(arranged.axes[1:], values.shape)
    elif len(arranged.axes) < values.ndim:  # a palette was looked up
        arranged = Arrangement(arranged.axes + "C", values.shape)
    one = how._replace(page=1) if single is not None else how
    affine, sides = (slices.affine, slices.sides) if slices is not None else (None, sides_of(dataset))
    image = image_of_voxels(values, arranged, name, one, affine, sides, colours)
    if absent is not None:
        gone = Arrangement(arranged.axes, absent.shape).ordered(absent, one.number)
        image = without_data(image, gone.reshape(*image.shape, 1))
    if single is not None:
        image = of_pages(image, how, frames, "frame")
    if frames == 1 and slices is not None:
        image = replace(image, metadata={**image.metadata, "slice": slices.key})
    return image


@_one_kind_of_error()
def count(data: bytes, name: str, how: Reading) -> int:
    """Number of images."""
    return _arranged(_parsed(data, name), name, how)[1].pages


def _parsed(data: bytes, name: str) -> Any:
    """The data set, without its pixels decoded."""
    import pydicom

    if _DEFLATED in data[:_META]:
        raise ImageError(f"{name}: deflated DICOM is not read; save it uncompressed, as gdcmconv does")
    try:
        dataset = pydicom.dcmread(io.BytesIO(data))
    except pydicom.errors.InvalidDicomError as error:
        raise ValueError("there is no DICOM in it") from error
    if not any(word in dataset for word in _PIXELS):
        what = shown(dataset.SOPClassUID.name) if "SOPClassUID" in dataset else "of no known class"
        raise ImageError(f"{name}: a DICOM file without pixels ({what[:60]}); name the files of images")
    for word in _NEEDED:
        if dataset.get(word) is None:
            raise ValueError(f"the header does not tell {word}")
    return dataset


def _arranged(dataset: Any, name: str, how: Reading) -> tuple[Slices | None, Arrangement]:
    """Where the frames are, if they are slices; and the axes of the stored array."""
    frames, samples = int(dataset.get("NumberOfFrames", 1) or 1), int(dataset.SamplesPerPixel)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    slices = slices_of(dataset, frames)
    shape = (*[frames] * (frames > 1), rows, columns, *[samples] * (samples > 1))
    letters = ("Z" if slices is not None else "T") * (frames > 1) + "YX" + "C" * (samples > 1)
    return slices, arrangement(shape, how.axes, name) if how.axes else Arrangement(letters, shape)


def _pixels(dataset: Any, name: str, frame: int | None) -> NDArray[Any]:
    """The stored values, or those of a frame; colours are red, green and blue."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        try:
            usable = get_decoder(syntax).is_available
        except NotImplementedError:
            usable = False
        if not usable:
            raise ImageError(f"{name}: holds {syntax.name}, which needs pylibjpeg; {REMEDY}")
        for part in _frames(dataset):
            _require_size(part, int(dataset.Columns), int(dataset.Rows))
    try:
        found: NDArray[Any] = pixel_array(dataset, index=frame)
    except RuntimeError as error:
        if not syntax.is_encapsulated or find_spec("pylibjpeg"):
            raise
        raise ImageError(f"{name}: holds {syntax.name} that pydicom alone does not read; {REMEDY}") from error
    return _in_8_bits(apply_color_lut(found, dataset)) if dataset.PhotometricInterpretation == _PALETTE else found


def _in_8_bits(colours: NDArray[Any]) -> NDArray[Any]:
    """Colours of a palette of 16 bits in 8, where these hold them all."""
    exact = colours.dtype == np.uint16 and not ((colours % 257).any() and (colours & 255).any())
    return (colours >> 8).astype(np.uint8) if exact and (colours > 255).any() else colours


def _frames(dataset: Any) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames

    yield from generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1) or 1))


def _require_size(frame: bytes, columns: int, rows: int) -> None:
    """Raise ValueError if a JPEG or JPEG 2000 says to be of another size than its file, before room is made for it."""
    size = columns, rows
    if frame.startswith(b"\xff\xd8"):
        require_few_scans(frame)
        size = markers(frame).size
    elif frame.startswith(_JPEG_2000):
        right, bottom, left, top = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
        size = right - left, bottom - top
    if size != (columns, rows):
        raise ValueError("a frame is not of the size that the header says")


def _range(dataset: Any) -> tuple[int, int]:
    """The least and the largest value that can be stored."""
    bits = int(dataset.get("BitsStored", dataset.BitsAllocated))
    signed = int(dataset.get("PixelRepresentation", 0))
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def _upright(stored: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """The stored values with the largest as white."""
    if dataset.PhotometricInterpretation != "MONOCHROME1" or stored.dtype.kind == "f":
        return stored
    return (sum(_range(dataset)) - stored.astype(np.int64)).astype(stored.dtype)


def _padding(dataset: Any, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where there is padding (PS3.3, C.7.5.1.1.2); None if there is none."""
    if "PixelPaddingValue" not in dataset or stored.dtype.kind == "f":
        return None
    ends = [dataset.PixelPaddingValue, dataset.get("PixelPaddingRangeLimit", dataset.PixelPaddingValue)]
    if not all(isinstance(value, int) for value in ends):
        return None
    least, largest = _range(dataset)
    low, high = sorted(value - (1 << 16) if value > largest and least < 0 else value for value in ends)
    absent: NDArray[np.bool_] = (stored >= low) & (stored <= high)
    return absent if absent.any() else None


def _of_modality(stored: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """Values of the modality: those of the table, or the stored ones by a slope and an intercept, frame by frame."""
    if "ModalityLUTSequence" in dataset:
        from pydicom.pixels.processing import apply_modality_lut

        return np.asarray(apply_modality_lut(stored, dataset))
    lines = list(_lines(dataset, stored.shape[0] if stored.ndim > 2 else 1))
    if len(set(lines)) == 1:
        return _on_line(stored, *lines[0], _range(dataset))
    return np.stack([stored[at] * slope + intercept for at, (slope, intercept) in enumerate(lines)]).astype(np.float32)


def _lines(dataset: Any, frames: int) -> Iterator[tuple[float, float]]:
    """The slope and the intercept of each frame."""
    shared: Any = dataset.get("SharedFunctionalGroupsSequence") or [{}]
    each: Any = dataset.get("PerFrameFunctionalGroupsSequence") or []
    for at in range(frames):
        groups: tuple[Any, Any] = each[at] if at < len(each) else {}, shared[0]
        found = next(
            (g.PixelValueTransformationSequence[0] for g in groups if "PixelValueTransformationSequence" in g), dataset
        )
        yield float(found.get("RescaleSlope", 1) or 1), float(found.get("RescaleIntercept", 0) or 0)


def _on_line(stored: NDArray[Any], slope: float, intercept: float, ends: tuple[int, int]) -> NDArray[Any]:
    """Stored values by a slope and an intercept, as integers if that is exact; the type holds all that there can be."""
    if (slope, intercept) == (1, 0):
        return stored
    if stored.dtype.kind == "f" or not (slope.is_integer() and intercept.is_integer()):
        exact = stored.astype(np.float64) * slope + intercept
        return exact if stored.dtype.itemsize > 2 else exact.astype(np.float32)
    low, high = sorted(end * int(slope) + int(intercept) for end in ends)
    fitting = (kind for kind in _INTEGERS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return (stored.astype(np.int64) * int(slope) + int(intercept)).astype(next(fitting, np.int64))
