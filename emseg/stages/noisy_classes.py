"""The number of classes of an image in which noise hides them.

Where classes overlap, the histogram does not tell how many there are, but neighbours do. So mixtures of every K are
fitted with a Markov random field, and compared by the pseudo-likelihood of the image. That is right for noise that is
white: what the classes leave unexplained is then independent from pixel to pixel. Everything in a photograph is
structure to a field, which would ask for as many classes as there may be.
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.features.model import Features
from emseg.mixture.mixture import Mixture
from emseg.mrf.emission import Emission
from emseg.mrf.fit import FieldFit, fit_field
from emseg.mrf.inference.mean_field import MeanField
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.lattice import NEIGHBOURHOODS, build_lattice
from emseg.mrf.potts import MOST_CLASSES
from emseg.mrf.pseudo_likelihood import pseudo_log_likelihood
from emseg.mrf.smoothed_start import best_start
from emseg.mrf.tiles import choose_tiles, stack_tiles
from emseg.records import record
from emseg.regions.described_image import residuals
from emseg.regions.effective_sample import independent_area, sampled_lines

SAMPLE = 1 << 16  # pixels: four tiles of 128 × 128
FIT = Schedule(iterations=25, hold=25, sweeps=1, answer=3, still=1e-3)  # of mean field
#: Pixels that one independent sample takes at most, for noise to count as white. It takes 1 to 1.3 of them on twelve
#: Potts images and scenes of discs and polygons; 3.3 to 294 on 17 photographs, micrographs and mosaics of textures.
WHITE = 2.0
#: Of the smallest differences between pixels, CALM of them: their mean at distance 1 over that at distance 3, at least.
#: It is .82 and more in 39 noisy images, and .75 at most in 95 of 96 photographs, micrographs and mosaics.
STEPS, CALM, EVEN = (1, 3), 0.6, 0.75
#: Nats per pixel that one class more must explain. On 52 noisy images with 2 to 5 classes, the true classes explained
#: .013 and more each, and one beyond them .004 at most.
GAIN = 0.007
STRAY = 0.01  # share of the pixels that a fit may leave out, as hot ones; ten times what those are at most
FLOOR = 2e-5  # smallest variance of a class, relative to that of the image; see `emseg.stages.labels.field`


@record(frozen=True, eq=False)
class NoisyChoice:
    """What a field says of every K.

    Attributes
    ----------
    mixtures : list of Mixture
        One for every K, fitted with a field.
    values : list of float
        -2 (log PL - GAIN · K N) + p log N, for all N pixels.
    area : float
        Pixels that one independent sample takes.
    """

    mixtures: list[Mixture]
    values: list[float]
    area: float


def choice_in_noise(
    mixtures: list[Mixture],
    problem: Problem,
    features: Features,
    volume: tuple[int, ...] | None,
    rng: np.random.Generator,
) -> NoisyChoice | None:
    """Compare numbers of classes by fits with a field; None if the noise is not white, or the family takes no field.

    None as well where pixels count more or less than one, which neighbours do not know.

    Parameters
    ----------
    mixtures : list of Mixture
        Fitted without a field, K ascending.
    problem : Problem
    features : Features
    volume : tuple of int, optional
        Shape of a volume, whose slices lie below one another.
    rng : numpy.random.Generator
    """
    family = problem.family
    if not family.refitted_in_field or family.outlier_components or mixtures[-1].k > MOST_CLASSES:
        return None
    left_out = features.n_pixels - problem.n
    if left_out % 1 or not 0 <= left_out <= STRAY * features.n_pixels:
        return None
    sample = _Sample.of(problem, features, volume, rng)
    if not sample.seems_noisy:
        return None
    try:
        largest = sample.fit(mixtures[-1], rng)
        area = sample.area(largest)
        if area > WHITE:
            return None
        fits = [sample.fit(mixture, rng) for mixture in mixtures[:-1]] + [largest]
    except np.linalg.LinAlgError:
        return None
    n, values = problem.n, []
    for fit in fits:
        explained = pseudo_log_likelihood(sample.emission, fit) / sample.n
        values.append(-2 * n * (explained - GAIN * fit.mixture.k) + fit.mixture.n_parameters * log(n))
    return NoisyChoice([fit.mixture for fit in fits], values, area)


@record(frozen=True, eq=False)
class _Sample:
    """Some tiles of an image, or all of it.

    Attributes
    ----------
    emission : Emission
    planes : ndarray of float32, shape (D, ...)
    valid : ndarray of bool, shape (...)
    """

    emission: Emission
    planes: NDArray[np.float32]
    valid: NDArray[np.bool_]

    @classmethod
    def of(
        cls, problem: Problem, features: Features, volume: tuple[int, ...] | None, rng: np.random.Generator
    ) -> _Sample:
        shape = volume or features.shape
        index = features.on_grid(np.arange(features.x.shape[1], dtype=np.int32)).reshape(shape)
        valid = features.on_grid(np.ones(features.x.shape[1], np.uint8)).reshape(shape) > 0
        if valid.size > SAMPLE:
            tiles = choose_tiles(np.where(valid, 0, 1), 1, SAMPLE, rng)
            index, valid = stack_tiles(index, tiles), stack_tiles(valid, tiles)
        around = min(NEIGHBOURHOODS[valid.ndim])
        lattice = build_lattice(valid.shape, around, valid=None if valid.all() else valid)
        planes = np.stack([row.astype(np.float32)[index] for row in features.x])
        return cls(Emission(problem.at_least(FLOOR), lattice, index), planes, valid)

    @property
    def seems_noisy(self) -> bool:
        """Whether neighbours differ about as much as pixels that are a little farther apart, in every feature."""
        for axis, length in enumerate(self.valid.shape):
            for plane in self.planes if length > STEPS[1] else ():
                near, far = (_calm_step(plane, self.valid, axis, step) for step in STEPS)
                if near < EVEN * far:
                    return False
        return True

    @property
    def n(self) -> int:
        """Number of pixels."""
        return int(self.valid.sum())

    def fit(self, mixture: Mixture, rng: np.random.Generator) -> FieldFit:
        """Mixture and field with as many classes, by mean field from the best of its starts."""
        start, labels = best_start(self.emission, self.planes, self.valid, mixture, None, rng)
        return fit_field(self.emission, start, labels, MeanField, rng, schedule=FIT)

    def area(self, fit: FieldFit) -> float:
        """Pixels that one independent sample takes, given the labels of a fit."""
        lattice = self.emission.lattice
        labels = np.where(self.valid, lattice.join(lattice.core(fit.labels)) + 1, 0).ravel()
        values, left = self.planes.reshape(len(self.planes), -1), []
        for lines in sampled_lines(np.arange(labels.size, dtype=np.int32).reshape(self.valid.shape)):
            some = lines.ravel()
            left.append(residuals(values[:, some], labels[some]).reshape(-1, *lines.shape))
        return independent_area(left)


def _calm_step(plane: NDArray[np.float32], valid: NDArray[np.bool_], axis: int, step: int) -> float:
    """Mean of the smallest differences between pixels that are so many apart along an axis."""
    values, there = np.moveaxis(plane, axis, 0), np.moveaxis(valid, axis, 0)
    apart = np.abs(values[step:] - values[:-step])[there[step:] & there[:-step]]
    kept = int(CALM * apart.size)
    return float(np.partition(apart, kept - 1)[:kept].mean()) if kept else 0.0
