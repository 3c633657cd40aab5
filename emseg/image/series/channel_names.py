"""What files call their channels: ImageJ's labels, OME's names, GDAL's descriptions of bands, ENVI's band names."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LONGEST = 80  # characters of a name
_BAND = re.compile(r'<Item name="DESCRIPTION"[^<>]*\ssample="(\d+)"[^<>]*>([^<]*)</Item>')


def ome_names(text: str) -> list[tuple[str, ...]]:
    """The names of the channels of each image in OME-XML; empty for an image of which one has none."""
    from xml.etree import ElementTree  # most files are none of OME's

    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return []
    images = [element for element in root if _tag(element) == "Image"]
    return [
        _sound([
            channel.get("Name", "")
            for pixels in image if _tag(pixels) == "Pixels"
            for channel in pixels if _tag(channel) == "Channel"
        ])
        for image in images
    ]  # fmt: skip


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def imagej_names(metadata: Mapping[str, Any], axes: str, shape: Sequence[int]) -> tuple[str, ...]:
    """The labels of the first plane of each channel, if they tell channels apart; ImageJ has a label a plane."""
    labels = metadata.get("Labels")
    lead = len(axes) - len(axes.rstrip("YXS"))
    lengths = tuple(shape[: len(shape) - lead])
    if not isinstance(labels, list | tuple) or "C" not in axes or len(labels) != np.prod(lengths):
        return ()
    place = axes.index("C")
    planes = np.moveaxis(np.arange(len(labels)).reshape(lengths), place, -1).reshape(-1, lengths[place])
    return _sound([str(labels[at]) for at in planes[0]])


def gdal_names(metadata: Any, bands: int) -> tuple[str, ...]:
    """The descriptions of all bands in GDAL's metadata, TIFF tag 42112."""
    found = {int(sample[:6]): html.unescape(name) for sample, name in _BAND.findall(str(metadata or ""))}
    return _sound([found.get(band, "") for band in range(bands)])


def envi_names(text: str, bands: int) -> tuple[str, ...]:
    """The names in braces of an ENVI header's `band names`."""
    found = [part.strip() for part in text.strip().strip("{}").split(",")]
    return _sound(found) if len(found) == bands else ()


def _sound(names: Sequence[str]) -> tuple[str, ...]:
    """The names on one line each; none if one is empty or two are alike."""
    found = tuple("".join(c for c in " ".join(name.split()) if c.isprintable())[:LONGEST] for name in names)
    return found if all(found) and len({*found}) == len(found) else ()
