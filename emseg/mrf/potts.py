"""The Potts field: neighbours tend to have the same label.

    E(z) = -Σ_i log f_{z_i}(x_i) - β Σ_{i~j} w_ij [z_i = z_j]

Every pair of neighbours is counted once, and p(z | x) ∝ exp(-E(z)). Given its neighbours, a pixel has label k with
probability ∝ exp(log f_k(x_i) + β c_ik), where c_ik = Σ_j w_ij [z_j = k] are the *votes* of its neighbours for k. In
the mean field, soft assignments q_jk take the place of [z_j = k].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.lattice import Coupling, Lattice
from emseg.records import NamedRecord

Real = NDArray[np.float32]
Labels = NDArray[np.uint8]
OUTSIDE = 255  # the label of cells that are no pixels
MOST_CLASSES = 254  # labels are stored in 8 bits, and one value is taken by OUTSIDE
#: Cells times classes in a block. In single precision that is 256 KiB: blocks stay in the second-level cache.
BLOCK_VALUES = 1 << 16
LEAST_BLOCK = 1024  # cells, however many classes there are: shorter ones cost more in calls than they save in the cache
#: β c from which on the largest is taken off before exponentials. Single precision ends at e^88, and a log-density less
#: its largest at each pixel is at most 0.
LARGEST_EXPONENT = 60.0


def block_size(k: int) -> int:
    """Cells in a block, for k classes."""
    return max(LEAST_BLOCK, BLOCK_VALUES // k)


class _Group(NamedRecord):
    """Couplings of a phase that have one weight: those without factors, and those with."""

    weight: float
    uniform: list[Coupling]
    varying: list[tuple[Coupling, NDArray[np.floating]]]


def _groups(row: tuple[Coupling, ...]) -> list[_Group]:
    """The couplings of a phase by weight, the largest first."""
    return [
        _Group(
            weight,
            [c for c in row if c.weight == weight and c.factors is None],
            [(c, c.factors) for c in row if c.weight == weight and c.factors is not None],
        )
        for weight in sorted({c.weight for c in row}, reverse=True)
    ]


class Votes:
    """c_ik for one block of cells after another. Memory is allocated once.

    Parameters
    ----------
    lattice : Lattice
    k : int
        Number of classes.
    """

    def __init__(self, lattice: Lattice, k: int) -> None:
        self.lattice, self.k = lattice, k
        size = block_size(k)
        self.out = np.empty((k, size), np.float32)
        self.plane = np.empty(size, np.float32)
        self.same, self.count = np.empty(size, np.bool_), np.empty(size, np.uint8)
        self.groups = [_groups(row) for row in lattice.couplings]

    def of_labels(self, labels: Labels, s: int, part: slice) -> Real:
        """Votes of labels, for a block of phase s.

        Parameters
        ----------
        labels : ndarray of uint8, shape (S, halo + M + halo)
        s : int
        part : slice
            Of the cells.

        Returns
        -------
        ndarray of float32, shape (K, B)
            Valid until the next call.
        """
        lattice, size = self.lattice, part.stop - part.start
        out, plane, same, count = self.out[:, :size], self.plane[:size], self.same[:size], self.count[:size]
        first = lattice.halo + part.start
        for label, c in enumerate(out):
            fresh = True
            for weight, uniform, varying in self.groups[s]:
                for i, coupling in enumerate(uniform):
                    there = labels[coupling.phase, first + coupling.shift : first + coupling.shift + size]
                    if i == 0:
                        np.equal(there, label, out=count.view(np.bool_))
                    else:
                        np.equal(there, label, out=same)
                        np.add(count, same.view(np.uint8), out=count)
                if uniform:
                    target = c if fresh else plane
                    np.multiply(count, np.float32(weight), out=target)
                    if not fresh:
                        c += plane
                    fresh = False
                for coupling, factors in varying:
                    there = labels[coupling.phase, first + coupling.shift : first + coupling.shift + size]
                    target = c if fresh else plane
                    np.equal(there, label, out=same)
                    np.multiply(factors[part], same, out=target)
                    if weight != 1:
                        target *= np.float32(weight)
                    if not fresh:
                        c += plane
                    fresh = False
            if fresh:
                c[:] = 0
        return out

    def of_probabilities(self, q: Real, s: int, part: slice) -> Real:
        """The same for soft assignments (S, K, halo + M + halo)."""
        lattice, size = self.lattice, part.stop - part.start
        out, first = self.out[:, :size], lattice.halo + part.start
        spare = None
        out[:] = 0
        for weight, uniform, varying in self.groups[s]:
            for coupling, factors in (*((coupling, None) for coupling in uniform), *varying):
                there = q[coupling.phase, :, first + coupling.shift : first + coupling.shift + size]
                if weight == 1 and factors is None:
                    out += there
                    continue
                spare = np.empty_like(out) if spare is None else spare
                np.multiply(there, weight if factors is None else np.float32(weight) * factors[part], out=spare)
                out += spare
        return out


def best_label(probabilities: Real) -> Labels:
    """The k with the largest of probabilities or scores (S, K, M), the first of equals; shape (S, M)."""
    best = np.zeros((len(probabilities), probabilities.shape[2]), np.uint8)
    for top, row in zip(best, probabilities, strict=True):
        highest = row[0].copy()
        for k in range(1, len(row)):
            np.copyto(top, np.uint8(k), where=row[k] > highest)
            np.maximum(highest, row[k], out=highest)
    return best


def agreement(lattice: Lattice, labels: Labels, k: int) -> float:
    """Σ_{i~j} w_ij [z_i = z_j] of labels with a halo."""
    votes, total = Votes(lattice, k), 0.0
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(block_size(k)):
            c = votes.of_labels(labels, s, part)
            own = lattice.core(labels)[s, part]
            for label in range(k):
                total += float(c[label][own == label].sum(dtype=np.float64))
    return total / 2


def energy(lattice: Lattice, labels: Labels, log_f: Real, beta: float) -> float:
    """E(z) of labels with a halo, for log-densities (S, K, M), in nats."""
    own = lattice.core(labels)
    data = sum(float(log_f[:, label][own == label].sum(dtype=np.float64)) for label in range(log_f.shape[1]))
    return -data - beta * agreement(lattice, labels, log_f.shape[1])


def haloed_labels(lattice: Lattice, labels: Labels) -> Labels:
    """Labels (S, M) with a halo. Cells that are no pixels are OUTSIDE, and so vote for no class."""
    return lattice.with_halo(np.where(lattice.inside, labels, np.uint8(OUTSIDE)), OUTSIDE)


def one_hot(labels: Labels, k: int) -> Real:
    """Labels (S, ...) as assignments of zeros and ones (S, K, ...)."""
    return np.asarray(labels[:, None] == np.arange(k, dtype=np.uint8)[:, None], np.float32)
