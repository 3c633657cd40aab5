"""What pixels say of the classes: log-densities on the lattice, and the statistics of soft assignments."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.mixture.links.link import Link
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import Real, block_size, one_hot
from emseg.mrf.tiles import Tile, stack_tiles
from emseg.records import NamedRecord

#: Nats. Log-densities less their largest are cut off here: e^-80 of a pixel changes no sum of single precision, and
#: subnormal numbers, which begin at e^-87, are slow.
LOWEST = -80.0
#: Nats. Nor are they less than this before what is known of pixels is added: a number of single precision.
FARTHEST = -1e30
CONSTANT = 1e-4  # nats: spread of a prior that is the same everywhere but for rounding
BLOCK = 8192  # pixels that are converted at once: 64 KiB a dimension in double precision


class Known(NamedRecord):
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
        """The same for tiles of the grid, as `stack_tiles` puts them together."""
        return Known(*(None if planes is None else stack_tiles(planes, tiles) for planes in self))


NOTHING = Known()


class Emission:
    """The pixels of a problem on a lattice.

    Parameters
    ----------
    problem : Problem
        Family, covariance model and penalty. Its samples are the rows that `index` refers to.
    lattice : Lattice
    index : ndarray of int, `lattice.shape`
        The row of each pixel; any number outside.
    keep : bool
        Whether to hold T(x) of all pixels in memory, 4 P bytes a pixel. It pays where statistics are wanted often.
    known : Known
        What is known of pixels beforehand.
    weighted : bool
        Whether the weights of the mixture count. They do in a mixture; a Potts field has none.
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
        self.marks = None if known.marks is None else np.where(lattice.inside, lattice.split(known.marks), np.uint8(0))
        self.log_prior: Real | None = None if known.log_prior is None else lattice.split(known.log_prior)
        rows = problem.rows
        self.index = lattice.split(index.astype(np.intp if keep else np.int32, copy=False))
        self.x: Real | None = None  # where distinct rows are few, densities are computed by row
        if 2 * rows.n_rows >= lattice.n_sites:
            x = np.asarray(rows.x, np.float32)
            self.x = np.stack([x[:, cells] for cells in self.index])
        self.t: Real | None = None
        if keep:
            size = (len(self.index), problem.family.n_monomials(rows.d), lattice.cells)
            self.t = np.empty(size, np.float32)
            for s, t in enumerate(self.t):
                for part in lattice.blocks(BLOCK):
                    t[:, part] = self._monomials(s, part)

    def without_grain(self) -> Emission:
        """The same pixels, with the densities of the mixture itself."""
        plain = copy(self)
        plain.problem = replace(self.problem, grain=None)
        return plain

    @property
    def prior_tells_classes_apart(self) -> bool:
        """Whether what is known beforehand differs from pixel to pixel; else classes by it alone were all the same."""
        if self.log_prior is None:
            return False
        told = np.moveaxis(self.log_prior, 1, 0)[:, self.lattice.inside]
        return bool((np.ptp(told, axis=1) > CONSTANT).any())

    @property
    def learns(self) -> bool:
        """Whether the mixture is fitted to what the field says, see `Family.refitted_in_field`."""
        return self.problem.family.refitted_in_field

    @property
    def shift(self) -> float:
        """What brings Σ_i log f(x_i) from standardised coordinates to the features' own units, in nats."""
        return float(np.sum(self.problem.log_jacobian)) * self.lattice.n_sites

    def _monomials(self, s: int, part: slice) -> Real:
        """T(x) of a block, shape (P, B); zero outside."""
        x = self.problem.rows.x[:, self.index[s, part]].astype(np.float32) if self.x is None else self.x[s, :, part]
        block = Rows(np.ascontiguousarray(x), np.ones(x.shape[1], np.float32))
        ((t, _),) = block.blocks(self.problem.family, x.shape[1])
        return np.asarray(t * self.lattice.inside[s, part], np.float32)

    def log_densities(self, mixture: Mixture) -> Real:
        """log f_k(x_i) less its largest at each pixel, (S, K, M); with a grain, expected ones, see `Problem`."""
        return self._densities(mixture, False)[0]

    def log_densities_and_level(self, mixture: Mixture) -> tuple[Real, float]:
        """The same, and the sum over all pixels of the largest log f_k(x_i), in the features' own units."""
        log_f, level = self._densities(mixture, True)
        return log_f, level + self.shift

    def _densities(self, mixture: Mixture, wanted: bool) -> tuple[Real, float]:
        """Log-densities less their largest; and the sum of the largest, if it is wanted."""
        out = np.empty((len(self.index), mixture.k, self.lattice.cells), np.float32)
        level = self._fill_by_row(out, mixture, wanted) if self.x is None else self._fill(out, mixture, self.x)
        if self.log_prior is not None:
            out += self.log_prior
            tops = out.max(1)
            out -= tops[:, None]
            level += float(np.sum(tops, where=self.lattice.inside, dtype=np.float64))
        if self.marks is not None:
            level += _fix_marked(out, self.marks)
        if self._told:
            np.maximum(out, LOWEST, out=out)
        return out, level

    @property
    def _told(self) -> bool:
        """Whether anything is known of pixels beforehand: their labels may then be ones of the lowest densities."""
        return self.log_prior is not None or self.marks is not None

    def _fill_by_row(self, out: Real, mixture: Mixture, wanted: bool) -> float:
        joint, tops = self._relative(mixture, self.problem.rows.x)
        table, level = joint.astype(np.float32), 0.0
        for cells, inside, planes in zip(self.index, self.lattice.inside, out, strict=True):
            for row, plane in zip(table, planes, strict=True):
                np.take(row, cells, out=plane, mode="clip")
            if wanted:
                level += float(np.sum(tops[cells], where=inside))
        return level

    def _fill(self, out: Real, mixture: Mixture, x: Real) -> float:
        level = 0.0
        for own, inside, planes in zip(x, self.lattice.inside, out, strict=True):
            for part in self.lattice.blocks(BLOCK):
                planes[:, part], tops = self._relative(mixture, own[:, part].astype(np.float64))
                level += float(tops @ inside[part])
        return level

    def _relative(self, mixture: Mixture, x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log f_k(x) less its largest, (K, N), not yet cut off where something is known; and the largest, (N,)."""
        joint = mixture.log_joint(x)
        lift = self.problem.lift(mixture)
        if lift is not None:
            joint -= lift[:, None]
        if not self.weighted:
            joint -= np.log(mixture.weights)[:, None]
        top = joint.max(0)
        joint -= top
        return np.maximum(joint, FARTHEST if self._told else LOWEST, out=joint), top

    def statistics(self, s: int, part: slice, p: Real, link: Link | None = None) -> NDArray[np.float64]:
        """Σ_i p_ik T(x_i) over a block, shape (K, P), or what takes the place of T where there is a link."""
        t = self._monomials(s, part) if self.t is None else self.t[s, :, part]
        if link is None:
            # No matrix product: its sums come in another order on every processor, and so would labels.
            return np.asarray(np.einsum("kb,pb->kp", p, t), np.float64)
        return link.gather(p, link.eta.astype(np.float32) @ t, t)

    def stats_of_probabilities(self, q: Real, link: Link | None = None) -> Stats:
        """Statistics of soft assignments (S, K, M)."""
        size = block_size(1) if self.t is None else BLOCK
        places = [(s, part) for s in range(len(q)) for part in self.lattice.blocks(size)]
        total = np.sum([self.statistics(s, part, q[s, :, part], link) for s, part in places], axis=0)
        return self.problem.family.completed(total) if link is None else Stats(total[:, 0].copy(), total)

    def stats_of_labels(self, labels: NDArray[np.uint8], k: int) -> Stats:
        """Statistics of labels (S, M)."""
        return self.stats_of_probabilities(one_hot(labels, k))


def _fix_marked(log_f: Real, marks: NDArray[np.uint8]) -> float:
    """Leave marked pixels their own label alone, in place.

    Parameters
    ----------
    log_f : ndarray of float32, shape (S, K, M)
    marks : ndarray of uint8, shape (S, M)
        1…K; 0 for pixels without a mark.

    Returns
    -------
    float
        The log-densities of the marked labels, which the sum of the largest log-densities changes by.
    """
    moved = 0.0
    for label in range(log_f.shape[1]):
        here = marks == label + 1
        moved += float(log_f[:, label][here].sum(dtype=np.float64))
        for other in range(log_f.shape[1]):
            log_f[:, other][here] = 0 if other == label else LOWEST
    return moved
