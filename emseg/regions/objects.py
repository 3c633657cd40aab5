"""Regions that are objects on a ground: parts of the foreground, cut where they touch if that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.regions.described_image import renumbered, whitened_graph
from emseg.regions.foreground import Groups
from emseg.regions.graph import absorb_small, components
from emseg.regions.split import first_places, renumbered_in_order, split

Ids = NDArray[np.int32]
#: Smallest object, relative to the typical one; what is smaller is a speck, or a hole. Of the nuclei in 13 images
#: (BBBC038v1), 1 of 671 is smaller, and 11 are with .05.
SPECK = 0.02


def find_objects(
    labels: NDArray[np.unsignedinteger],
    planes: NDArray[np.floating],
    groups: Groups,
    smallest: int | str,
    neck: float | None,
    spacing: Sequence[float] | None,
) -> tuple[Ids, dict[str, Any]]:
    """Number 1…R the objects of an image in raster order; 0 is the ground, and where there is no data.

    Parameters
    ----------
    labels : ndarray, shape (H, W) or (Z, H, W)
        Classes from 1; 0 where there is no data.
    planes : ndarray, shape (D, H, W) or (D, Z, H, W)
        The features, by which specks and holes choose what they become a part of.
    groups : tuple of tuple of int
        Classes that make objects together; all others are the ground.
    smallest : int or "auto"
        Pixels that an object has at least; auto: SPECK of the typical object.
    neck : float, optional
        See `emseg.regions.split.split`; None cuts nothing.
    spacing : sequence of float, optional
        The lengths of a pixel's sides, by axis.

    Returns
    -------
    ids : ndarray of int32, shape of the labels
    facts : dict
        `count`; `least`; how many smaller objects became ground (`specks`); and how many objects there were before they
        were cut (`touching`).
    """
    kinds = _kinds(labels, groups)
    parts = components(kinds)
    first = first_places(parts, int(parts.max(initial=0)) + 1)[1:]
    kind = kinds.ravel()[first]
    least = _speck(parts, kind, len(groups)) if isinstance(smallest, str) else smallest
    graph = whitened_graph(parts, planes, kinds)
    names = absorb_small(graph, least)
    # What small parts were absorbed by is the largest part that goes by a name.
    order = np.argsort(graph.n, kind="stable")
    owner = np.zeros(int(names.max(initial=-1)) + 1, kinds.dtype)
    owner[names[order]] = kind[order]
    found, joined = np.zeros(labels.shape, np.int32), renumbered(parts, names)
    owners = np.zeros(len(owner) + 1, kinds.dtype)
    owners[joined.ravel()[first]] = owner[names]
    touching = 0
    for group in range(1, len(groups) + 1):
        inside = owners[joined] == group
        whole = components(inside)
        touching += int(whole.max(initial=0))
        own = whole if neck is None else split(inside, neck, least, spacing)
        found[inside] = own[inside] + found.max(initial=0)
    ids = renumbered_in_order(found)
    sizes = np.bincount(ids.ravel())
    sizes[0] = least  # without neighbours, specks are left: on no data, and where there is nothing else
    kept: Ids = np.where(sizes >= least, np.arange(sizes.size), 0).astype(np.int32)
    ids = renumbered_in_order(kept[ids])
    specks = int((graph.n[kind <= len(groups)] < least).sum())
    facts: dict[str, Any] = {"count": int(ids.max(initial=0)), "least": least, "specks": specks}
    return ids, facts | ({} if neck is None else {"touching": touching})


def _kinds(labels: NDArray[np.unsignedinteger], groups: Groups) -> NDArray[np.uint16]:
    """The group of each pixel, from 1; the ground is one more than the last group."""
    kind_of = np.full(int(labels.max(initial=0)) + 1, len(groups) + 1, np.uint16)
    kind_of[0] = 0
    for number, group in enumerate(groups, 1):
        kind_of[[label for label in group if label < kind_of.size]] = number
    kinds: NDArray[np.uint16] = kind_of[labels]
    return kinds


def _speck(parts: Ids, kind: NDArray[np.uint16], groups: int) -> int:
    """SPECK of the size of the object that a pixel of the foreground most probably lies in: the median over pixels."""
    sizes = np.sort(np.bincount(parts.ravel())[1:][kind <= groups])
    if not sizes.size:
        return 1
    covered = np.cumsum(sizes)
    return max(1, round(SPECK * float(sizes[np.searchsorted(covered, covered[-1] / 2)])))
