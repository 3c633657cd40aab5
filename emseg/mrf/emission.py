"""What the pixels say of the classes: log-densities on the lattice, and the statistics of soft assignments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Link, Problem
from emseg.mixture.mixture import Mixture
from emseg.mixture.stats import Stats
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import Real, width

LOWEST = -80.0  # log-densities further below the largest make no difference, and subnormal numbers are slow
BLOCK = 8192


class Emission:
    """The samples of a problem on a lattice.

    Parameters
    ----------
    problem : Problem
        Family, covariance model and penalty; its samples are the rows that `index` refers to.
    lattice : Lattice
    index : ndarray of int, `lattice.shape`
        The row of each pixel; anything outside.
    """

    def __init__(self, problem: Problem, lattice: Lattice, index: NDArray[np.integer[Any]]) -> None:
        self.problem, self.lattice = problem, lattice
        self.index = lattice.split(index.astype(np.intp, copy=False))
        rows = problem.samples
        self.few = 2 * rows.n_rows < lattice.n_sites  # then densities are cheaper by row
        x = np.asarray(rows.x, np.float32)
        self.x: Real | None = None if self.few else np.stack([x[:, cells] for cells in self.index])
        self.t = np.empty((len(self.index), problem.family.n_monomials(rows.d), lattice.cells), np.float32)
        for s, cells in enumerate(self.index):
            phase = replace(rows, x=np.ascontiguousarray(x[:, cells]), weight=np.ones(lattice.cells, np.float32))
            for part, (t, _) in zip(lattice.blocks(BLOCK), phase.blocks(problem.family, BLOCK), strict=True):
                np.multiply(t, lattice.inside[s, part], out=self.t[s, :, part])

    def log_densities(self, mixture: Mixture) -> tuple[Real, float]:
        """log f_k(x_i) less its largest at each pixel, (S, K, M), and the sum of the largest over all pixels."""
        inside, out = self.lattice.inside, np.empty((len(self.index), mixture.k, self.lattice.cells), np.float32)
        if self.x is None:
            joint, top = _levelled(mixture, self.problem.samples.x)
            table = joint.astype(np.float32)
            for s, cells in enumerate(self.index):
                for row, plane in zip(table, out[s], strict=True):
                    np.take(row, cells, out=plane, mode="clip")
            level = sum(float(top[cells] @ seen) for cells, seen in zip(self.index, inside, strict=True))
        else:
            level = 0.0
            for s, phase in enumerate(self.x):
                for part in self.lattice.blocks(BLOCK):
                    out[s, :, part], top = _levelled(mixture, phase[:, part].astype(np.float64))
                    level += float(top @ inside[s, part])
        return out, level + float(np.sum(self.problem.log_jacobian)) * self.lattice.n_sites

    def statistics(self, s: int, part: slice, p: Real, link: Link | None = None) -> NDArray[np.float64]:
        """Σ_i p_ik T(x_i) over a block, shape (K, P), or what takes the place of T where there is a link."""
        t = self.t[s, :, part]
        if link is None:
            return (p @ t.T).astype(np.float64)
        return link.gather(p, link.eta.astype(np.float32) @ t, t)

    def of_shares(self, q: Real) -> Stats:
        """Statistics of soft assignments (S, K, M)."""
        total = np.zeros((q.shape[1], self.t.shape[1]))
        for s in range(len(q)):
            for part in self.lattice.blocks(width(1)):
                total += self.statistics(s, part, q[s, :, part])
        return self.problem.family.completed(total)

    def of_labels(self, labels: NDArray[np.uint8], k: int) -> Stats:
        """Statistics of labels (S, M)."""
        return self.of_shares((labels[:, None] == np.arange(k, dtype=np.uint8)[:, None]).astype(np.float32))


def _levelled(mixture: Mixture, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log f_k(x) less its largest, at least LOWEST, (K, N), and the largest, (N,)."""
    joint = mixture.log_joint(x) - np.log(mixture.weights)[:, None]
    top = joint.max(0)
    joint -= top
    return np.maximum(joint, LOWEST, out=joint), top
