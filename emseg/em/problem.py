"""`Problem`: samples and penalty, with the two projections of EM on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emseg.em import missing
from emseg.em.expectation import Expectation as Expectation
from emseg.mixture.conjugate_prior import ConjugatePrior
from emseg.mixture.family import Family, Real
from emseg.mixture.links.link import Link
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mixture.stats import Stats
from emseg.numerics.log_sum_exp import exponentiate

Array = NDArray[np.float64]
BLOCK = 8192
EMPTY = 1e-12  # smallest share of the samples a component is given
CACHE_BYTES = 1_000_000  # all buffers of one block: they stay in the second-level cache


#: From posterior probabilities (S, K, B) and weights (B,) to expected counts c_i q_ik, (S, K, B), and the entropy of
#: q, (S,).
Respond = Callable[[Real, Real], tuple[Real, Array]]


@dataclass(frozen=True, eq=False)
class Problem:
    """A data set and a family to fit to it.

    Attributes
    ----------
    samples : Rows
    family : Family
    floor : float
        Size of the penalty ψ = floor · N · unit²; for Gaussians, where it is -½ tr diag(ψ) Σ⁻¹, the smallest variance
        relative to unit². 0 for maximum likelihood.
    log_jacobian : ndarray, shape (D,), or float
        Added to every sample's log-density, for each dimension that was observed: brings ℓ from standardised
        coordinates to the features' own units. A single number is the sum over all dimensions.
    unit : ndarray, shape (D,), or float
        What the floor is relative to: the spread of the samples in each dimension.
    prior : ConjugatePrior, optional
        Added to the objective, beside the floor's penalty.
    """

    samples: Rows
    family: Family
    floor: float = 0.0
    log_jacobian: Array | float = 0.0
    unit: Array | float = 1.0
    prior: ConjugatePrior | None = None
    n: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", self.samples.observed)  # what nothing is known of has no likelihood
        object.__setattr__(self, "n", self.samples.n)

    @cached_property
    def total(self) -> Stats:
        """Statistics of all samples, as of one component; what is missing of them as that component expects it.

        By these, the priors of `map` and `vb` are centred on all that was observed.
        """
        if self.samples.patterns:
            return missing.single(self)[1]
        t = np.sum([t.astype(np.float64) @ weight for t, weight in self.blocks(BLOCK)], axis=0)[None]
        return Stats(t[:, 0], t)

    @cached_property
    def filled(self) -> Rows:
        """Samples for starts, which need whole ones: what is missing is what a single component expects there."""
        return missing.filled(self) if self.samples.patterns else self.samples

    @property
    def shift(self) -> float:
        """What `log_jacobian` adds to ℓ."""
        if self.samples.patterns:
            return missing.shift(self)
        return float(np.sum(self.log_jacobian)) * self.n

    def with_prior(self, prior: ConjugatePrior | None) -> Problem:
        """The problem with a prior beside the floor's penalty; itself where there is none."""
        return self if prior is None else replace(self, prior=prior)

    def blocks(self, size: int) -> Iterator[tuple[Real, Real]]:
        """T (P, B) and weights (B,) of one block of samples after another."""
        return self.samples.blocks(self.family, size)

    @property
    def psi(self) -> Array | float:
        """Size of the penalty, in each dimension."""
        return self.floor * self.n * self.unit**2

    def e_step(self, mixture: Mixture, respond: Respond | None = None) -> Expectation:
        """e-projection: expected statistics and ℓ at a mixture, or at every mixture of a stack (..., K).

        Parameters
        ----------
        mixture : Mixture
        respond : callable, optional
            Turns posterior probabilities into another assignment: drawn, hard, annealed. Without it q is the posterior.
        """
        eta, log_prior = self.scores(mixture)
        link = mixture.link()
        if self.samples.patterns:
            found = missing.e_step(self, mixture, respond, log_prior)
        else:
            found = self.project(link.eta if link else eta, respond, log_prior, link)
            if link is None:
                return found
        magnitude = np.abs(eta * found.stats.t).sum((-1, -2))
        rounding = found.rounding + 8 * np.finfo(self.samples.x.dtype).eps * magnitude
        hidden = found.complete - self.shift - all_log_density(eta, mixture.weights, found.stats)
        return replace(found, hidden=hidden, rounding=rounding)

    def scores(self, mixture: Mixture) -> tuple[Array, Array]:
        """Coefficients η of log π_k f_k(x) = η_k · T(x), shape (..., K, P), and log p(θ), shape (...).

        Those of the mixture that was asked for last are kept: an E-step often follows a look at Q.
        """
        last: tuple[Mixture, Array, Array] | None = self.__dict__.get("_scored")
        if last is None or last[0] is not mixture:
            eta, log_prior = self.family.scores(mixture.components, self.psi, self.prior)
            log_weights = np.log(mixture.weights)
            eta[..., 0] += log_weights
            eta.flags.writeable = False
            log_prior = log_prior + (self.prior.alpha - 1) * log_weights.sum(-1) if self.prior else log_prior
            last = self.__dict__["_scored"] = mixture, eta, log_prior
        return last[1:]

    def project(
        self, eta: Array, respond: Respond | None = None, log_prior: Array | float = 0.0, link: Link | None = None
    ) -> Expectation:
        """The E-step for any log-linear scores η_k · T(x), shape (..., K, P), of which log π_k f_k(x) is one.

        With a link, for what it makes of them.
        """
        lead, (k, p) = eta.shape[:-2], eta.shape[-2:]
        flat = eta.reshape(-1, p).astype(self.samples.x.dtype, copy=False)
        width = max(1024, CACHE_BYTES // (flat.itemsize * (p + len(flat) + 2 * len(flat) // k)) // 64 * 64)
        kernel = _Kernel(flat, k, min(width, self.samples.n_rows), respond, link)
        totals: Array | float = 0.0
        n: Array | float = 0.0
        sums = np.zeros((3, len(flat) // k))
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            for t_block, weight in self.blocks(width):
                counts, found = kernel(t_block, weight)
                totals = totals + (link.gather(counts, kernel.forms, t_block) if link else counts @ t_block.T)
                n = n + counts.sum(1, dtype=np.float64) if link else n
                sums += found
        t: Array = np.asarray(totals, np.float64).reshape(*lead, k, -1)
        log_likelihood, entropy, complete = sums.reshape(3, *lead)
        if link is None:
            complete = np.asarray((eta * t).sum((-1, -2)))
        if respond is None:
            entropy = log_likelihood - complete
        magnitude = np.abs(complete) if link else np.abs(eta * t).sum((-1, -2))
        magnitude = magnitude + np.abs(log_likelihood)
        shift = self.shift
        rounding = 8 * np.finfo(flat.dtype).eps * (magnitude + abs(shift))
        stats = Stats(np.reshape(n, (*lead, k)) if link else t[..., 0].copy(), t)
        prior = np.broadcast_to(log_prior, lead)
        return Expectation(stats, log_likelihood + shift, complete + shift, entropy, prior, rounding)

    def m_step(self, stats: Stats, previous: Mixture | None = None) -> Mixture:
        """m-projection: the mixture that maximises the expected complete log-likelihood plus the penalty.

        For covariances EVE and VVE that is a local maximum; it is no lower than at the previous mixture, if that is
        given.
        """
        start = previous.components if previous else None
        components = self.family.m_projection(self._sound(stats), self.psi, self.samples.d, start, self.prior)
        return Mixture(self.weights(stats), components, self.family).tied()

    def conditional(self, part: str, stats: Stats, mixture: Mixture) -> Mixture:
        """A conditional M-step: the best value of one part of the components' parameters, all else held."""
        components = self.family.conditional(part, self._sound(stats), mixture.components, self.psi, self.prior)
        return replace(mixture, components=components)

    def weights(self, stats: Stats) -> Array:
        """π of the M-step, shape (..., K)."""
        n = self._sound(stats).n
        if self.prior:
            n = np.maximum(n + self.prior.alpha - 1, EMPTY * self.n)
        return np.asarray(n / n.sum(-1, keepdims=True))

    def _sound(self, stats: Stats) -> Stats:
        """The statistics with a few samples for empty components, which keeps them finite, and harmless."""
        return Stats(np.maximum(stats.n, EMPTY * self.n), stats.t)


def all_log_density(eta: Array, weights: Array, stats: Stats) -> Array:
    """Expected log-density of all data that statistics were made of, at scores η (..., K, P) and weights π; (...).

    Weights are of the samples, n. If families know of others that were not recorded, t_0 counts these too.
    """
    return np.asarray((eta * stats.t).sum((-1, -2)) + ((stats.n - stats.t[..., 0]) * np.log(weights)).sum(-1))


class _Kernel:
    """Responsibilities of one block after another, for S stacked mixtures of K components.

    Memory is allocated once, since fresh pages would cost as much as the arithmetic.
    """

    def __init__(self, eta: Real, k: int, width: int, respond: Respond | None, link: Link | None) -> None:
        self.eta, self.k, self.respond, self.link = eta, k, respond, link
        self._allocate(width)

    def _allocate(self, width: int) -> None:
        self.r = np.empty((len(self.eta), width), self.eta.dtype)
        self.stacked = self.r.reshape(-1, self.k, width)
        self.total = np.empty((len(self.stacked), width), self.eta.dtype)
        self.spare = np.empty_like(self.total)
        self.forms, self.joint = (np.empty_like(self.r) if self.link else self.r for _ in range(2))

    def __call__(self, t: Real, weight: Real) -> tuple[Real, Array]:
        """For T (P, B) and weights (B,): c_i q_ik, shape (S·K, B), and the block's ℓ, entropy and complete ℓ, (3, S).

        Without `respond` q is the posterior, and its entropy is left to be inferred from ℓ; without a link, the
        complete ℓ from the statistics.
        """
        if weight.size != self.r.shape[1]:
            self._allocate(weight.size)
        r, stacked, total, spare = self.r, self.stacked, self.total, self.spare
        self._score(t)
        exponentiate(stacked, total, spare, lambda: self._score(t))
        log_likelihood = spare @ weight
        np.divide(1.0 if self.respond else weight, total, out=spare)
        stacked *= spare[:, None]
        if self.respond is None:
            counts, entropy = stacked, np.zeros_like(log_likelihood)
        else:
            counts, entropy = self.respond(stacked, weight)
        complete = np.zeros_like(log_likelihood)
        if self.link:
            joint = self.joint.reshape(counts.shape)
            complete = np.einsum("skb,skb->s", counts, joint)
            if not np.isfinite(complete).all():  # 0 times -inf
                complete = np.where(counts > 0, counts * joint, 0).sum((1, 2))
        return counts.reshape(r.shape), np.array([log_likelihood, entropy, complete], np.float64)

    def _score(self, t: Real) -> None:
        """log π_k f_k(x), into r."""
        np.matmul(self.eta, t, out=self.r)
        if self.link:
            np.copyto(self.forms, self.r)
            self.link.log_joint(self.r, t)
            np.copyto(self.joint, self.r)
