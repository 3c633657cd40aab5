"""From a mixture, and a field if there is one, to the labels of all pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.execution import steps
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.assign import assign
from emseg.mixture.mixture import Mixture
from emseg.records import NamedRecord
from emseg.stages.labels.mean_colours import mean_colours

if TYPE_CHECKING:
    from emseg.stages.labels.field import Smoothed

Labels = NDArray[np.unsignedinteger[Any]]


class Labelling(NamedRecord):
    """Labels of all pixels, and what pictures and reports show of them.

    Attributes
    ----------
    labels : ndarray of unsigned int, shape (H, W)
        1…K; 0 where there is no data.
    counts : ndarray of int, shape (K,)
        Pixels of each label.
    log_posterior : float
        Σ log max_k r_ik over the pixels, which ICL needs; without a field.
    colours : ndarray of uint8, shape (K, 3), or None
        Mean sRGB colour of each label; None for unnamed bands.
    shown : Image
        The image, with the mean of the class in the place of what is unknown.
    """

    labels: Labels
    counts: NDArray[np.int_]
    log_posterior: float
    colours: NDArray[np.uint8] | None
    shown: Image


def label_pixels(photo: Image, features: Features, mixture: Mixture, smoothed: Smoothed | None = None) -> Labelling:
    """Label all pixels.

    Parameters
    ----------
    photo : Image
    features : Features
    mixture : Mixture
        Standardised, components in the order of the labels.
    smoothed : Smoothed, optional
        What a field makes of the image; its labels count.
    """
    steps.step("labelling")
    row_labels, log_posterior = assign(mixture, features.x, features.weight)
    labels = features.on_grid(row_labels) if smoothed is None else smoothed.labels
    held = _most_held(mixture, features, labels, smoothed)
    of_samples = smoothed is None and held is labels  # whether equal samples have equal labels
    labels = held
    if of_samples:
        counts = np.bincount(row_labels, features.weight, mixture.k + 1)[1:].round().astype(int)
    else:
        counts = np.bincount(labels.ravel(), minlength=mixture.k + 1)[1:]
    shown = _completed(photo, labels)
    colours = mean_colours(shown, features, row_labels if of_samples and shown is photo else None, labels, counts)
    return Labelling(labels, counts, log_posterior, colours, shown)


def _most_held(mixture: Mixture, features: Features, labels: Labels, smoothed: Smoothed | None) -> Labels:
    """The labels, unless pixels are mixed: then what each is expected to hold most of."""
    if mixture.mixed_classes() is None:
        return labels
    from emseg.stages.labels.fractions import most_held  # most pixels hold one class each

    return most_held(mixture, features, labels, smoothed.posterior if smoothed else None)


def _completed(photo: Image, labels: Labels) -> Image:
    """The image for pictures."""
    if photo.known is None:
        return photo
    from emseg.image.missing.partly_known import completed  # most images are known as a whole

    return completed(photo, labels)
