"""What `segment` does to an image before it measures features: take out noise and uneven light, if that is wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.options.segmentation import SegmentOptions
from emseg.stages.stopwatch import Stopwatch


def without_noise(photo: Image, inside: NDArray[np.bool_] | None, settings: SegmentOptions) -> Image:
    """The image, denoised if that is wanted."""
    if settings.denoise == "off":
        return photo
    from emseg.commands.denoise import denoise  # most segmentations do without

    return denoise(photo, settings.denoise, mask=None if inside is None else inside.astype(np.uint8)).image


def evenly_lit(
    photo: Image,
    inside: NDArray[np.bool_] | None,
    settings: SegmentOptions,
    rng: np.random.Generator,
    watch: Stopwatch,
) -> tuple[Image, NDArray[np.float32] | None, dict[str, Any] | None]:
    """The image without its uneven illumination, that illumination, and what the report says of it.

    The last two are None unless the option `bias_field` asks for them. They have random numbers of their own: an image
    in which no gain is found is segmented as without the option.
    """
    if not settings.bias_field:
        return photo, None, None
    from emseg.restore.bias_field import flattened

    (own,) = rng.spawn(1)
    found = flattened(photo, inside, settings.k_range[1], own)
    watch.lap("bias")
    return found.image, found.gain, found.report
