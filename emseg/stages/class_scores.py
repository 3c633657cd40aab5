"""Samples under a mixture: the log-density of each class, a block of them at a time, and the way back to an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emseg.features.model import Features
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.records import record

Array = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)
BLOCK = 1 << 14  # samples at a time: K log-densities of each stay in the cache


@record(frozen=True, eq=False)
class ClassScores:
    """Planar samples (D, N) under a mixture, and where they lie in an image."""

    mixture: Mixture
    x: Array
    features: Features | None = None
    photo: Image | None = None

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.x.shape[1])

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Samples of which nothing is known, shape (N,)."""
        return np.asarray(np.isnan(self.x).all(0))

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """log π_k f_k(x), (K, B), for some samples after the other."""
        for start in range(0, self.n, BLOCK):
            part = slice(start, start + BLOCK)
            yield part, np.array(self.mixture.log_joint(self.x[:, part]), np.float64)

    def log_jacobian(self) -> Array | float:
        """What brings log-densities to own units: of each sample, by what is known of it."""
        if self.features is None:
            return 0.0
        return np.asarray(self.features.log_jacobian @ ~np.isnan(self.x))

    def on_grid(self, values: NDArray[T], empty: float = 0) -> NDArray[T]:
        """Values (..., N) as they are for a table; for an image on its grid, (..., H, W)."""
        if self.features is None or self.photo is None:
            return values
        placed = self.features.on_grid(values)
        if empty:
            inside = self.features.on_grid(np.ones(self.n, np.uint8))
            placed = np.where(inside > 0, placed, empty).astype(values.dtype)
        return self.photo.in_space(placed)
