"""`segment`: image → features → start → fit → field → labels → report. No files are written, nothing is printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Unpack

import numpy as np

from emseg.commands.results.segmentation import Segmentation
from emseg.commands.shared_steps import (
    bounds_of,
    channels_as_meant,
    chosen_features,
    features_to_fit,
    picture_and_mask,
    problem_to_fit,
    spares_stray,
)
from emseg.em.fit import Row
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.errors import for_python
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.assign import assign
from emseg.mixture.mixture import Mixture
from emseg.options import checked
from emseg.options.checked import recorded
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.effects import without_effect
from emseg.records import replace
from emseg.stages.fitting import fewer_classes, fit_mixture, small_classes, surviving
from emseg.stages.inputs.checks import check_field, check_image
from emseg.stages.inputs.given_files import NO_FILES, GivenFiles
from emseg.stages.inputs.input_image import ImageLike, MaskLike
from emseg.stages.inputs.measurement import seems_flat
from emseg.stages.labels.labelling import label_pixels
from emseg.stages.report import NO_FIELD, segmentation_report
from emseg.stages.start import Start, may_be_hot, searched_start
from emseg.stages.stopwatch import Stopwatch
from emseg.stages.units import in_own_units

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from emseg.options.keywords import SegmentKeywords
    from emseg.regions.described_image import DescribedImage
    from emseg.stages.labels.field import Smoothed


def segment(
    image: ImageLike,
    k: int | str = 4,
    *,
    mask: MaskLike | None = None,
    sample_weight: ArrayLike | None = None,
    on_iteration: Callable[[Row], object] | None = None,
    **options: Unpack[SegmentKeywords],
) -> Segmentation:
    """Segment an image into K classes by fitting a mixture to its pixels.

    Parameters
    ----------
    image : array-like, image of PIL, path, file, Image or Source
        An array is (H, W) or (H, W, C), unless `axes` says otherwise; three channels are sRGB.
    k : int or str
        Number of components, or a range to choose from: ``"2:9"``, ``"auto"``.
    mask : array-like, path or "alpha", optional
        Same size as the image; only where it is non-zero are pixels used. "alpha": the opacity of the image itself.
    sample_weight : array-like, optional
        Same size as the image: how much each pixel counts in the fit, 0 or more. All pixels get labels. Likelihoods and
        criteria are those of the weighted pixels.
    on_iteration : callable, optional
        Receives every row of the log as it is made.
    **options
        Further options; `help(emseg.segment)` and the page `options` of the guide list them.

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
    reading, others = checked.reading("segment", options)
    settings = checked.segmentation("segment", k=k, **others)
    variant = algorithm(settings.algorithm, settings.base, settings.option)
    rng, watch = np.random.default_rng(settings.seed), Stopwatch()

    original, inside = picture_and_mask(image, mask, settings, reading)
    original = channels_as_meant(original, settings.features)
    check_image(original, features=settings.features, mrf=settings.field, neighbours=settings.neighbours)
    given = _given_files(original, settings)
    original = original.with_notices(*given.notices)
    settings = settings if given.k is None else replace(settings, k=given.k)
    watch.lap("read")
    photo, gain, bias_report = original, None, None
    if settings.denoise != "off" or settings.bias_field:
        from emseg.commands.prepared_image import prepared  # most segmentations do without

        original, photo, gain, bias_report = prepared(original, inside, settings, rng, watch)
    features = features_to_fit(photo, inside, settings)
    given = _checked_field(photo, features, settings, given)
    original = original.with_notices(*chosen_features(features))
    watch.lap("features")
    counted = features
    if sample_weight is not None:
        from emseg.stages.inputs.maps.pixel_weights import weighted  # most segmentations do without

        counted = weighted(features, sample_weight, photo, settings)
    elif spares_stray(settings) and seems_flat(photo, features, settings.k_range[0]):
        from emseg.stages.inputs.maps.flat_colours import without_edges  # most pictures are no drawings

        counted, lines = without_edges(photo, inside, features, settings.k_range[0])
        original = original.with_notices(*lines)
    problem = problem_to_fit(counted, settings)
    description = None
    if settings.shortest:
        from emseg.commands.region_steps import region_description  # most segmentations do without

        description = region_description(photo, inside, features, settings, watch)
    start = _start(photo, features, problem, settings, given, description, rng)
    if sample_weight is None and spares_stray(settings) and may_be_hot(features, start.mixture):
        from emseg.stages.inputs.maps.hot_pixels import without_hot  # most pictures have none

        rest, lines = without_hot(features, counted, start.mixture)
        if lines:
            counted, original = rest, original.with_notices(*lines)
            problem = problem_to_fit(counted, settings)
            start = _start(photo, features, problem, settings, given, description, rng)
    watch.lap("start")
    fit = partial(fit_mixture, tol=settings.tol, max_iter=settings.max_iter, name=photo.name, on_iteration=on_iteration)
    fitted = fit(variant, problem, start.mixture, rng)
    watch.lap("fit")
    mixture = surviving(fitted)
    smoothed = _smoothed(photo, features, problem, mixture, settings, given, rng, watch)
    if smoothed:
        mixture, original = smoothed.mixture, original.with_notices(*smoothed.notices)
    labelled = label_pixels(photo, features, mixture, smoothed)
    watch.lap("labels")
    asked, classes = start.mixture.n_classes, labelled.counts[: mixture.n_classes]
    original = original.with_notices(*fewer_classes(asked, classes), *small_classes(classes))
    report = segmentation_report(
        photo,
        counted,
        in_own_units(mixture, features),
        fitted,
        start,
        n_parameters=mixture.n_parameters,
        log_likelihood=float(problem.e_step(mixture).log_likelihood) if smoothed else fitted.trace[-1].log_likelihood,
        log_posterior=labelled.log_posterior if counted is features else assign(mixture, features.x, counted.weight)[1],
        counts=labelled.counts,
        bounds=bounds_of(features, settings),
        mrf=smoothed.report if smoothed else NO_FIELD,
        options=recorded("segment", settings),
        warnings=[for_python(line) for line in (*without_effect("segment", settings), *original.notices)],
        bias_field=bias_report,
        seconds=watch.seconds,
    )
    result = Segmentation(
        labelled.shown if gain is None else original,
        photo.in_space(labelled.labels),
        in_own_units(mixture, features),
        fitted.trace,
        fitted.status,
        report,
        labelled.colours,
        features,
        gain=None if gain is None else photo.in_space(gain),
        smoothed=photo.in_space(smoothed.posterior) if smoothed else None,
        notices=original.notices,
    )
    if not settings.finds_regions:
        return result
    from emseg.commands.region_steps import with_regions

    area = start.independent_area
    return with_regions(result, original, settings, watch, independent_area=area, description=description)


def _given_files(photo: Image, settings: SegmentOptions) -> GivenFiles:
    """The files that say something of the classes."""
    if settings.searches and not (settings.marked or settings.prior_map):
        return NO_FILES
    from emseg.stages.inputs.given_files import read_given_files

    return read_given_files(
        photo,
        k=settings.k_range[0],
        init=settings.init,
        scribbles=settings.scribbles,
        prior_map=settings.prior_map,
        box=settings.box,
        counted=settings.field == "marked" and settings.k == SegmentOptions.k,
    )


def _checked_field(photo: Image, features: Features, settings: SegmentOptions, given: GivenFiles) -> GivenFiles:
    """The files, with scribbles on valid pixels alone; refuse a field that these samples cannot carry."""
    if not _has_field(settings):
        return given
    check_field(photo, features, settings.k_range[0] + settings.noise)
    if given.scribbles is None:
        return given
    from emseg.stages.inputs.maps.scribbles import usable_marks

    k, free = settings.k_range[0], {2} if settings.box else set()
    marks = usable_marks(given.scribbles, settings.scribbles, k, photo.name, features, free)
    return given._replace(scribbles=marks)


def _has_field(settings: SegmentOptions) -> bool:
    """Whether the labels of pixels depend on more than their own values."""
    return bool(settings.field != "none" or settings.marked or settings.prior_map)


def _start(
    photo: Image,
    features: Features,
    problem: Problem,
    settings: SegmentOptions,
    given: GivenFiles,
    description: DescribedImage | None,
    rng: np.random.Generator,
) -> Start:
    """Where the fit starts: at the mixture of a file, or at the winner of a search."""
    unmixed = replace(problem, family=problem.family.start_family)
    if given.start is not None:
        from emseg.stages.given_start import given_start

        path, k = settings.init, settings.k_range[0]
        start = Start(given_start(given.start, path, k, photo.name, features, unmixed))
    else:
        start = searched_start(
            unmixed,
            rng,
            k=settings.k,
            most=features.n_distinct(settings.k_range[1]),
            criterion=settings.criterion,
            init=settings.init,
            restarts=settings.restarts,
            features=features,
            description=description,
            volume=photo.metadata.get("volume"),
        )
    return start._replace(mixture=start.mixture.as_start_of(problem.family))


def _smoothed(
    photo: Image,
    features: Features,
    problem: Problem,
    mixture: Mixture,
    settings: SegmentOptions,
    given: GivenFiles,
    rng: np.random.Generator,
    watch: Stopwatch,
) -> Smoothed | None:
    """Mixture and labels with a field, if there is to be one."""
    if not _has_field(settings):
        return None
    from emseg.stages.labels.field import FieldOptions, smooth  # a plain fit does without

    field = FieldOptions(settings.field, settings.beta, settings.neighbours, settings.contrast)
    if settings.field == "marked":
        from emseg.stages.labels.marked import mark_objects

        found = mark_objects(photo, features, problem, field, given, settings.k_range[0], bool(settings.box), rng)
    else:
        found = smooth(photo, features, problem, mixture, field, given, rng)
    watch.lap("mrf")
    return found
