"""`Segmentation`: what `segment` and `apply` return."""

from __future__ import annotations

from dataclasses import dataclass
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
from emseg.stages.units import standardised

if TYPE_CHECKING:
    from emseg.mixture.saved import Model
    from emseg.regions.table import Regions


@dataclass(frozen=True, eq=False)
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

    @property
    def model(self) -> Model:
        """The fitted mixture with the features that it is of, to label other images by."""
        from emseg.mixture.saved import Model  # most runs write no model

        return Model(self.features.spec, self.mixture)

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

    @cached_property
    def _standardised(self) -> Mixture:
        return standardised(self.mixture, self.features)
