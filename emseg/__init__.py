"""Segment images with mixture models and the EM algorithm.

>>> import emseg
>>> result = emseg.segment("photo.png", k=4)  # doctest: +SKIP

The names below are loaded on first use, so that `import emseg` and `emseg --help` cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emseg.errors import EmsegError
    from emseg.image.model import Image
    from emseg.image.read import read_image
    from emseg.pipeline.apply import apply
    from emseg.pipeline.compare import Comparison, compare
    from emseg.pipeline.denoise import Denoised, denoise
    from emseg.pipeline.evaluate import evaluate
    from emseg.pipeline.impute import Imputation, impute
    from emseg.pipeline.inpaint import Inpainted, inpaint
    from emseg.pipeline.options import SegmentOptions
    from emseg.pipeline.segment import Segmentation, segment

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Denoised",
    "EmsegError",
    "Image",
    "Imputation",
    "Inpainted",
    "SegmentOptions",
    "Segmentation",
    "__version__",
    "apply",
    "compare",
    "denoise",
    "evaluate",
    "impute",
    "inpaint",
    "read_image",
    "segment",
]

_HOME = {
    "Comparison": "emseg.pipeline.compare",
    "Denoised": "emseg.pipeline.denoise",
    "EmsegError": "emseg.errors",
    "Imputation": "emseg.pipeline.impute",
    "Inpainted": "emseg.pipeline.inpaint",
    "impute": "emseg.pipeline.impute",
    "inpaint": "emseg.pipeline.inpaint",
    "Image": "emseg.image.model",
    "SegmentOptions": "emseg.pipeline.options",
    "Segmentation": "emseg.pipeline.segment",
    "apply": "emseg.pipeline.apply",
    "compare": "emseg.pipeline.compare",
    "denoise": "emseg.pipeline.denoise",
    "evaluate": "emseg.pipeline.evaluate",
    "read_image": "emseg.image.read",
    "segment": "emseg.pipeline.segment",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'emseg' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
