"""What methods have in common that hold one label for each pixel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Self

import numpy as np

from emseg.mrf.inference.protocol import Visit
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import LARGEST_EXPONENT, Labels, Real, Votes, best_label, block_size, haloed_labels
from emseg.records import record


@record(frozen=True, eq=False)
class LabelField(ABC):
    """Labels of the pixels; a method says how one sweep changes them.

    Attributes
    ----------
    lattice : Lattice
    labels : ndarray of uint8, shape (S, halo + M + halo)
        0…K-1, with a halo.
    votes : Votes
        Buffers.
    """

    lattice: Lattice
    labels: Labels
    votes: Votes

    @classmethod
    def of_labels(cls, lattice: Lattice, labels: Labels, k: int) -> Self:
        """Start from labels, with a halo."""
        return cls(lattice, labels.copy(), Votes(lattice, k))

    @classmethod
    def of_probabilities(cls, lattice: Lattice, q: Real) -> Self:
        """Start from the most probable labels."""
        return cls.of_labels(lattice, haloed_labels(lattice, best_label(lattice.core(q))), q.shape[1])

    def iterate(
        self, log_f: Real, beta: float, rng: np.random.Generator, sweeps: int = 1, visit: Visit | None = None
    ) -> Self:
        """The state after `sweeps` more sweeps."""
        for left in range(sweeps)[::-1]:
            self._sweep(log_f, beta, rng, None if left else visit)
        return replace(self)

    @abstractmethod
    def _sweep(self, log_f: Real, beta: float, rng: np.random.Generator, visit: Visit | None) -> None:
        """Change the labels in place, and show the probabilities to `visit`."""

    def free_energy(self, log_f: Real, beta: float) -> float | None:
        """None: statistics are of probabilities, and these need not lower the energy of the labels."""
        return None

    def answer(self, log_f: Real, beta: float, rng: np.random.Generator, sweeps: int) -> tuple[Real, Labels]:
        """Labels after `sweeps` more sweeps, and the probabilities of all labels given those of the neighbours."""
        labels = self.iterate(log_f, beta, rng, sweeps).labels
        probabilities = np.zeros(log_f.shape, np.float32)

        def keep(s: int, part: slice, c: Real, p: Real) -> None:
            probabilities[s, :, part] = p

        visit_conditionals(self.lattice, labels, log_f, beta, keep, self.votes)
        return probabilities, labels


def visit_conditionals(lattice: Lattice, labels: Labels, log_f: Real, beta: float, visit: Visit, votes: Votes) -> None:
    """Show p(z_i = k | neighbours' labels, x_i) of all pixels to `visit`, block by block; no label changes."""
    steep = beta * lattice.largest_votes > LARGEST_EXPONENT
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(block_size(log_f.shape[1])):
            c = votes.of_labels(labels, s, part)
            p = np.multiply(c, np.float32(beta))
            p += log_f[s, :, part]
            if steep:
                p -= p.max(0)
            np.exp(p, out=p)
            p *= lattice.inside[s, part] / p.sum(0)
            visit(s, part, c, p)
