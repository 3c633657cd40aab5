"""Partial volume: pixels that mix two classes, for Gaussians.

Components come in order, from the darkest to the brightest. Between each one k and the next one j there is a class of
pixels that mix the two, with density

f_kj(x) = ∫_0^1 N(x; α μ_k + (1-α) μ_j, α Σ_k + (1-α) Σ_j) dα

Shares α are uniform (Santago & Gage 1993, IEEE Trans. Med. Imaging 12; Shattuck et al. 2001, NeuroImage 13), and
nothing but the weight ω_kj is new to estimate: the mixed densities are tied to the pure ones. The two halves of the
integral go to the two components, so that the label of a pixel is the component it has most of: with weight
π_k = ω_k + ½ Σ_j ω_kj component k has the density

f_k(x) = s_k0 N(x; μ_k, Σ_k) + Σ_j s_kj ∫_½^1 N(x; α μ_k + (1-α) μ_j, α Σ_k + (1-α) Σ_j) 2 dα

with s_k0 = ω_k / π_k, s_kj = ½ ω_kj / π_k. The integral is Gauss and Legendre's rule of eight nodes on each half, exact
to rounding where neighbours are less than ten standard deviations apart and to 1 % up to twenty; everything else is
exact for the sum. With the two parts of a mixed pixel as hidden data the M-step is closed: a ~ N(α μ_k, α Σ_k), so

μ_k = Σ r E[a | x] / Σ r α,   Σ_k = (Σ r E[a aᵀ | x] / α - μ_k μ_kᵀ Σ r α) / Σ r

with sums over all pixels that hold some of k, pure ones having α = 1, a = x; weights ω are shares of the pixels.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.mixture.components import Components, require
from emseg.mixture.conjugate_prior import NormalInverseWishart, PriorStrength
from emseg.mixture.families.gaussian import Gaussian, GaussianFamily, require_matrices
from emseg.mixture.family import Family, Real
from emseg.mixture.links.partial_volume_link import ABOVE, BELOW, MOMENTS, PARTS, SIDES, PartialVolumeLink
from emseg.mixture.standard_behaviour import MixedClass
from emseg.mixture.stats import Stats
from emseg.numerics.log_sum_exp import softmax
from emseg.records import record

Array = NDArray[np.float64]
START = 0.2  # s of either mixed case at a start; from 0.05 to 0.4 a fit of soft edges ended at the same likelihood
FEW = 1e-12  # smallest s, and smallest count relative to the pixels; 1e-9 and 1e-15 give the same fits


@record(frozen=True, eq=False)
class PartialVolume(Components):
    """K components with the pixels that they dominate, or a stack of such sets along leading axes.

    Attributes
    ----------
    means : ndarray, shape (..., K, D)
        Of pure pixels.
    covariances : ndarray, shape (..., K, D, D)
        Of pure pixels, positive definite.
    shares : ndarray, shape (..., K, 3)
        s: of the pixels of a component, those mixed with the one before, pure ones, and those mixed with the one after;
        each set sums to one, and what there is no neighbour for is zero.
    """

    means: Array
    covariances: Array
    shares: Array
    matrix_part = "covariances"

    def check(self) -> None:
        """Raise ValueError unless these are means, covariances and shares, as many of each."""
        require_matrices(self.means, self.covariances, "covariances")
        require(self.shares.shape == (len(self.means), 3), "shapes do not agree")
        require(self.shares >= 0, "shares must not be negative")
        require(abs(self.shares.sum(1) - 1) < 1e-6, "shares must sum to 1")
        require(self.shares[~possible(len(self.means))] == 0, "a share has no neighbour")

    @property
    def matrices(self) -> Array:
        """The matrices that follow a covariance model."""
        return self.covariances

    @property
    def gaussian(self) -> Gaussian:
        """The densities of pure pixels."""
        return Gaussian(self.means, self.covariances)

    def affine(self, shift: Array, scale: Array) -> PartialVolume:
        """The distributions of shift + scale · x; shift and scale have shape (D,), and scale is positive."""
        moved = self.gaussian.affine(shift, scale)
        return PartialVolume(moved.means, moved.covariances, self.shares)


@record(frozen=True)
class PartialVolumeFamily(Family):
    """Normal distributions under a covariance model, and mixtures of neighbours.

    Attributes
    ----------
    normal : GaussianFamily
        The family of pure pixels.
    """

    normal: GaussianFamily
    name = "gaussian"
    kind = PartialVolume
    location_scale = True
    refitted_in_field = False  # what the labels around a pixel are says little of how it is mixed
    shared = ("means", "covariances", "shares")  # what one component's pixels say, they say of its neighbours too

    @property
    def log_linear(self) -> GaussianFamily:
        """Pure pixels alone."""
        return self.normal

    @property
    def start_family(self) -> GaussianFamily:
        """Pure pixels alone.

        A search among mixed components finds likelier optima that nobody means: two pure classes, say, and all else
        mixed.
        """
        return self.normal

    def n_monomials(self, d: int) -> int:
        """P of normal distributions; the statistics of the complete data have more columns."""
        return self.normal.n_monomials(d)

    def monomials(self, x: Real, out: Real) -> None:
        """x and its products, or its squares alone."""
        self.normal.monomials(x, out)

    def grain(self, covariance: Array) -> Array:
        """Λ in the place of a aᵀ, of the class that a pixel has most of."""
        return np.concatenate([np.zeros(MOMENTS), self.normal.grain(covariance)])

    def natural(self, components: PartialVolume) -> Array:
        """η of the complete data."""
        return self.scores(components, 0.0)[0]

    def scores(
        self, components: PartialVolume, psi: Array | float, prior: NormalInverseWishart | None = None
    ) -> tuple[Array, Array]:
        """η = (0, log s, -½ (D log 2π + log|Σ|), those of -½ δ); penalty and prior as of Gaussians."""
        log_scale, quadratic, precisions = self.normal.quadratic(components.gaussian)
        log_shares = np.where(components.shares > 0, np.log(np.maximum(components.shares, FEW**2)), 0)
        nothing = np.zeros((*log_scale.shape, 1))
        eta = np.concatenate([nothing, log_shares, log_scale[..., None], quadratic], axis=-1)
        return eta, self.normal.log_prior(components.gaussian, precisions, psi, prior)

    def link(self, weights: Array, components: PartialVolume) -> PartialVolumeLink:
        """From T(x) to log π_k f_k(x), and the parts of mixed pixels."""
        return PartialVolumeLink(self.normal, weights, components.gaussian, components.shares)

    def m_projection(
        self,
        stats: Stats,
        psi: Array | float,
        d: int,
        previous: PartialVolume | None = None,
        prior: NormalInverseWishart | None = None,
    ) -> PartialVolume:
        """Means and covariances as for Gaussians, from the parts; and s."""
        start = previous.gaussian if previous else None
        best = self.normal.weighted(_parts(stats), _moments(stats), psi, d, start, prior)
        return PartialVolume(best.means, best.covariances, _shares(stats.t[..., SIDES]))

    def conditional(
        self,
        part: str,
        stats: Stats,
        components: PartialVolume,
        psi: Array | float,
        prior: NormalInverseWishart | None = None,
    ) -> PartialVolume:
        """Means, which do not depend on the covariances; covariances about the means that there are; or s."""
        if part == "shares":
            return replace(components, shares=_shares(stats.t[..., SIDES]))
        held = stats if part == "means" else self.holding_locations(stats, components)
        free = self.m_projection(held, psi, components.means.shape[-1], components, prior)
        return replace(components, **{part: getattr(free, part)})

    def tied(self, weights: Array, components: PartialVolume) -> tuple[Array, PartialVolume]:
        """Both halves of every mixed class get the same weight: the mean of the two."""
        halves = np.where(possible(weights.shape[-1]), weights[..., None] * components.shares, 0)
        half = (halves[..., :-1, ABOVE] + halves[..., 1:, BELOW]) / 2
        halves[..., :-1, ABOVE] = halves[..., 1:, BELOW] = half
        total = halves.sum(-1)
        shares = halves / total[..., None]
        return total / total.sum(-1, keepdims=True), replace(components, shares=shares)

    def from_start(self, weights: Array, components: Gaussian) -> tuple[Array, PartialVolume]:
        """Components from dark to bright, with some of the pixels between them mixed.

        The covariances of those components of a start that mix most are far too large. EM from there finds optima that
        nobody means, too. So all components start with the smallest covariance.
        """
        order = super().canonical_order(components)
        weights, components = weights[order], components[order]
        least = np.linalg.slogdet(components.covariances)[1].argmin()
        narrow = np.repeat(components.covariances[least, None], weights.size, axis=0)
        return self.tied(weights, self.constrained(weights, Gaussian(components.means, narrow)))

    def canonical_order(self, components: PartialVolume) -> NDArray[np.intp]:
        """The order they are in: components mix with their neighbours, and a start puts them from dark to bright."""
        return np.arange(components.means.shape[-2])

    def holding_locations(self, stats: Stats, components: PartialVolume) -> Stats:
        """Statistics whose M-step has these means, and the best covariances given them."""
        moved = self.normal.holding_locations(_moments(stats), components.gaussian).t
        return Stats(stats.n, np.concatenate([stats.t[..., :MOMENTS], moved], axis=-1))

    def completed(self, t: Array) -> Stats:
        """Statistics of pure pixels, but with the shares of a start."""
        n = t[..., :1]
        return Stats(n[..., 0].copy(), np.concatenate([n, START * n, (1 - 2 * START) * n, START * n, n, t], axis=-1))

    def constrained(self, weights: Array, components: PartialVolume | Gaussian) -> PartialVolume:
        """The same means, with covariances of the model; components without shares get those of a start."""
        best = self.normal.constrained(weights, Gaussian(components.means, components.covariances))
        if isinstance(components, PartialVolume):
            return PartialVolume(best.means, best.covariances, components.shares)
        start = np.broadcast_to([START, 1 - 2 * START, START], (*best.means.shape[:-1], 3))
        return PartialVolume(best.means, best.covariances, _shares(start))

    def default_prior(self, total: Stats, k: int, d: int, strength: PriorStrength) -> NormalInverseWishart:
        """The prior of Gaussians, put on the pure pixels."""
        return self.normal.default_prior(total, k, d, strength)

    def purity(self, weights: Array, components: PartialVolume, x: Real) -> NDArray[np.float32]:
        """The probability that samples are not mixed."""
        return self.link(weights, components).purity(x)

    def class_shares(self, weights: Array, components: PartialVolume, x: Real) -> NDArray[np.float32]:
        """E[share of class j | x, label k]."""
        return self.link(weights, components).class_shares(x)

    def mixed_classes(self, weights: Array, components: PartialVolume) -> list[MixedClass]:
        """One class between each component and the next."""
        found = []
        for i, j in pairwise(range(weights.size)):
            halves = weights[i] * components.shares[i, ABOVE], weights[j] * components.shares[j, BELOW]
            found.append(MixedClass((i, j), float(sum(halves)), (components.means[i] + components.means[j]) / 2))
        return found

    def marginal(self, components: PartialVolume, seen: NDArray[np.intp]) -> PartialVolume:
        """Refused: mixed samples need all features."""
        raise _needs_all_features()

    def lift(self, stats: Stats, components: PartialVolume, seen: NDArray[np.intp]) -> Stats:
        """Refused: mixed samples need all features."""
        raise _needs_all_features()

    def predicted(self, components: PartialVolume, x: Real, seen: NDArray[np.intp]) -> Array:
        """Refused: mixed samples need all features."""
        raise _needs_all_features()

    def n_parameters(self, k: int, d: int) -> int:
        """Means, covariances, and the weight of each mixed class."""
        return self.normal.n_parameters(k, d) + k - 1

    def pack(self, components: PartialVolume) -> Array:
        """Coordinates of means and covariances, and logarithms of the shares."""
        logs = np.log(np.maximum(components.shares, FEW))
        return np.concatenate([self.normal.pack(components.gaussian), (logs - logs.mean(1, keepdims=True)).ravel()])

    def unpack(self, theta: Array, k: int, d: int) -> PartialVolume:
        """Inverse of `pack`; a share without a neighbour is zero whatever its coordinate."""
        best = self.normal.unpack(theta[: -3 * k], k, d)
        logs = theta[-3 * k :].reshape(k, 3)
        return PartialVolume(best.means, best.covariances, _shares(softmax(logs, axis=1)[0]))


def possible(k: int) -> NDArray[np.bool_]:
    """Which shares there are, (K, 3): the first component mixes with none before, the last one with none after."""
    out = np.ones((k, 3), np.bool_)
    out[0, BELOW] = out[-1, ABOVE] = False
    return out


def _shares(counts: Array) -> Array:
    """Shares s from the counts of pixels mixed with the one before, pure, and mixed with the one after; (..., K, 3)."""
    allowed = possible(counts.shape[-2])
    most = np.maximum(np.where(allowed, counts, 0).sum(-1, keepdims=True), 1e-300)
    shares = np.where(allowed, np.maximum(counts / most, FEW), 0)
    return np.asarray(shares / shares.sum(-1, keepdims=True))


def _needs_all_features() -> UsageError:
    return UsageError(f"{option('partial_volume')}: does not go with unknown values; use {option('missing', 'drop')}")


def _parts(stats: Stats) -> Array:
    return np.maximum(stats.t[..., PARTS], FEW * stats.n)


def _moments(stats: Stats) -> Stats:
    """The moments of the parts, as statistics of a Gaussian family."""
    t = stats.t[..., MOMENTS:]
    return Stats(np.maximum(t[..., 0], FEW * stats.n), t)
