"""Reading images: formats, orientation, transparency, limits, and one clear line for every bad input."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emseg.errors import shown
    from emseg.image.limits import Reading
    from emseg.image.model import Image
    from emseg.image.read import Source, count_pages, decode_image, read_image, read_mask

__all__ = ["Image", "Reading", "Source", "count_pages", "decode_image", "read_image", "read_mask", "shown"]

_HOME = {"Image": "emseg.image.model", "Reading": "emseg.image.limits", "shown": "emseg.errors"}


def __getattr__(name: str) -> object:
    """Load a name on first use (PEP 562): the command line needs the limits before it needs numpy."""
    if name not in __all__:
        raise AttributeError(f"module 'emseg.image' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME.get(name, "emseg.image.read")), name)
