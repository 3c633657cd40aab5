"""Keywords of the Python functions with their types, for editors and type checkers.

Type checkers need them spelled out. A test holds them equal to the declarations, in which defaults and meaning stand:
see `emseg.options.declarations.segmentation` and `emseg.options.declarations.restoration`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypedDict

from numpy.typing import ArrayLike

from emseg.mixture.saved import Model


class ReadingKeywords(TypedDict, total=False):
    """What is taken of a file or an array that holds more than one plain image."""

    page: int | None
    axes: str
    channels: int | str | Sequence[int | str]
    truncated_ok: bool


class StackKeywords(ReadingKeywords, total=False):
    """Also whether several images are one."""

    stack: bool


class RegionKeywords(TypedDict, total=False):
    """Which connected regions are looked for."""

    regions: int | str
    merge: float | str
    foreground: str | int
    split: bool
    neck: float


class ApplyKeywords(StackKeywords, RegionKeywords, total=False):
    """Keywords of `emseg.apply`."""

    nodata: float | Sequence[float]
    mask_above: float | None
    grow: int


class MixtureKeywords(TypedDict, total=False):
    """What every fit of a mixture has."""

    family: str
    covariance: str
    dof: float | str
    floor: float | str
    seed: int
    tol: float
    max_iter: int


class SearchKeywords(TypedDict, total=False):
    """How a number of components, an algorithm and a start are chosen."""

    criterion: str
    algorithm: str
    base: str
    option: Mapping[str, str]
    init: str | os.PathLike[str] | ArrayLike | Model
    restarts: int


class CompareKeywords(MixtureKeywords, StackKeywords, total=False):
    """Keywords of `emseg.compare`."""

    features: str
    noise: bool
    missing: str
    nodata: float | Sequence[float]
    mask_above: float | None
    grow: int
    censored: str | Sequence[float]
    truncated: str | Sequence[float]
    partial_volume: bool
    compress: bool


class SegmentKeywords(CompareKeywords, SearchKeywords, RegionKeywords, total=False):
    """Keywords of `emseg.segment`."""

    denoise: float | str
    bias_field: bool
    stray: str
    mrf: str
    beta: float | str
    neighbours: int | str
    contrast: bool
    scribbles: str | os.PathLike[str] | ArrayLike
    box: str | Sequence[int]
    prior_map: str | os.PathLike[str] | ArrayLike


class FitKeywords(MixtureKeywords, SearchKeywords, total=False):
    """Keywords of `emseg.fit`."""

    noise: bool
    censored: str | Sequence[float]
    truncated: str | Sequence[float]
    partial_volume: bool


class ImputeKeywords(MixtureKeywords, SearchKeywords, StackKeywords, total=False):
    """Keywords of `emseg.impute`."""

    nodata: float | Sequence[float]


class DenoiseKeywords(ReadingKeywords, total=False):
    """Keywords of `emseg.denoise`."""

    method: str
    fast: bool
    noise: str
    gain: float | str
    nodata: float | Sequence[float]
    mask_above: float | None
    grow: int
    workers: int


class InpaintKeywords(ReadingKeywords, total=False):
    """Keywords of `emseg.inpaint`."""

    mask_value: float | None
    uncertainty: bool
    nodata: float | Sequence[float]
    mask_above: float | None
    grow: int
    seed: int
    workers: int
