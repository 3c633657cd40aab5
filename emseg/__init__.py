"""Segment images with mixture models and the EM algorithm.

>>> import emseg
>>> result = emseg.segment("photo.png", k=4)  # doctest: +SKIP

The names below are loaded on first use, so that `import emseg` and the help of the command line cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emseg.version import __version__

if TYPE_CHECKING:
    from emseg.commands.apply import apply
    from emseg.commands.compare import Comparison, compare
    from emseg.commands.denoise import Denoised, denoise
    from emseg.commands.evaluate import evaluate
    from emseg.commands.fit import fit
    from emseg.commands.impute import Imputation, impute
    from emseg.commands.inpaint import Inpainted, inpaint
    from emseg.commands.results.model import Model
    from emseg.commands.results.segmentation import Segmentation
    from emseg.commands.segment import segment
    from emseg.errors import EmsegError
    from emseg.image.model import Image
    from emseg.image.read import read_image
    from emseg.options.declarations.segmentation import SegmentOptions

__all__ = [
    "Comparison",
    "Denoised",
    "EmsegError",
    "Image",
    "Imputation",
    "Inpainted",
    "Model",
    "SegmentOptions",
    "Segmentation",
    "__version__",
    "apply",
    "compare",
    "denoise",
    "evaluate",
    "fit",
    "impute",
    "inpaint",
    "read_image",
    "segment",
]

_HOME = {
    "Comparison": "emseg.commands.compare",
    "Denoised": "emseg.commands.denoise",
    "EmsegError": "emseg.errors",
    "Imputation": "emseg.commands.impute",
    "Inpainted": "emseg.commands.inpaint",
    "impute": "emseg.commands.impute",
    "inpaint": "emseg.commands.inpaint",
    "Image": "emseg.image.model",
    "SegmentOptions": "emseg.options.declarations.segmentation",
    "Segmentation": "emseg.commands.results.segmentation",
    "Model": "emseg.commands.results.model",
    "fit": "emseg.commands.fit",
    "apply": "emseg.commands.apply",
    "compare": "emseg.commands.compare",
    "denoise": "emseg.commands.denoise",
    "evaluate": "emseg.commands.evaluate",
    "read_image": "emseg.image.read",
    "segment": "emseg.commands.segment",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'emseg' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    if "**options" in (getattr(value, "__doc__", None) or ""):
        from emseg.options.reference import with_options

        value.__doc__ = with_options(value.__doc__, name)  # what `help` and notebooks show
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
