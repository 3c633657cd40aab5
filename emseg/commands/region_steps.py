"""The steps that regions add to a segmentation: what they are compared by, and finding them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emseg.commands.results.segmentation import Segmentation
from emseg.errors import for_python, option
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.output.registry import MOST_IDS
from emseg.stages.labels.connected_regions import RegionOptions, connected_regions, description_of
from emseg.stages.stopwatch import Stopwatch

if TYPE_CHECKING:
    from emseg.regions.described_image import DescribedImage


def region_description(
    photo: Image,
    inside: NDArray[np.bool_] | None,
    features: Features,
    settings: SegmentOptions,
    watch: Stopwatch,
) -> DescribedImage:
    """What regions are compared by, where they are to be those of the shortest description."""
    found = description_of(photo, inside, features, with_texture=settings.features == "auto")
    watch.lap("view")
    return found


def with_regions(
    result: Segmentation,
    photo: Image,
    settings: SegmentOptions,
    watch: Stopwatch,
    *,
    independent_area: float | None = None,
    description: DescribedImage | None = None,
) -> Segmentation:
    """The segmentation with the connected regions of the image as it was read, and what the report says of them."""
    found = connected_regions(
        photo,
        result.labels,
        result.posterior(),
        result.features,
        RegionOptions(
            settings.regions or "auto", settings.merge, settings.objects, settings.neck if settings.split else None
        ),
        classes=result.mixture.n_classes,
        independent_area=independent_area,
        description=description,
    )
    watch.lap("regions")
    notices = *found.notices, *_many(found.regions.count)
    report = result.report | {
        "regions": found.facts,
        "warnings": [*result.report["warnings"], *map(for_python, notices)],
        "seconds": dict(watch.seconds),
    }
    return replace(result, regions=found.regions, report=report, notices=(*result.notices, *notices))


def _many(regions: int) -> tuple[str, ...]:
    """A line for more regions than a PNG can number."""
    if regions <= MOST_IDS:
        return ()
    line = f"{regions} regions are more than a PNG numbers, so their map is a TIFF of 32 bits"
    return (f"{line}; larger {option('regions')} gives fewer",)
