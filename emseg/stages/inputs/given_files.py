"""Files that say something of an image's classes: scribbles, a prior map, a start. They are read before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option, shown
from emseg.image.model import Image
from emseg.options.choices import INITS
from emseg.options.kinds.in_memory import InMemory, is_model
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.mixture.saved import Model

Labels = NDArray[np.unsignedinteger[Any]]


class GivenFiles(NamedRecord):
    """What files say of the classes; None where there is no file.

    Attributes
    ----------
    scribbles : ndarray of unsigned int, shape (H, W), or None
        1…K where a label is given; 0 elsewhere.
    log_prior : ndarray of float32, shape (K, H, W), or None
        Logarithm of the probability of each class at each pixel, before its values are seen.
    start : Model, ndarray of unsigned int of shape (H, W), or None
        A saved mixture, or labels whose moments are the start.
    notices : tuple of str
        What the user should know of how the files were taken.
    """

    scribbles: Labels | None = None
    log_prior: NDArray[np.float32] | None = None
    start: Model | Labels | None = None
    notices: tuple[str, ...] = ()

    @property
    def names_classes(self) -> bool:
        """Whether the order of the classes is the user's."""
        return self.scribbles is not None or self.log_prior is not None


NO_FILES = GivenFiles()


def read_given_files(photo: Image, *, k: int, init: str, scribbles: str, prior_map: str) -> GivenFiles:
    """Read the files that options name, and hold them against the image.

    Parameters
    ----------
    photo : Image
    k : int
        Number of components.
    init : str
        A name of `INITS`, or a path.
    scribbles, prior_map : str
        Paths; empty for none.

    Raises
    ------
    UsageError
        If a file cannot be opened, or does not hold what K components of this image need.
    ImageError, DataError
        If a file is damaged, or no label map, prior map or model.
    """
    notices: list[str] = []
    marks = _scribbles(scribbles, photo, k, notices) if scribbles else None
    prior = _prior(prior_map, photo, k, notices) if prior_map else None
    start = None if init in INITS else _start(init, photo, notices)
    return GivenFiles(marks, prior, start, tuple(notices))


def _scribbles(path: str, photo: Image, k: int, notices: list[str]) -> Labels:
    from emseg.image.label_maps import read_labels  # most fits do without

    if isinstance(path, InMemory):
        from emseg.image.arrays.from_memory import labels_in_memory

        labels: Labels = labels_in_memory(path.value, photo, "scribbles")
    else:
        labels, lines = read_labels(path, photo)
        notices += lines
    most = int(labels.max())
    if most > k:
        given = option("scribbles", shown(path))
        raise UsageError(f"{given}: holds label {most} of {k} components; use a larger {option('k')}")
    return labels


def _prior(path: str, photo: Image, k: int, notices: list[str]) -> NDArray[np.float32]:
    from emseg.image.label_maps import read_planes  # most fits do without
    from emseg.stages.inputs.maps.prior_map import log_probabilities, silent_pixels

    if isinstance(path, InMemory):
        from emseg.image.arrays.from_memory import planes_in_memory

        name, pages = "prior_map", planes_in_memory(path.value, photo, k, "prior_map")
    else:
        name, (pages, lines) = shown(path), read_planes(path, photo, k)
        notices += lines
    found = log_probabilities(pages, name)
    notices += silent_pixels(pages, photo.valid)
    return found


def _start(path: str, photo: Image, notices: list[str]) -> Model | Labels:
    from emseg.image.label_maps import read_labels  # most fits do without
    from emseg.output.store.model_file import looks_like_model, read_model

    given = option("init", shown(path))
    if isinstance(path, InMemory):
        return start_in_memory(path.value, photo)
    try:
        if looks_like_model(path):
            return read_model(path)
        labels, lines = read_labels(path, photo)
    except OSError as error:
        remedy = f"give {', '.join(INITS)} or a file"
        raise UsageError(f"{given}: cannot be read ({error.strerror}); {remedy}") from error
    notices += lines
    return labels


def start_in_memory(value: Any, photo: Image) -> Model | Labels:
    """A start that a Python caller handed over: a model, a result that has one, or the labels of the pixels."""
    from emseg.image.arrays.from_memory import labels_in_memory

    if not is_model(value):
        return labels_in_memory(value, photo, "init")
    found: Model = getattr(value, "model", value)
    return found
