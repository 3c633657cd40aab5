"""What files call their channels: ImageJ's labels, OME's names, GDAL's descriptions of bands, ENVI's band names."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LONGEST = 80  # characters of a name
_IMAGES = re.compile(r"<(?:\w+:)?Image[\s>].*?</(?:\w+:)?Image\s*>", re.DOTALL)
_CHANNELS = re.compile(r"<(?:\w+:)?Channel[\s>/][^>]*>")
_NAME = re.compile(r"""\sName\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BAND = re.compile(r'<Item name="DESCRIPTION"[^>]*\ssample="(\d+)"[^>]*>([^<]*)</Item>')


def ome_names(text: str, image: int) -> tuple[str, ...]:
    """The names of the channels of an image, from 0, in OME-XML; empty if one has none."""
    elements = _IMAGES.findall(text)
    if image >= len(elements):
        return ()
    found = [_NAME.search(channel) for channel in _CHANNELS.findall(elements[image])]
    return _sound([html.unescape(name[1] or name[2] or "") if name else "" for name in found])


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
