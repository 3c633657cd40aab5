"""`Samples`: what EM sees of the data, weighted samples in parts; `Rows`: such samples in memory.

Everything that EM needs of samples adds up over parts: statistics, ℓ, counts. So samples may lie in one array, in
many, or in files that are read when they are needed. A part that is not in memory is any value that can be pickled and
has `rows()`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.conditional.missing_patterns import grouped
from emseg.mixture.family import Family, Real
from emseg.records import NamedRecord, record

Places = NDArray[np.intp]
#: Rows of one block of random draws. Every block has a generator of its own, so that what is drawn for a row does not
#: depend on the part that it is in; parts begin at whole blocks. To make a generator takes 8 μs, and to draw the
#: labels of a block among four components 310 μs (measured): three percent.
DRAW_BLOCK = 4096
#: Rows. Statistics T of as few as these are kept, since iterations on them are many.
FEW = 20_000


class Part(Protocol):
    """A part of the samples, which can be pickled."""

    def rows(self) -> Rows:
        """The samples themselves: at hand, or read now."""


class Samples(ABC):
    """Weighted samples in parts.

    Attributes
    ----------
    weight : ndarray, shape (N,)
        Counts c_i.
    """

    weight: Real

    @property
    @abstractmethod
    def d(self) -> int:
        """Dimension of the samples."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """Type of the samples, which is also the precision of the E-step."""

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether no value is missing."""

    @property
    @abstractmethod
    def observed(self) -> Samples:
        """The samples of which something was observed: often these themselves.

        Raises
        ------
        ValueError
            If there are none.
        """

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """Parts in a fixed order. Each begins at a multiple of `DRAW_BLOCK` rows."""

    @abstractmethod
    def take(self, places: Places) -> Rows:
        """Rows by their places among all rows; one may come several times."""

    @abstractmethod
    def dealt(self, count: int) -> tuple[Samples, ...]:
        """So many lots of samples: the row at place i goes to lot i modulo `count`."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.weight.size)

    @cached_property
    def n(self) -> float:
        """Number of samples, Σ c_i."""
        return float(self.weight.sum(dtype=np.float64))

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        return np.cumsum(self.weight, dtype=np.float64)

    def draw(self, size: int, rng: np.random.Generator) -> Rows:
        """A stratified sample: one row from each of so many equal shares of the counts; one may come several times."""
        share = self._cumulative[-1] / size
        return Rows(self.take(one_a_share(self._cumulative, size, rng)).x, np.full(size, share, self.dtype))


def one_a_share(cumulative: NDArray[np.float64], size: int, rng: np.random.Generator) -> Places:
    """Places of rows at a random point of each of `size` equal shares of all counts, shape (size,)."""
    points = (np.arange(size) + rng.random(size)) * (cumulative[-1] / size)
    return np.asarray(np.minimum(np.searchsorted(cumulative, points, side="right"), cumulative.size - 1), np.intp)


@record(frozen=True, eq=False)
class Rows(Samples):
    """Weighted samples in memory, which are one part.

    Attributes
    ----------
    x : ndarray, shape (D, N)
        Planar samples, float32 or float64. NaN is what was not observed.
    weight : ndarray, shape (N,)
        Counts c_i.
    place : int or ndarray of int, shape (N,)
        Place of the first row among those of all parts; or the ascending places of all, where some are left out. It
        decides which random numbers a row gets.
    """

    x: Real
    weight: Real
    place: int | Places = 0

    def __reduce__(self) -> tuple[type[Rows], tuple[Real, Real, int | Places]]:
        """Pickle the arrays alone, not what was computed from them."""
        return Rows, (self.x, self.weight, self.place)

    def rows(self) -> Rows:
        """The rows themselves."""
        return self

    def parts(self) -> Sequence[Part]:
        """These rows."""
        return (self,)

    @property
    def d(self) -> int:
        """Dimension of the samples."""
        return len(self.x)

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """Type of the samples, which is also the precision of the E-step."""
        return self.x.dtype

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.x.shape[1])

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return not self.patterns

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """Rows by what was observed of them, without those of which nothing was; none where nothing is missing."""
        return tuple(
            Pattern(seen, Rows(np.ascontiguousarray(self.x[np.ix_(seen, which)]), *self._at(which)), which)
            for seen, which in grouped(self.x)
        )

    @property
    def observed(self) -> Rows:
        """The rows of which something was observed: often these themselves.

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
        if kept.size == self.n_rows:
            return self
        return Rows(np.ascontiguousarray(self.x[:, kept]), *self._at(kept))

    def _at(self, kept: Places) -> tuple[Real, Places]:
        """Counts and places of some of the rows."""
        place = kept + self.place if isinstance(self.place, int) else self.place[kept]
        return self.weight[kept], place

    def take(self, places: Places) -> Rows:
        """Rows by their places in these rows; one may come several times."""
        return Rows(np.ascontiguousarray(self.x[:, places]), self.weight[places])

    def dealt(self, count: int) -> tuple[Rows, ...]:
        """So many lots: the row at place i goes to lot i modulo `count`."""
        if isinstance(self.place, int):
            lots: list[Any] = [slice((lot - self.place) % count, None, count) for lot in range(count)]
        else:
            lots = [np.flatnonzero(self.place % count == lot) for lot in range(count)]
        return tuple(Rows(np.ascontiguousarray(self.x[:, lot]), self.weight[lot]) for lot in lots)

    def between(self, begin: int, end: int) -> Rows:
        """The rows from `begin` to `end`."""
        place = self.place + begin if isinstance(self.place, int) else self.place[begin:end]
        return Rows(np.ascontiguousarray(self.x[:, begin:end]), self.weight[begin:end], place)

    def draw_blocks(self, begin: int, end: int) -> Iterator[tuple[slice, int]]:
        """The blocks of draws that the rows from `begin` to `end` lie in: which of these rows, and the block."""
        at = begin
        while at < end:
            if isinstance(self.place, int):
                block = (self.place + at) // DRAW_BLOCK
                stop = (block + 1) * DRAW_BLOCK - self.place
            else:
                block = int(self.place[at]) // DRAW_BLOCK
                stop = at + int(np.searchsorted(self.place[at:end], (block + 1) * DRAW_BLOCK))
            stop = min(stop, end)
            yield slice(at - begin, stop - begin), block
            at = stop

    def single(self) -> Rows:
        """The same in single precision."""
        return Rows(self.x.astype(np.float32), self.weight.astype(np.float32), self.place)

    def blocks(self, family: Family, size: int) -> Iterator[tuple[Real, Real]]:
        """T (P, B) and weights (B,) for consecutive blocks of at most `size` rows; the memory of T is reused.

        T of few rows is kept, as iterations on them are many.
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


class Pattern(NamedRecord):
    """Rows of which the same dimensions were observed.

    Attributes
    ----------
    seen : ndarray of int, shape (D_o,)
        Those dimensions, ascending.
    rows : Rows
        In these dimensions alone.
    which : ndarray of int
        Their places among the rows that they are of.
    """

    seen: Places
    rows: Rows
    which: Places


def gathered(samples: Samples) -> Rows:
    """All samples in memory, as one part."""
    each = [part.rows() for part in samples.parts()]
    if len(each) == 1:
        return each[0]
    return Rows(np.concatenate([rows.x for rows in each], axis=1), samples.weight)
