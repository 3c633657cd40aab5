"""What a way to infer the labels of a field must offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, Self

import numpy as np

from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import Labels, Real

#: Receives, for each block of pixels: the phase, the cells, the votes c (K, B), and p(z_i = k | neighbours, x) or q,
#: (K, B), which is zero outside. Both arrays are used again for the next block.
Visit = Callable[[int, slice, Real, Real], None]


class Inference(Protocol):
    """A method, at one state of the field.

    `iterate` and `answer` hand on the arrays of an instance, which must not be used afterwards. On large images there
    is no room for a copy of them, and on small ones it would cost time.

    Attributes
    ----------
    name : str
        What reports call the method.
    schedule : Schedule
    monotone : bool
        Whether no iteration raises the free energy while β is fixed; the fit checks it.
    largest_whole : int
        Pixels up to which mixture and field are fitted to the whole image, and not to tiles of it.
    labels_large : str
        The method, by its name in the registry, that labels an image of more pixels.
    extra_bytes : int
        Memory of a pixel beyond what all methods take, see `emseg.stages.inputs.memory`.
    """

    name: ClassVar[str]
    schedule: ClassVar[Schedule]
    monotone: ClassVar[bool]
    largest_whole: ClassVar[int]
    labels_large: ClassVar[str]
    extra_bytes: ClassVar[int]

    @classmethod
    def of_labels(cls, lattice: Lattice, labels: Labels, k: int) -> Self:
        """Start from labels.

        Parameters
        ----------
        lattice : Lattice
        labels : ndarray of uint8, shape (S, halo + M + halo)
            0…K-1, with a halo.
        k : int
        """

    @classmethod
    def of_probabilities(cls, lattice: Lattice, q: Real) -> Self:
        """Start from soft assignments with a halo, shape (S, K, halo + M + halo)."""

    def iterate(
        self, log_f: Real, beta: float, rng: np.random.Generator, sweeps: int = 1, visit: Visit | None = None
    ) -> Self:
        """The state after `sweeps` more sweeps over the field.

        Parameters
        ----------
        log_f : ndarray of float32, shape (S, K, M)
            Log-densities less the largest at each pixel.
        beta : float
        rng : numpy.random.Generator
        sweeps : int
        visit : callable, optional
            Receives the probabilities of the labels during the last sweep.
        """

    def free_energy(self, log_f: Real, beta: float) -> float | None:
        """What the method lowers, in nats; None if it lowers nothing that is known."""

    def answer(self, log_f: Real, beta: float, rng: np.random.Generator, sweeps: int) -> tuple[Real, Labels]:
        """The final probabilities (S, K, M) and labels, with a halo, after `sweeps` more sweeps."""
