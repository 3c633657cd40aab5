"""What `segment` does to an image before it measures features: take out noise and uneven light, if that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.records import NamedRecord
from emseg.stages.stopwatch import Stopwatch


class Prepared(NamedRecord):
    """An image as `segment` goes on with it.

    Attributes
    ----------
    original : Image
        Denoised if that is wanted, with all notices: what results are drawn on.
    photo : Image
        Without its uneven illumination, too: what features are measured of.
    gain : ndarray of float32, shape (H, W), optional
        That illumination, if the option `bias_field` asks for it.
    report : mapping, optional
        What the report says of it.
    """

    original: Image
    photo: Image
    gain: NDArray[np.float32] | None
    report: Mapping[str, Any] | None


def prepared(
    photo: Image,
    inside: NDArray[np.bool_] | None,
    settings: SegmentOptions,
    rng: np.random.Generator,
    watch: Stopwatch,
) -> Prepared:
    """The image without noise and without uneven illumination, as options ask.

    The gain is found with random numbers of its own: an image without one is segmented as without the option.
    """
    if settings.denoise != "off":
        from emseg.commands.denoise import denoise

        photo = denoise(photo, settings.denoise, mask=None if inside is None else inside.astype(np.uint8)).image
        watch.lap("denoise")
    if not settings.bias_field:
        return Prepared(photo, photo, None, None)
    from emseg.restore.bias_field import flattened

    (own,) = rng.spawn(1)
    even, gain, report = flattened(photo, inside, settings.k_range[1], own)
    watch.lap("bias")
    return Prepared(photo.with_notices(*even.notices), even, gain, report)
