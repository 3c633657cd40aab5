"""What the writers of result files need of a segmentation: `emseg.commands.segment.Segmentation` has it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.mixture.mixture import Mixture


class RegionMap(Protocol):
    """Connected regions: a map and a table of them."""

    @property
    def ids(self) -> NDArray[np.int32]:
        """The region of each pixel, shape (H, W) or (Z, H, W): 1…R, and 0 where there is none."""

    @property
    def table(self) -> Mapping[str, NDArray[np.generic]]:
        """Columns of R values by name."""

    @property
    def classes(self) -> NDArray[np.int_]:
        """The class of each region, shape (R,)."""

    @property
    def count(self) -> int:
        """R."""


class Segmented(Protocol):
    """A segmented image of K classes: of H × W pixels, or of Z slices of them."""

    @property
    def image(self) -> Image:
        """The image, for pictures."""

    @property
    def labels(self) -> NDArray[np.unsignedinteger[Any]]:
        """The class of each pixel, shape (H, W) or (Z, H, W): 1…K, and 0 where there is no data."""

    @property
    def mixture(self) -> Mixture:
        """The mixture of K components."""

    @property
    def trace(self) -> Sequence[Any]:
        """The convergence log: an object for each iteration, with the columns as attributes."""

    @property
    def report(self) -> Mapping[str, Any]:
        """The facts of the JSON report."""

    @property
    def colours(self) -> NDArray[np.uint8] | None:
        """The mean sRGB colour of each class, shape (K, 3); None for unnamed bands."""

    @property
    def regions(self) -> RegionMap | None:
        """Connected regions, if they were looked for."""

    @property
    def gain(self) -> NDArray[np.float32] | None:
        """The estimated illumination, shape of the labels, if it was looked for."""

    def posterior(self) -> NDArray[np.float32]:
        """The probability of each class at each pixel, K times the shape of the labels."""

    def fractions(self) -> NDArray[np.float32]:
        """The share of each class in each pixel, K times the shape of the labels."""

    def entropy(self) -> NDArray[np.float32]:
        """The entropy of the posterior in nats, shape of the labels."""
