"""Assignments of samples to components other than the posterior: hard, drawn, blended and tempered.

Each is a `Respond` of `Problem.e_step`: from posterior probabilities r (S, K, B) and counts c (B,) to c_i q_ik and the
entropy of q. A hard or drawn assignment has none: its ELBO is the complete log-likelihood.

A row of count c stands for c equal samples, and drawing a label for each is one multinomial draw of c trials. Counts
need not be whole, in a sample of the rows or for weighted data: then round(c) labels are drawn, one at least, that
share the count equally, so that the expected statistics stay the posterior's and the total stays c.

What is drawn for a row is a function of the seed of the E-step and of the row's place among all samples. So it does not
matter in how many parts the samples are, or which process draws.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Info, State, bound_info
from emseg.mixture.family import Real
from emseg.mixture.samples import Rows
from emseg.records import record

Array = NDArray[np.float64]


class RowByRow(ABC):
    """An assignment that looks at each row alone, and so needs not know which rows it is given."""

    products: ClassVar[float] = 0.0

    def begin(self, rows: Rows, pattern: tuple[int, ...] = ()) -> RowByRow:
        """The same for all rows."""
        return self

    @abstractmethod
    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""


@record(frozen=True)
class Hard(RowByRow):
    """All of a sample to its most probable component."""

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        chosen = np.arange(r.shape[1])[:, None] == r.argmax(1)[:, None]
        return np.where(chosen, weight, weight.dtype.type(0)), np.zeros(len(r))


@record(frozen=True)
class Tempered(RowByRow):
    """Probabilities to the power β, normalised again."""

    beta: float

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        q = r**self.beta
        q /= q.sum(1, keepdims=True)
        return q * weight, _entropy(q, weight)


@record(frozen=True)
class Drawn:
    """Frequencies of m labels a sample, drawn from the posterior.

    For m > 1 the equal samples of a row share their draws, and q is their frequency, whose entropy counts.

    Attributes
    ----------
    seed : int
        Of this E-step.
    m : int
    """

    seed: int
    m: int = 1

    def begin(self, rows: Rows, pattern: tuple[int, ...] = ()) -> DrawnRows:
        """Draws for these rows."""
        return DrawnRows(self, Draws(self.seed, rows, pattern))


@record(frozen=True)
class DrawnRows:
    """`Drawn` on one block of certain rows after another."""

    how: Drawn
    draws: Draws
    products: ClassVar[float] = 0.0

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        counts = self.draws(r, weight, self.how.m)
        if self.how.m == 1:
            return counts, np.zeros(len(r))
        return counts, _entropy(counts / np.where(weight > 0, weight, 1), weight)


@record(frozen=True)
class Blended:
    """(1 - γ) r + γ z, z the indicator of one drawn label a sample.

    Attributes
    ----------
    seed : int
        Of this E-step.
    gamma : float
    """

    seed: int
    gamma: float

    def begin(self, rows: Rows, pattern: tuple[int, ...] = ()) -> BlendedRows:
        """Draws for these rows."""
        return BlendedRows(self, Draws(self.seed, rows, pattern))


@record(frozen=True)
class BlendedRows:
    """`Blended` on one block of certain rows after another."""

    how: Blended
    draws: Draws
    products: ClassVar[float] = 0.0

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """See `emseg.em.kernel.Assign`."""
        gamma = self.how.gamma
        z = self.draws(r, weight, 1)
        rest = (1 - gamma) * r
        # Samples with the same drawn label share q, which differs from `rest` in that label's entry alone.
        entropy = _entropy(rest, weight) - (z * (_xlogx(rest + gamma) - _xlogx(rest))).sum((1, 2), dtype=np.float64)
        return rest * weight + gamma * z, entropy


def seed_of(rng: np.random.Generator) -> int:
    """A seed for the draws of one E-step."""
    return int(rng.integers(1 << 63))


class Draws:
    """Labels drawn for one block of rows after another, from generators that depend on the places of the rows alone.

    Parameters
    ----------
    seed : int
        Of the E-step.
    rows : Rows
        Those that the blocks are of.
    pattern : tuple of int
        The dimensions that were observed of these rows, () for all: another pattern has other random numbers.
    """

    def __init__(self, seed: int, rows: Rows, pattern: tuple[int, ...]) -> None:
        self.seed, self.rows, self.pattern = seed, rows, pattern
        self._at, self._block = 0, -1
        self._rng = np.random.default_rng(seed)

    def __call__(self, r: Real, weight: Real, m: int) -> Real:
        """Counts c_i / m times the number of draws of each label, (S, K, B), for the next B rows."""
        trials = np.maximum(np.rint(weight.astype(np.float64)), 1).astype(np.int64) * m
        p = np.moveaxis(r, 1, -1).astype(np.float64)
        p /= p.sum(-1, keepdims=True)
        p[~np.isfinite(p).all(-1)] = 0  # where even ℓ is not finite: the fit ends on that
        counts = np.empty(p.shape)
        for some, block in self.rows.draw_blocks(self._at, self._at + weight.size):
            if block != self._block:
                self._block = block
                self._rng = np.random.default_rng([self.seed, block, len(self.pattern), *self.pattern])
            counts[:, some] = self._rng.multinomial(trials[some], p[:, some])
        self._at += weight.size
        counts *= (weight / trials)[:, None]
        return np.ascontiguousarray(np.moveaxis(counts, -1, 1), r.dtype)


def free_energy(state: State[Any], comparable: bool = True, e_steps: int = 1) -> Info:
    """The log row of an algorithm that climbs the ELBO plus the penalty, or wanders about it."""
    objective = float(state.expectation.elbo + state.expectation.log_prior)
    return replace(bound_info(state, objective, e_steps), comparable=comparable)


def _xlogx(q: Real) -> Real:
    result: Real = q * np.log(np.maximum(q, np.finfo(q.dtype).tiny))
    return result


def _entropy(q: Real, weight: Real) -> Array:
    return np.asarray(-(_xlogx(q) * weight).sum((1, 2), dtype=np.float64))
