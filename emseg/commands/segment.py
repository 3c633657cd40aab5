"""`segment`: image → features → start → EM → labels and a report. No files, no printing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Status, Stop
from emseg.em.fit import Fit, Row, fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.errors import UsageError, option
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.image.partly_known import completed
from emseg.image.read import Source
from emseg.mixture.assign import assign, posterior
from emseg.mixture.mixture import Mixture
from emseg.options import checked
from emseg.options.keywords import SegmentKeywords
from emseg.options.segmentation import SegmentOptions
from emseg.stages.fractions import fractions, most_held
from emseg.stages.preparation import features_of, opened, pose, require_distinct
from emseg.stages.report import mean_colours, report
from emseg.stages.start import Start, find_start

if TYPE_CHECKING:
    from emseg.regions.scene import Scene
    from emseg.regions.table import Regions

Array = NDArray[np.float64]
LEAST = 0.1  # expected pixels below which a component counts as empty


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A segmented image.

    Attributes
    ----------
    image : Image
    labels : ndarray of unsigned int, shape (H, W)
        1…K in canonical order (smallest mean of the first feature first); 0 where there is no data.
    mixture : Mixture
        In the features' own units, components in the order of the labels.
    trace : tuple of Row
        The log, one row an iteration.
    status : Status
        Why the fit ended.
    report : dict
        What `photo.json` holds, but for the list of files.
    colours : ndarray of uint8, shape (K, 3), or None
        Mean sRGB colour of each region; None for images of unnamed bands.
    features : Features
    regions : Regions or None
        Connected regions and a table of them, if asked for.
    gain : ndarray of float32, shape (H, W), or None
        Illumination, with mean 1, if it was to be estimated.
    """

    image: Image
    labels: NDArray[np.unsignedinteger]
    mixture: Mixture
    trace: tuple[Row, ...]
    status: Status
    report: dict[str, Any]
    colours: NDArray[np.uint8] | None
    features: Features
    regions: Regions | None = None
    gain: NDArray[np.float32] | None = None
    smoothed: NDArray[np.float32] | None = None  # with a field: the posterior, of pixels and not of samples

    def posterior(self) -> NDArray[np.float32]:
        """Probability of each component at each pixel, shape (K, H, W); zero where there is no data."""
        if self.smoothed is not None:
            return self.smoothed
        return self.features.on_grid(posterior(self._standardised, self.features.x))

    def fractions(self) -> NDArray[np.float32]:
        """How much of each class every pixel is expected to hold, shape (K, H, W); zero where there is no data.

        Raises
        ------
        UsageError
            If pixels were not allowed to be mixed.
        """
        found = fractions(self._standardised, self.features, self.smoothed)
        if found is None:
            raise UsageError(f"fractions: pixels hold one class each; use {option('partial_volume')}")
        return found

    def entropy(self) -> NDArray[np.float32]:
        """Entropy of the posterior at each pixel in nats, shape (H, W): 0 is certain, log K undecided."""
        r = posterior(self._standardised, self.features.x) if self.smoothed is None else self.smoothed
        entropy = -(r * np.log(np.maximum(r, np.finfo(np.float32).tiny))).sum(0)
        return entropy if self.smoothed is not None else self.features.on_grid(entropy)

    @cached_property
    def _standardised(self) -> Mixture:
        return self.mixture.affine(-self.features.shift / self.features.scale, 1 / self.features.scale)


def segment(
    image: Image | Source | NDArray[Any] | str | os.PathLike[str],
    k: int | str = 4,
    *,
    mask: NDArray[Any] | str | os.PathLike[str] | None = None,
    on_iteration: Callable[[Row], object] | None = None,
    **options: Unpack[SegmentKeywords],
) -> Segmentation:
    """Segment an image into K regions by fitting a mixture to its pixels.

    Parameters
    ----------
    image : Image, Source, ndarray or path
        An array is (H, W) or (H, W, C); three channels are sRGB.
    k : int or str
        Number of components, or a range to choose from: ``"2:9"``, ``"auto"``.
    mask : ndarray or path, optional
        Same size as the image; only where it is non-zero are pixels used.
    on_iteration : callable, optional
        Receives every row of the log as it is made.
    **options
        The other fields of `SegmentOptions`.

    Returns
    -------
    Segmentation

    Raises
    ------
    UsageError
        If an option makes no sense, or does not go with this image.
    ImageError
        If a file cannot be read.
    DataError
        If the pixels cannot carry the fit: all masked, all equal, or fewer distinct values than K.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> ramp = np.repeat(np.array([[10.0, 12.0, 11.0, 90.0, 93.0, 91.0]]), 4, axis=0)
    >>> emseg.segment(ramp, k=2).labels[0].tolist()
    [1, 1, 1, 2, 2, 2]
    """
    asked = checked.segmentation("segment", k=k, **options)
    variant = algorithm(asked.algorithm, asked.base, asked.option)
    clock = Clock()
    photo, inside = opened(image, mask, asked.missing)
    if asked.denoise != "off":
        from emseg.commands.denoise import denoise  # most segmentations do without

        photo = denoise(photo, asked.denoise, mask=inside if inside is None else inside.astype(np.uint8)).image
    clock.lap("read")
    gain, original, rng = None, photo, np.random.default_rng(asked.seed)
    if asked.bias_field:
        from emseg.restore.bias_field import flattened

        photo, gain = flattened(photo, inside, asked.k_range[1], rng)
        clock.lap("bias")
    features = features_of(photo, inside, asked)
    require_distinct(features, photo, 1 if asked.k == "auto" else asked.k_range[1])
    clock.lap("features")
    problem = pose(features, asked)
    unmixed = replace(problem, family=problem.family.start_family)
    view = _view(photo, inside, features, asked, clock)
    start = find_start(unmixed, photo, features, asked, rng, view)
    start = replace(start, mixture=start.mixture.as_start_of(problem.family))
    clock.lap("start")
    found = fit(variant, problem, start.mixture, Stop(asked.tol, asked.max_iter), rng, on_iteration)
    clock.lap("fit")
    if not found.trace:
        from emseg.stages.start_from_file import singular

        raise singular(photo)
    result = _finish(photo, features, problem, found, asked, start, rng, clock)
    if asked.regions:
        result = _with_regions(result, asked, start, view, clock)
    return result if gain is None else replace(result, image=original, gain=gain)


def _finish(
    photo: Image,
    features: Features,
    problem: Problem,
    found: Fit[Mixture],
    asked: SegmentOptions,
    start: Start,
    rng: np.random.Generator,
    clock: Clock,
) -> Segmentation:
    """Label the pixels and gather the report."""
    mixture = _surviving(found)
    mixture = mixture.permuted(mixture.canonical_order())
    field = None
    if asked.mrf != "none" or asked.scribbles or asked.prior_map:
        from emseg.stages.field import smooth  # a plain fit does without

        field = smooth(photo, features, problem, mixture, asked, rng)
        mixture = field.mixture
        clock.lap("mrf")
    row_labels, log_posterior = assign(mixture, features.x, features.weight)
    labels = features.on_grid(row_labels) if field is None else field.labels
    held = most_held(mixture, features, labels, field.posterior if field else None)
    by_rows = field is None and held is labels  # or equal samples may have different labels
    labels = held
    own = mixture.affine(features.shift, features.scale)
    counts = (
        np.bincount(row_labels, features.weight, mixture.k + 1)[1:].round().astype(int)
        if by_rows
        else np.bincount(labels.ravel(), minlength=mixture.k + 1)[1:]
    )
    seen = completed(photo, labels)
    colours = mean_colours(seen, features, row_labels if by_rows and seen is photo else None, labels, counts)
    clock.lap("labels")
    likelihood = found.trace[-1].log_likelihood
    if field:
        likelihood = float(problem.e_step(mixture).log_likelihood)
    facts = report(photo, features, own, found, likelihood, counts, log_posterior, asked, start, clock.seconds)
    if field:
        facts["mrf"] = field.facts
    smoothed = field.posterior if field else None
    return Segmentation(seen, labels, own, found.trace, found.status, facts, colours, features, smoothed=smoothed)


def _view(
    photo: Image, inside: NDArray[np.bool_] | None, features: Features, asked: SegmentOptions, clock: Clock
) -> Scene | None:
    """What regions are compared by, if they are to be merged: the features, and texture unless features are given."""
    if not asked.shortest:
        return None
    from emseg.regions.scene import scene  # most segmentations do without
    from emseg.regions.texture_planes import grain

    beside = grain(photo, inside) if asked.features == "auto" and features.spec != "texture" else None
    found = scene(features, photo.metadata.get("volume"), beside)
    clock.lap("view")
    return found


def _with_regions(
    result: Segmentation, asked: SegmentOptions, start: Start, view: Scene | None, clock: Clock
) -> Segmentation:
    """Find connected regions too."""
    from emseg.regions.table import find_regions

    volume = result.image.metadata.get("volume")
    posterior, area = result.posterior(), (start.selection or {}).get("independent_area")
    merge = "auto" if asked.shortest else 0.0 if asked.merge == "default" else asked.merge
    regions, found = find_regions(result.labels, posterior, result.features, asked.regions, merge, volume, area, view)
    clock.lap("regions")
    return replace(result, regions=regions, report=result.report | {"regions": found, "seconds": dict(clock.seconds)})


def _surviving(found: Fit[Mixture]) -> Mixture:
    """The mixture without components that share less than a tenth of a pixel: variational Bayes empties some."""
    needed = found.counts >= LEAST
    needed[found.mixture.n_classes :] = True
    alive = np.flatnonzero(needed)
    if alive.size == found.mixture.k:
        return found.mixture
    mixture = found.mixture[alive]
    return replace(mixture, weights=mixture.weights / mixture.weights.sum()).tied()


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._last, 6)
        self._last = now
