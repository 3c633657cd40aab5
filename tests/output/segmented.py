"""A segmentation of random labels that needs no fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.mixture.families.gaussian import Gaussian
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture

RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Row:
    """A row of the log."""

    iteration: int = 0
    objective: float = -1.5
    log_likelihood: float = -1.5
    elbo: float = -1.5
    kl: float = 0.0
    delta: float = 0.0
    e_steps: int = 1
    seconds: float = 0.25


@dataclass(frozen=True)
class Regions:
    """A map and a table."""

    ids: NDArray[np.int32]
    table: Mapping[str, NDArray[np.generic]]

    @property
    def classes(self) -> NDArray[np.int_]:
        return np.asarray(self.table["label"])

    @property
    def count(self) -> int:
        return len(self.table["region"])


@dataclass(frozen=True, eq=False)
class Result:
    """What a writer may ask a segmentation for."""

    image: Image
    labels: NDArray[Any]
    k: int = 3
    colours: NDArray[np.uint8] | None = None
    regions: Regions | None = None
    gain: NDArray[np.float32] | None = None
    trace: tuple[Row, ...] = (Row(),)
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mixture(self) -> Mixture:
        components = Gaussian(np.arange(self.k, dtype=float)[:, None], np.ones((self.k, 1, 1)))
        return Mixture(np.full(self.k, 1 / self.k), components, family_of("gaussian"))

    def posterior(self) -> NDArray[np.float32]:
        return np.stack([self.labels == k + 1 for k in range(self.k)]).astype(np.float32)

    def fractions(self) -> NDArray[np.float32]:
        return self.posterior() / 2

    def entropy(self) -> NDArray[np.float32]:
        return (self.labels / 8).astype(np.float32)


def plane(height: int = 9, width: int = 13, k: int = 3) -> Result:
    """A grey image with all that options can bring."""
    labels = RNG.integers(0, k + 1, (height, width)).astype(np.uint8)
    numbers = (labels > 0).astype(np.int32) * (1 + np.arange(width, dtype=np.int32) // 5)
    found = np.arange(1, numbers.max() + 1)
    table = {"region": found, "label": found % k + 1, "x": np.linspace(0, 1, numbers.max())}
    return Result(
        Image(RNG.integers(0, 256, (height, width, 1)).astype(np.uint8), "gray", name="in/photo.png"),
        labels,
        k,
        RNG.integers(0, 256, (k, 3)).astype(np.uint8),
        Regions(numbers, table),
        RNG.uniform(0.5, 1.5, (height, width)).astype(np.float32),
    )


def volume(shape: tuple[int, int, int] = (5, 4, 6)) -> Result:
    """Slices below one another, with the header of a NIfTI file."""
    import nibabel

    z, y, x = shape
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    header = nibabel.Nifti1Image(np.zeros((x, y, z), np.uint8), affine).header
    metadata = {"volume": shape, "nifti": {"affine": affine, "header": header}}
    pixels = RNG.integers(0, 256, (z * y, x, 1)).astype(np.uint8)
    return Result(Image(pixels, "gray", metadata=metadata), RNG.integers(1, 4, (z * y, x)).astype(np.uint8))
