"""What the pixels say of the classes: log-densities on the lattice, and the statistics of soft assignments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.mixture.couplings.link import Link
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import Real, block_size
from emseg.mrf.tiles import Tile, stacked

LOWEST = -80.0  # log-densities further below the largest make no difference, and subnormal numbers are slow
BLOCK = 8192


class Known(NamedTuple):
    """What is known of pixels beforehand.

    Attributes
    ----------
    marks : ndarray of uint8, the grid's shape, or None
        Labels 1…K that pixels are known to have; 0 elsewhere.
    log_prior : ndarray of float32, shape (K, ...), or None
        Logarithm of the probability of each class at each pixel, before its values are seen.
    """

    marks: NDArray[np.uint8] | None = None
    log_prior: NDArray[np.float32] | None = None

    def of_tiles(self, tiles: Sequence[Tile]) -> Known:
        """The same for tiles of the grid, as `stacked`."""
        return Known(*(None if planes is None else stacked(planes, tiles) for planes in self))


NOTHING = Known()


class Emission:
    """The samples of a problem on a lattice.

    Parameters
    ----------
    problem : Problem
        Family, covariance model and penalty; its samples are the rows that `index` refers to.
    lattice : Lattice
    index : ndarray of int, `lattice.shape`
        The row of each pixel; anything outside.
    known : Known
        What is known of pixels beforehand.
    weighted : bool
        Whether the weights of the mixture count, as without a field; a field has none.
    keep : bool
        Hold T(x) of all pixels in memory, 4 P bytes each, as is worth its while if statistics are wanted often.
    """

    def __init__(
        self,
        problem: Problem,
        lattice: Lattice,
        index: NDArray[np.integer[Any]],
        keep: bool = True,
        known: Known = NOTHING,
        weighted: bool = False,
    ) -> None:
        self.problem, self.lattice, self.weighted = problem, lattice, weighted
        self.marks = None if known.marks is None else lattice.split(known.marks)
        self.log_prior: Real | None = None if known.log_prior is None else lattice.split(known.log_prior)
        rows = problem.rows
        self.few = 2 * rows.n_rows < lattice.n_sites  # then densities are cheaper by row
        kind = np.intp if keep else np.int32
        self.index = lattice.split(index.astype(kind, copy=False))
        x = np.asarray(rows.x, np.float32)
        self.x: Real | None = None if self.few else np.stack([x[:, cells] for cells in self.index])
        self.t: Real | None = None
        if keep:
            size = (len(self.index), problem.family.n_monomials(rows.d), lattice.cells)
            self.t = np.empty(size, np.float32)
            for s, t in enumerate(self.t):
                for part in lattice.blocks(BLOCK):
                    t[:, part] = self._monomials(s, part)

    @property
    def learns(self) -> bool:
        """Whether the field changes the mixture; of pixels that may be mixed, their own values say more."""
        return self.problem.family.refitted_in_field

    @property
    def shift(self) -> float:
        """What brings Σ log f from standardised to the features' own units."""
        return float(np.sum(self.problem.log_jacobian)) * self.lattice.n_sites

    def _monomials(self, s: int, part: slice) -> Real:
        """T(x) of a block, shape (P, B); zero outside."""
        x = self.problem.rows.x[:, self.index[s, part]].astype(np.float32) if self.x is None else self.x[s, :, part]
        block = Rows(np.ascontiguousarray(x), np.ones(x.shape[1], np.float32))
        ((t, _),) = block.blocks(self.problem.family, x.shape[1])
        return np.asarray(t * self.lattice.inside[s, part], np.float32)

    def log_densities(self, mixture: Mixture) -> Real:
        """log f_k(x_i) less its largest at each pixel, (S, K, M)."""
        return self._densities(mixture, False)[0]

    def log_densities_and_level(self, mixture: Mixture) -> tuple[Real, float]:
        """The same, and the sum over all pixels of the largest log f_k(x_i), in the features' own units."""
        log_f, level = self._densities(mixture, True)
        return log_f, level + self.shift

    def _densities(self, mixture: Mixture, wanted: bool) -> tuple[Real, float]:
        inside, level = self.lattice.inside, 0.0
        out = np.empty((len(self.index), mixture.k, self.lattice.cells), np.float32)
        table, tops = None, None
        if self.x is None:
            joint, tops = self._levelled(mixture, self.problem.rows.x)
            table = joint.astype(np.float32)
        for s, cells in enumerate(self.index):
            if table is not None and tops is not None:
                for row, plane in zip(table, out[s], strict=True):
                    np.take(row, cells, out=plane, mode="clip")
                if wanted:
                    level += float(np.sum(tops[cells], where=inside[s]))
                continue
            assert self.x is not None
            for part in self.lattice.blocks(BLOCK):
                out[s, :, part], top = self._levelled(mixture, self.x[s, :, part].astype(np.float64))
                level += float(top @ inside[s, part])
        if self.log_prior is not None:
            out += self.log_prior
            tops = out.max(1)
            out -= tops[:, None]
            np.maximum(out, LOWEST, out=out)
            level += float(np.sum(tops, where=inside, dtype=np.float64))
        return out, level + self._hold(out)

    def _levelled(self, mixture: Mixture, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log f_k(x) less its largest, at least LOWEST, (K, N), and the largest, (N,)."""
        joint = mixture.log_joint(x)
        if not self.weighted:
            joint -= np.log(mixture.weights)[:, None]
        top = joint.max(0)
        joint -= top
        return np.maximum(joint, LOWEST, out=joint), top

    def _hold(self, log_f: Real) -> float:
        """Leave marked pixels their label alone, in place; what that takes off the sum of the largest log-densities."""
        moved = 0.0
        for label in range(1, log_f.shape[1] + 1) if self.marks is not None else ():
            assert self.marks is not None
            here = self.marks == label
            moved += float(log_f[:, label - 1][here].sum(dtype=np.float64))
            for other in range(log_f.shape[1]):
                log_f[:, other][here] = 0 if other == label - 1 else LOWEST
        return moved

    def statistics(self, s: int, part: slice, p: Real, link: Link | None = None) -> NDArray[np.float64]:
        """Σ_i p_ik T(x_i) over a block, shape (K, P), or what takes the place of T where there is a link."""
        t = self._monomials(s, part) if self.t is None else self.t[s, :, part]
        if link is None:
            return (p @ t.T).astype(np.float64)
        return link.gather(p, link.eta.astype(np.float32) @ t, t)

    def of_shares(self, q: Real, link: Link | None = None) -> Stats:
        """Statistics of soft assignments (S, K, M)."""
        size = block_size(1) if self.t is None else BLOCK
        places = [(s, part) for s in range(len(q)) for part in self.lattice.blocks(size)]
        total = np.sum([self.statistics(s, part, q[s, :, part], link) for s, part in places], axis=0)
        return self.problem.family.completed(total) if link is None else Stats(total[:, 0].copy(), total)

    def of_labels(self, labels: NDArray[np.uint8], k: int) -> Stats:
        """Statistics of labels (S, M)."""
        return self.of_shares((labels[:, None] == np.arange(k, dtype=np.uint8)[:, None]).astype(np.float32))
