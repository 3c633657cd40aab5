"""The E-step on rows in memory, block by block: the one place that touches every sample in every iteration.

Scores η_k · T(x) of a block are one matrix product, responsibilities their softmax, statistics another matrix product.
The buffers of a block stay in the cache. What the responsibilities become before they are summed up is a `Respond`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from emseg.em.expectation import Expectation
from emseg.mixture.family import Family, Real
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats
from emseg.numerics.log_sum_exp import exponentiate

if TYPE_CHECKING:
    from emseg.mixture.links.link import Link

Array = NDArray[np.float64]
#: Bytes of all buffers of one block, which then stay in a second-level cache.
CACHE_BYTES = 1_000_000
#: Rows of a block at least: with fewer, calls of numpy would cost more than arithmetic.
LEAST_WIDTH = 1024
#: Units in the last place of the largest magnitude that sums in the kernel may be off by, as a bound.
ULPS = 8


class Assign(Protocol):
    """Turns the posterior probabilities of one block of rows after another into an assignment q.

    Attributes
    ----------
    products : ndarray, shape (K, K), or float
        Σ c_i r_i r_iᵀ over the blocks so far, for an assignment that sums it; 0 for the others.
    """

    @property
    def products(self) -> Array | float: ...  # noqa: D102

    def __call__(self, r: Real, weight: Real) -> tuple[Real, Array]:
        """From posterior probabilities (S, K, B) and counts (B,) to c_i q_ik, (S, K, B), and the entropy of q, (S,)."""


class Respond(Protocol):
    """How an E-step assigns samples to components, where not by the posterior: drawn, hard, tempered.

    It is frozen and can be pickled, and what it does to a row depends on nothing but itself and the row. So the parts
    of the samples can be worked on anywhere.
    """

    def begin(self, rows: Rows, pattern: tuple[int, ...] = ()) -> Assign:
        """What assigns these rows, of which just the dimensions of the pattern were observed; () where all were."""


def project(
    rows: Rows,
    family: Family,
    eta: Array,
    assign: Assign | None = None,
    link: Link | None = None,
    shift: float = 0.0,
    log_prior: Array | float = 0.0,
    lift: Array | None = None,
) -> Expectation:
    """The E-step on rows for any log-linear scores η_k · T(x), of which log π_k f_k(x) is one.

    Parameters
    ----------
    rows : Rows
        Without missing values.
    family : Family
    eta : ndarray, shape (..., K, P)
    assign : Assign, optional
        Without it, q is the posterior.
    link : Link, optional
        What turns the scores into log π_k f_k(x), where they are not that themselves.
    shift : float
        Added to ℓ.
    log_prior : ndarray, shape (...)
        Penalty and prior, to be handed on.
    lift : ndarray, shape (..., K), optional
        What brings each component's score from that which is fitted to log π_k f_k(x), see `Problem.lift`.
    """
    lead, (k, p) = eta.shape[:-2], eta.shape[-2:]
    flat = eta.reshape(-1, p).astype(rows.dtype, copy=False)
    row_bytes = flat.itemsize * (p + len(flat) + 2 * len(flat) // k)
    width = max(LEAST_WIDTH, CACHE_BYTES // row_bytes // 64 * 64)
    kernel = _Kernel(flat, k, min(width, rows.n_rows), assign, link, lift)
    totals: Array | float = 0.0
    n: Array | float = 0.0
    sums = np.zeros((4, len(flat) // k))
    with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
        for t_block, weight in rows.blocks(family, width):
            counts, found = kernel(t_block, weight)
            totals = totals + (link.gather(counts, kernel.forms, t_block) if link else counts @ t_block.T)
            n = n + counts.sum(1, dtype=np.float64) if link else n
            sums += found
    t: Array = np.asarray(totals, np.float64).reshape(*lead, k, -1)
    log_likelihood, entropy, complete, taken = sums.reshape(4, *lead)
    if link is None:
        each = eta * t
        complete, magnitude = np.asarray(each.sum((-1, -2))), np.abs(each).sum((-1, -2))
    else:
        magnitude = np.abs(complete)
    if assign is None:
        entropy = log_likelihood - complete
    magnitude = magnitude + np.abs(log_likelihood)
    rounding = ULPS * np.finfo(flat.dtype).eps * (magnitude + abs(shift))
    stats = Stats(np.reshape(n, (*lead, k)) if link else t[..., 0].copy(), t)
    products = assign.products if assign else 0.0
    return Expectation(
        stats,
        log_likelihood + taken + shift,
        complete + shift,
        entropy,
        np.broadcast_to(log_prior, lead),
        rounding,
        0.0,
        products,
        taken,
    )


def all_log_density(eta: Array, weights: Array, stats: Stats) -> Array:
    """Expected log-density of all data that statistics were made of, at scores η (..., K, P) and weights π; (...).

    Weights are of the samples, n. If families know of others that were not recorded, t_0 counts these too.
    """
    return np.asarray((eta * stats.t).sum((-1, -2)) + ((stats.n - stats.t[..., 0]) * np.log(weights)).sum(-1))


class _Kernel:
    """Responsibilities of one block after another, for S stacked mixtures of K components.

    Memory is allocated once, since fresh pages would cost as much as the arithmetic.
    """

    def __init__(
        self, eta: Real, k: int, width: int, assign: Assign | None, link: Link | None, lift: Array | None = None
    ) -> None:
        self.eta, self.k, self.assign, self.link = eta, k, assign, link
        self.most: Array | None = None
        if lift is not None:
            flat = lift.reshape(-1, 1, k)
            self.most = flat.max(-1)[:, 0]
            self.lift = np.exp(flat - self.most[:, None, None]).astype(eta.dtype)
        self._allocate(width)

    def _allocate(self, width: int) -> None:
        self.r = np.empty((len(self.eta), width), self.eta.dtype)
        self.stacked = self.r.reshape(-1, self.k, width)
        self.total = np.empty((len(self.stacked), width), self.eta.dtype)
        self.spare = np.empty_like(self.total)
        self.forms, self.joint = (np.empty_like(self.r) if self.link else self.r for _ in range(2))

    def __call__(self, t: Real, weight: Real) -> tuple[Real, Array]:
        """For T (P, B) and weights (B,): c_i q_ik, shape (S·K, B), and four sums of the block, (4, S).

        They are ℓ, entropy, complete ℓ, and what the lift adds to ℓ.

        Without `assign`, q is the posterior, and its entropy is left to be inferred from ℓ. Without a link, the
        complete ℓ is left to be inferred from the statistics.
        """
        if weight.size != self.r.shape[1]:
            self._allocate(weight.size)
        r, stacked, total, spare = self.r, self.stacked, self.total, self.spare
        self._score(t)
        exponentiate(stacked, total, spare, lambda: self._score(t))
        found = np.zeros((4, len(total)))
        found[0] = spare @ weight
        if self.most is not None:
            found[3] = self.most * weight.sum() + np.log((self.lift @ stacked)[:, 0] / total) @ weight
        np.divide(1.0 if self.assign else weight, total, out=spare)
        stacked *= spare[:, None]
        if self.assign is None:
            counts = stacked
        else:
            counts, found[1] = self.assign(stacked, weight)
        if self.link:
            joint = self.joint.reshape(counts.shape)
            complete = np.einsum("skb,skb->s", counts, joint)
            if not np.isfinite(complete).all():  # 0 times -inf
                complete = np.where(counts > 0, counts * joint, 0).sum((1, 2))
            found[2] = complete
        return counts.reshape(r.shape), found

    def _score(self, t: Real) -> None:
        """log π_k f_k(x), into r."""
        np.matmul(self.eta, t, out=self.r)
        if self.link:
            np.copyto(self.forms, self.r)
            self.link.log_joint(self.r, t)
            np.copyto(self.joint, self.r)
