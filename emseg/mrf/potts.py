"""The Potts field: neighbours like to have the same label.

    E(z) = -Σ_i log f_{z_i}(x_i) - β Σ_{i~j} w_ij [z_i = z_j]

Every pair of neighbours is counted once. p(z | x) ∝ exp(-E(z)), and given its neighbours the label of a pixel is k with
probability ∝ exp(log f_k(x_i) + β c_ik), where c_ik = Σ_j w_ij [z_j = k] is its *votes* for k. Soft assignments q_jk
take the place of [z_j = k] in the mean field.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.lattice import Lattice

Real = NDArray[np.float32]
Labels = NDArray[np.uint8]
OUTSIDE = 255  # the label of cells that are no pixels
MOST_CLASSES = 254  # classes
BLOCK = 1 << 16  # cells times classes that are worked on at once: they stay in the second-level cache


LARGEST_EXPONENT = 60.0  # β c from which on e^βc could leave the range of single precision


def block_size(k: int) -> int:
    """Cells in a block."""
    return max(1024, BLOCK // k)


class Votes:
    """c_ik for one block of cells after another; memory is allocated once."""

    def __init__(self, lattice: Lattice, k: int) -> None:
        self.lattice, self.k = lattice, k
        size = block_size(k)
        self.out = np.empty((k, size), np.float32)
        self.plane = np.empty(size, np.float32)
        self.same, self.count = np.empty(size, np.bool_), np.empty(size, np.uint8)
        self.groups = [_by_weight(row) for row in lattice.couplings]

    def of_labels(self, labels: Labels, s: int, part: slice) -> Real:
        """Votes of labels, a state (S, …): shape (K, B), valid until the next call."""
        lattice, size = self.lattice, part.stop - part.start
        out, plane, same, count = self.out[:, :size], self.plane[:size], self.same[:size], self.count[:size]
        first = lattice.halo + part.start
        for label, c in enumerate(out):
            fresh = True
            for weight, plain, edged in self.groups[s]:
                for i, link in enumerate(plain):
                    there = labels[link.source, first + link.shift : first + link.shift + size]
                    if i == 0:
                        np.equal(there, label, out=count.view(np.bool_))
                    else:
                        np.equal(there, label, out=same)
                        np.add(count, same.view(np.uint8), out=count)
                if plain:
                    target = c if fresh else plane
                    np.multiply(count, np.float32(weight), out=target)
                    if not fresh:
                        c += plane
                    fresh = False
                for link in edged:
                    there = labels[link.source, first + link.shift : first + link.shift + size]
                    np.equal(there, label, out=same)
                    np.multiply(link.edge[part], same, out=c if fresh else plane)
                    if weight != 1:
                        np.multiply(c if fresh else plane, np.float32(weight), out=c if fresh else plane)
                    if not fresh:
                        c += plane
                    fresh = False
            if fresh:
                c[:] = 0
        return out

    def of_shares(self, q: Real, s: int, part: slice) -> Real:
        """Votes of soft assignments, a state (S, K, …)."""
        lattice, size = self.lattice, part.stop - part.start
        out, first = self.out[:, :size], lattice.halo + part.start
        spare = None
        out[:] = 0
        for weight, plain, edged in self.groups[s]:
            for link in (*plain, *edged):
                there = q[link.source, :, first + link.shift : first + link.shift + size]
                if weight == 1 and link.edge is None:
                    out += there
                    continue
                spare = np.empty_like(out) if spare is None else spare
                np.multiply(there, weight if link.edge is None else np.float32(weight) * link.edge[part], out=spare)
                out += spare
        return out


def _by_weight(row: tuple[Any, ...]) -> list[tuple[float, list[Any], list[Any]]]:
    """Links of a phase by weight: those without and those with a weight for each edge."""
    weights = sorted({link.weight for link in row}, reverse=True)
    return [
        (
            weight,
            [link for link in row if link.weight == weight and link.edge is None],
            [link for link in row if link.weight == weight and link.edge is not None],
        )
        for weight in weights
    ]


def best_label(shares: Real) -> Labels:
    """The k with the largest of shares (S, K, M), the first of equals; shape (S, M)."""
    best = np.zeros((len(shares), shares.shape[2]), np.uint8)
    for top, row in zip(best, shares, strict=True):
        highest = row[0].copy()
        for k in range(1, len(row)):
            np.copyto(top, np.uint8(k), where=row[k] > highest)
            np.maximum(highest, row[k], out=highest)
    return best


def agreement(lattice: Lattice, labels: Labels, k: int) -> float:
    """Σ_{i~j} w_ij [z_i = z_j] of labels as a state."""
    votes, total = Votes(lattice, k), 0.0
    for s in range(len(lattice.phases)):
        for part in lattice.blocks(block_size(k)):
            c = votes.of_labels(labels, s, part)
            own = lattice.core(labels)[s, part]
            for label in range(k):
                total += float(c[label][own == label].sum(dtype=np.float64))
    return total / 2


def energy(lattice: Lattice, labels: Labels, log_f: Real, beta: float) -> float:
    """E(z) of labels (a state) for log-densities (S, K, M)."""
    own = lattice.core(labels)
    data = sum(float(log_f[:, label][own == label].sum(dtype=np.float64)) for label in range(log_f.shape[1]))
    return -data - beta * agreement(lattice, labels, log_f.shape[1])


def state(lattice: Lattice, labels: Labels) -> Labels:
    """Labels (S, M) as a state; whatever is no pixel is nobody's neighbour."""
    return lattice.with_halo(np.where(lattice.inside, labels, np.uint8(OUTSIDE)), OUTSIDE)


def one_hot(labels: Labels, k: int) -> Real:
    """Labels, a state, as assignments of zeros and ones (S, K, …)."""
    return np.asarray(labels[:, None] == np.arange(k, dtype=np.uint8)[:, None], np.float32)
