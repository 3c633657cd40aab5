"""`Rows`: weighted samples as the E-step sees them, and smaller samples drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.conditional.missing_patterns import grouped
from emseg.mixture.family import Family, Real


@dataclass(frozen=True, eq=False)
class Rows:
    """Weighted samples.

    Attributes
    ----------
    x : ndarray, shape (D, N)
        Planar samples; float32 or float64, which is also the precision of the E-step. NaN is what was not observed.
    weight : ndarray, shape (N,)
        Counts c_i.
    """

    x: Real
    weight: Real

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return len(self.x)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.x.shape[1])

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """Rows by what was observed of them, without those of which nothing was; none where all are whole."""
        return tuple(
            Pattern(seen, Rows(np.ascontiguousarray(self.x[np.ix_(seen, which)]), self.weight[which]), which)
            for seen, which in grouped(self.x)
        )

    @property
    def observed(self) -> Rows:
        """The rows of which something was observed: these themselves, mostly.

        Raises
        ------
        ValueError
            If there are none.
        """
        if not self.patterns:
            if np.isnan(self.x[:, :1]).any():
                raise ValueError("nothing was observed of any sample")
            return self
        kept = np.sort(np.concatenate([pattern.which for pattern in self.patterns]))
        return self if kept.size == self.n_rows else Rows(np.ascontiguousarray(self.x[:, kept]), self.weight[kept])

    @cached_property
    def n(self) -> float:
        """Number of samples."""
        return float(self.weight.sum(dtype=np.float64))

    def single(self) -> Rows:
        """The same in single precision."""
        return Rows(self.x.astype(np.float32), self.weight.astype(np.float32))

    def blocks(self, family: Family, size: int) -> Iterator[tuple[Real, Real]]:
        """T (P, B) and weights (B,) for consecutive blocks of at most `size` rows; the memory of T is reused.

        That of few rows is kept, as iterations on them are many.
        """
        if self.n_rows <= FEW:
            t = self._statistics(family)
            for start in range(0, self.n_rows, size):
                yield t[:, start : start + size], self.weight[start : start + size]
            return
        t = np.ones((family.n_monomials(self.d), min(size, self.n_rows)), self.x.dtype)
        for start in range(0, self.n_rows, size):
            x = self.x[:, start : start + size]
            t = t if x.shape[1] == t.shape[1] else np.ones((len(t), x.shape[1]), x.dtype)
            family.monomials(x, t)
            yield t, self.weight[start : start + size]

    def _statistics(self, family: Family) -> Real:
        """T (P, N), made once for the family that it was last asked for."""
        last: tuple[Family, Real] | None = self.__dict__.get("_last")
        if last is None or last[0] is not family:
            t = np.ones((family.n_monomials(self.d), self.n_rows), self.x.dtype)
            family.monomials(self.x, t)
            t.flags.writeable = False
            last = self.__dict__["_last"] = family, t
        return last[1]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Rows of which the same dimensions were observed.

    Attributes
    ----------
    seen : ndarray of int, shape (D_o,)
        Those dimensions, ascending.
    rows : Rows
        In these dimensions alone.
    which : ndarray of int
        Their places among all rows.
    """

    seen: NDArray[np.intp]
    rows: Rows
    which: NDArray[np.intp]


SIZES = (1024, 4096, 16384)
FEW = 20_000  # rows


def samples(rows: Rows, rng: np.random.Generator) -> list[Rows]:
    """Stratified samples of increasing size, each row drawn in proportion to its weight, for cheap early iterations.

    A row that outweighs its share of the sample is taken as it is, and the rest drawn from the others. The largest
    sample is the rows themselves where they are few. A sample shows narrow components as they are, which the
    cells of a histogram, with their scatter summed, would blur.
    """
    drawn: list[Rows] = []
    total = rows.weight.sum(dtype=np.float64)
    for size in SIZES:
        if rows.n_rows <= 2 * size:
            return [*drawn, rows]
        heavy = rows.weight >= total / size
        weight = _systematic(np.where(heavy, 0.0, rows.weight), size - int(heavy.sum()), rng)
        np.copyto(weight, rows.weight, where=heavy)
        kept = np.flatnonzero(weight)
        drawn.append(Rows(np.ascontiguousarray(rows.x[:, kept]), weight[kept].astype(rows.x.dtype)))
    return drawn


def _systematic(weight: Real, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weights of a sample of `size` draws, one from each of as many equal shares; zero for what is left out."""
    cumulative = np.cumsum(weight, dtype=np.float64)
    share = cumulative[-1] / max(size, 1)
    draws = (np.arange(size) + rng.random(size)) * share
    found = np.minimum(np.searchsorted(cumulative, draws, side="right"), weight.size - 1)
    return np.asarray(np.bincount(found, minlength=weight.size) * share, np.float64)
