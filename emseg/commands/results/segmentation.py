"""`Segmentation`: what `segment` and `apply` return."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Status
from emseg.em.fit import Row
from emseg.errors import UsageError, option
from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.assign import posterior
from emseg.mixture.mixture import Mixture
from emseg.records import record
from emseg.stages.units import standardised

if TYPE_CHECKING:
    from emseg.commands.results.model import Model
    from emseg.regions.table import Regions


@record(frozen=True, eq=False)
class Segmentation:
    """A segmented image.

    Attributes
    ----------
    image : Image
    labels : ndarray of unsigned int, shape (H, W), or (Z, H, W) of a volume
        The class of each pixel: 1…K in canonical order (smallest mean of the first feature first); 0 where there is no
        data.
    mixture : Mixture
        In the features' own units, components in the order of the labels.
    trace : tuple of Row
        The log, one row an iteration.
    status : Status
        Why the fit ended.
    report : dict
        What `photo.json` holds, but for the list of files.
    colours : ndarray of uint8, shape (K, 3), or None
        Mean sRGB colour of each class; None for images of unnamed bands.
    features : Features
    regions : Regions or None
        Connected regions and a table of them, if asked for.
    gain : ndarray of float32, shape of the labels, or None
        Illumination, with mean 1, if it was to be estimated.
    smoothed : ndarray of float32, shape (K, H, W) or (K, Z, H, W), or None
        With a field, the posterior of each pixel, which depends on its neighbours too.
    notices : tuple of str
        What the user should know of how the picture was taken and what came of it, options as `emseg.errors.option`
        marks them; `warnings` of the report has these lines, too.
    """

    image: Image
    labels: NDArray[np.unsignedinteger[Any]]
    mixture: Mixture
    trace: tuple[Row, ...]
    status: Status
    report: dict[str, Any]
    colours: NDArray[np.uint8] | None
    features: Features
    regions: Regions | None = None
    gain: NDArray[np.float32] | None = None
    smoothed: NDArray[np.float32] | None = None
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from emseg.output.tables.python_texts import segmentation_text  # for people

        return segmentation_text(self.report, self.labels)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What you should know of how the image was taken and of what came of it, a line each."""
        return tuple(self.report.get("warnings", ()))

    @property
    def model(self) -> Model:
        """The fitted mixture with the features that it is of, to label other images by."""
        from emseg.commands.results.model import Model  # most runs write no model

        pivots = None if self.features.span is None else tuple(self.features.pivots.tolist())
        return Model(self.features.spec, self.mixture, pivots=pivots, report=self.report)

    def posterior(self) -> NDArray[np.float32]:
        """Probability of each class at each pixel, shape (K, H, W) or (K, Z, H, W); zero where there is no data."""
        if self.smoothed is not None:
            return self.smoothed
        return self.image.in_space(self.features.on_grid(posterior(self._standardised, self.features.x)))

    def fractions(self) -> NDArray[np.float32]:
        """How much of each class every pixel is expected to hold; shape and zeros as those of `posterior`.

        Raises
        ------
        UsageError
            If pixels were not allowed to be mixed.
        """
        from emseg.stages.labels.fractions import fractions  # most pixels hold one class each

        found = fractions(self._standardised, self.features, self.smoothed)
        if found is None:
            raise UsageError(f"fractions: pixels hold one class each; use {option('partial_volume', True)}")
        return self.image.in_space(found) if found.ndim == 3 else found

    def entropy(self) -> NDArray[np.float32]:
        """Entropy of the posterior at each pixel in nats, shape of the labels: 0 is certain, log K undecided."""
        r = posterior(self._standardised, self.features.x) if self.smoothed is None else self.smoothed
        entropy = -(r * np.log(np.maximum(r, np.finfo(np.float32).tiny))).sum(0)
        return entropy if self.smoothed is not None else self.image.in_space(self.features.on_grid(entropy))

    def overlay(self) -> NDArray[np.uint8]:
        """The image with its classes, or regions, tinted and outlined, RGB of shape (H, W, 3); of a volume, a montage.

        Examples
        --------
        >>> import numpy as np, emseg
        >>> ramp = np.repeat(np.array([[10.0, 12.0, 11.0, 90.0, 93.0, 91.0]]), 4, axis=0)
        >>> emseg.segment(ramp, k=2).overlay().shape
        (4, 6, 3)
        """
        from emseg.output.pictures.overlay import overlay_file
        from emseg.output.pictures.small import decoded  # most runs show nothing

        return decoded(overlay_file(self))

    def _repr_png_(self) -> bytes:
        """What notebooks show: the overlay, scaled down where it is large."""
        from emseg.output.pictures.overlay import overlay_file
        from emseg.output.pictures.small import thumbnail

        return thumbnail(overlay_file(self))

    def save(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        name: str = "",
        save: str | Sequence[str] = (),
        overwrite: bool = False,
    ) -> dict[str, Any]:
        """Write the files that `emseg segment` writes, or `emseg apply` if a model was applied.

        Files appear whole or not at all, the report last. Files that emseg did not write are never replaced unless
        `overwrite` is True.

        Parameters
        ----------
        folder : path
            Made if need be.
        name : str
            What the names of the files begin with: that of the image's file unless given, ``"array"`` of an array.
        save : str or sequence of str
            Further kinds of files, as the command line's option of this name: ``["posterior", "model"]``, ``"all"``.
        overwrite : bool
            Replace files that emseg did not write.

        Returns
        -------
        dict
            The report as written, with the names of the files in `outputs`.

        Raises
        ------
        UsageError
            If there is no such kind, or nothing to write of it.
        OutputError
            If a file cannot be written, or is not emseg's to replace.

        Examples
        --------
        >>> import numpy as np, emseg, tempfile
        >>> ramp = np.repeat(np.array([[10.0, 12.0, 11.0, 90.0, 93.0, 91.0]]), 4, axis=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sorted(emseg.segment(ramp, k=2).save(folder, name="ramp")["outputs"])
        ['ramp.labels.png', 'ramp.log.csv', 'ramp.overlay.png']
        """
        from emseg.commands.results.result_files import save_segmentation  # the command line has its own way
        from emseg.options import checked

        applied = self.status is Status.APPLIED
        kinds = checked.value("apply" if applied else "segment", "save", save)
        return save_segmentation(self, folder, name, kinds, overwrite, applied)

    @cached_property
    def _standardised(self) -> Mixture:
        return standardised(self.mixture, self.features)
