"""Connected regions of a segmentation, and the description that they are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.image.model import Image

if TYPE_CHECKING:
    from emseg.regions.described_image import DescribedImage
    from emseg.regions.table import Regions


def description_of(
    photo: Image, inside: NDArray[np.bool_] | None, features: Features, with_texture: bool
) -> DescribedImage:
    """What regions are compared by: the features and, if it is wanted, texture.

    Parameters
    ----------
    photo : Image
    inside : ndarray of bool, shape (H, W), optional
        Pixels to use.
    features : Features
    with_texture : bool
        Whether texture counts too; not where the features are texture already.
    """
    from emseg.regions.described_image import describe_image  # most segmentations do without
    from emseg.regions.texture_planes import texture_planes

    texture = texture_planes(photo, inside) if with_texture and features.spec != "texture" else None
    return describe_image(features, photo.metadata.get("volume"), texture)


def connected_regions(
    labels: NDArray[np.unsignedinteger[Any]],
    posterior: NDArray[np.float32],
    features: Features,
    *,
    smallest: int | str,
    merge: float | str,
    independent_area: float | None,
    description: DescribedImage | None,
) -> tuple[Regions, dict[str, object]]:
    """Connected regions of labels, and `regions` of the report.

    Parameters
    ----------
    labels : ndarray of unsigned int, shape (H, W) or (Z, H, W)
    posterior : ndarray of float32, shape (K, H, W) or (K, Z, H, W)
    features : Features
    smallest : int or "auto"
        Pixels that a region has at least.
    merge : float, "auto" or "default"
        How much alike adjacent regions must be to become one.
    independent_area : float, optional
        Pixels that one independent sample takes, if that is known.
    description : DescribedImage, optional
        What regions are compared by, where their number is that of the shortest description.
    """
    from emseg.regions.table import find_regions

    alike = "auto" if description is not None else 0.0 if merge == "default" else merge
    return find_regions(labels, posterior, features, smallest, alike, independent_area, description)
