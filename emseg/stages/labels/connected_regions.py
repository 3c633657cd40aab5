"""Connected regions of a segmentation, and the description that they are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.execution import steps
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.options.kinds.text_kinds import WORDS, class_groups
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.regions.described_image import DescribedImage
    from emseg.regions.foreground import Foreground
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
    steps.step("measuring texture")
    from emseg.regions.described_image import describe_image  # most segmentations do without
    from emseg.regions.texture_planes import texture_planes

    texture = texture_planes(photo, inside) if with_texture and features.spec != "texture" else None
    return describe_image(features, photo.metadata.get("volume"), texture)


class RegionOptions(NamedRecord):
    """What regions are asked for.

    Attributes
    ----------
    smallest : int or "auto"
        Pixels that a region has at least.
    merge : float, "auto" or "default"
        How much alike adjacent regions must be to become one; of no meaning to objects.
    foreground : str
        Which classes are objects, see `emseg.options.kinds.text_kinds`; ``"all"`` where regions cover the image.
    neck : float, optional
        Objects are cut where they are this narrow; None cuts nothing.
    """

    smallest: int | str
    merge: float | str = "default"
    foreground: str = "all"
    neck: float | None = None


class FoundRegions(NamedRecord):
    """Regions, `regions` of the report, and lines of what was guessed."""

    regions: Regions
    facts: dict[str, Any]
    notices: tuple[str, ...] = ()


def connected_regions(
    photo: Image,
    labels: NDArray[np.unsignedinteger[Any]],
    posterior: NDArray[np.float32],
    features: Features,
    wanted: RegionOptions,
    *,
    classes: int,
    independent_area: float | None = None,
    description: DescribedImage | None = None,
) -> FoundRegions:
    """Connected regions of labels.

    Parameters
    ----------
    photo : Image
        With the stored values, and the size of a pixel.
    labels : ndarray of unsigned int, shape (H, W) or (Z, H, W)
    posterior : ndarray of float32, shape (K, H, W) or (K, Z, H, W)
    features : Features
    wanted : RegionOptions
    classes : int
        Number of classes; a label above it is noise.
    independent_area : float, optional
        Pixels that one independent sample takes, if that is known.
    description : DescribedImage, optional
        What regions are compared by, where their number is that of the shortest description.

    Raises
    ------
    UsageError
        If a class is named that there is not.
    """
    from emseg.regions.connected import connected_parts
    from emseg.regions.table import Regions, region_table

    steps.step("finding regions")

    notices: tuple[str, ...] = ()
    if wanted.foreground == "all" and wanted.neck is None:
        alike = "auto" if description is not None else 0.0 if wanted.merge == "default" else wanted.merge
        ids, facts = connected_parts(labels, features, wanted.smallest, alike, independent_area, description)
    else:
        ids, facts, notices = _objects(photo, labels, features, wanted, classes)
    return FoundRegions(Regions(ids, region_table(ids, labels, posterior, features, photo)), facts, notices)


def _objects(
    photo: Image, labels: NDArray[np.unsignedinteger[Any]], features: Features, wanted: RegionOptions, classes: int
) -> tuple[NDArray[np.int32], dict[str, Any], tuple[str, ...]]:
    """Regions that are objects on a ground."""
    from emseg.regions.connected import known_planes
    from emseg.regions.foreground import foreground
    from emseg.regions.objects import find_objects

    groups = wanted.foreground if wanted.foreground in WORDS else class_groups(wanted.foreground)
    largest = int(labels.max(initial=0)) if isinstance(groups, str) else max(map(max, groups))
    if not isinstance(groups, str) and largest > max(classes, int(labels.max(initial=0))):
        there = f"there are {classes} classes" if classes > 1 else "there is one class"
        raise UsageError(f"{option('foreground', wanted.foreground)}: {photo.name} has no class {largest}; {there}")
    planes = known_planes(features, labels.shape)
    counts = np.maximum(np.bincount(labels.ravel(), minlength=classes + 1), 1)
    totals = np.stack([np.bincount(labels.ravel(), plane.ravel(), classes + 1) for plane in planes], axis=1)
    found = foreground(labels, (totals / counts[:, None])[1 : classes + 1], groups)
    spacing = photo.pixel_size.lengths if photo.pixel_size and photo.pixel_size.is_length else None
    spacing = spacing if spacing and len(spacing) == labels.ndim else None
    ids, facts = find_objects(labels, planes, found.groups, wanted.smallest, wanted.neck, spacing)
    facts["foreground"] = [list(group) for group in found.groups]
    if wanted.neck is not None:
        facts["neck"] = wanted.neck
    told = [_guess(found, facts["count"])] if wanted.foreground == "auto" else []
    if facts["specks"] and wanted.smallest == "auto":
        small = _count(facts["specks"], "object")
        told.append(f"{small} of less than {facts['least']} pixels left out; {option('regions')} decides")
    return ids, facts, tuple(told)


def _guess(found: Foreground, count: int) -> str:
    """The line that says which classes were taken for objects, and why."""
    if not found.groups[0]:
        return f"no objects, because all pixels are of one class; {option('foreground')} decides"
    *most, last = map(str, found.groups[0])
    named = f"classes {', '.join(most)} and {last}" if most else f"class {last}"
    taken = f"{_count(count, 'object')} of {named}, the {found.brightness} part, because {found.why}"
    return f"{taken}; {option('foreground')} decides"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"
