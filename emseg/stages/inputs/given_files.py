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
#: Marks are held in bytes.
MOST_CLASSES = 254


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
    k : int or None
        Number of classes that are marked, where that decides K.
    """

    scribbles: Labels | None = None
    log_prior: NDArray[np.float32] | None = None
    start: Model | Labels | None = None
    notices: tuple[str, ...] = ()
    k: int | None = None

    @property
    def names_classes(self) -> bool:
        """Whether the order of the classes is the user's."""
        return self.scribbles is not None or self.log_prior is not None


NO_FILES = GivenFiles()


def read_given_files(
    photo: Image, *, k: int, init: str, scribbles: str, prior_map: str, box: str = "", counted: bool = False
) -> GivenFiles:
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
    box : str
        A rectangle, outside of which everything is class 1; empty for none.
    counted : bool
        Whether K is the number of classes that are marked; `k` is not looked at then.

    Raises
    ------
    UsageError
        If a file cannot be opened, or does not hold what K components of this image need.
    ImageError, DataError
        If a file is damaged, or no label map, prior map or model.
    """
    notices: list[str] = []
    marks = _scribbles(scribbles, photo, 0 if counted else k, notices) if scribbles else None
    if box:
        from emseg.stages.inputs.maps.box import boxed  # most fits do without

        marks = boxed(marks, box, photo, notices)
    if counted and marks is not None:
        k = _classes_marked(marks, scribbles, k, notices)
    prior = _prior(prior_map, photo, k, notices) if prior_map else None
    start = None if init in INITS else _start(init, photo, notices)
    return GivenFiles(marks, prior, start, tuple(notices), k if counted else None)


def _classes_marked(marks: Labels, path: str, usual: int, notices: list[str]) -> int:
    """K, where the marks decide it; a box marks two classes.

    Raises
    ------
    UsageError
        If labels are left out.
    """
    found = np.flatnonzero(np.bincount(marks.ravel().astype(np.intp)))
    labels = found[found > 0].tolist()
    k: int = max([*labels[-1:], 2])
    if path and len(labels) < k and labels != [1]:
        absent = min(set(range(1, k)) - set(labels))
        given = option("scribbles", shown(path))
        raise UsageError(f"{given}: holds label {k}, and none of label {absent}; number classes from 1 on")
    if k != usual:
        notices.append(f"{k} classes are marked, so K is {k}; {option('k', k)} says the same without this line")
    return k


def _scribbles(path: str, photo: Image, k: int, notices: list[str]) -> Labels:
    from emseg.image.label_maps import read_labels  # most fits do without

    if isinstance(path, InMemory):
        from emseg.image.arrays.from_memory import labels_in_memory

        labels: Labels = labels_in_memory(path.value, photo, "scribbles")
    else:
        labels, lines = read_labels(path, photo)
        notices += lines
    most = int(labels.max())
    if most > (k or MOST_CLASSES):
        given = option("scribbles", shown(path))
        remedy = f"of {k} components; use a larger {option('k')}" if k else "; number classes from 1 on"
        raise UsageError(f"{given}: holds label {most} {remedy}".replace(" ;", ";"))
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
