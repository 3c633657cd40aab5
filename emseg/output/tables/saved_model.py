"""The model file of a segmentation: the fitted mixture, for `apply` and for new starts."""

from __future__ import annotations

from emseg.mixture.saved import model_json
from emseg.output.segmented import Segmented


def model_file(result: Segmented) -> bytes:
    """The mixture of the report as JSON; `emseg.mixture.saved.read_model` reads it back."""
    return model_json(result.report)
