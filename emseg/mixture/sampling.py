"""Random samples of a mixture: what each family draws."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import DataError, UsageError, option
from emseg.mixture.families.censored_gaussian import CensoredGaussianFamily
from emseg.mixture.families.gamma import Gamma, GammaFamily
from emseg.mixture.families.gaussian import Gaussian, GaussianFamily
from emseg.mixture.families.outliers import OutlierFamily
from emseg.mixture.families.partial_volume import PartialVolume, PartialVolumeFamily
from emseg.mixture.families.poisson import Poisson, PoissonFamily
from emseg.mixture.families.student import Student, StudentFamily
from emseg.mixture.families.von_mises import VonMises, VonMisesFamily
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
#: Rounds of drawing again what fell outside of the limits of truncated samples. A component that keeps one draw of a
#: thousand is filled in them.
ROUNDS = 10_000


def sampled(mixture: Mixture, n: int, rng: np.random.Generator) -> tuple[Array, Labels]:
    """Samples of a mixture, and the component that each is of.

    Parameters
    ----------
    mixture : Mixture
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    x : ndarray, shape (D, N)
    labels : ndarray of int, shape (N,)
        0…K - 1.

    Raises
    ------
    UsageError
        If it has noise whose box is not known.
    DataError
        If hardly any sample of a component lies within the limits of what was recorded.
    """
    which = rng.choice(mixture.k, size=n, p=mixture.weights / mixture.weights.sum())
    return draw(mixture.family, mixture.components, which, rng), which


@singledispatch
def draw(family: Family, components: Any, which: Labels, rng: np.random.Generator) -> Array:
    """A sample of each of the components named, (D, N)."""
    raise NotImplementedError(family.name)


@draw.register
def _(family: GaussianFamily, components: Gaussian, which: Labels, rng: np.random.Generator) -> Array:
    return _normal(components.means, components.covariances, which, rng)


@draw.register
def _(family: StudentFamily, components: Student, which: Labels, rng: np.random.Generator) -> Array:
    nu = components.dof[which]
    spread = 1 / np.sqrt(rng.chisquare(nu) / nu)
    middle = components.means[which].T
    return np.asarray(middle + spread * (_normal(components.means, components.scales, which, rng) - middle))


@draw.register
def _(family: PoissonFamily, components: Poisson, which: Labels, rng: np.random.Generator) -> Array:
    return rng.poisson(components.means[which].T).astype(np.float64)


@draw.register
def _(family: GammaFamily, components: Gamma, which: Labels, rng: np.random.Generator) -> Array:
    means, shapes = components.means[which].T, components.shapes[which].T
    return np.asarray(rng.gamma(shapes, means / shapes))


@draw.register
def _(family: VonMisesFamily, components: VonMises, which: Labels, rng: np.random.Generator) -> Array:
    return np.asarray(rng.vonmises(components.means[which].T, components.concentrations[which].T))


@draw.register
def _(family: PartialVolumeFamily, components: PartialVolume, which: Labels, rng: np.random.Generator) -> Array:
    """A mixed pixel has more than half of its own class, and the rest of the class before or after."""
    k = len(components.means)
    ends = components.shares.cumsum(1)[which]
    side = (rng.random((which.size, 1)) > ends[:, :2]).sum(1) - 1  # -1, 0, 1
    other = np.clip(which + side, 0, k - 1)
    share = np.where(side == 0, 1.0, 0.5 + 0.5 * rng.random(which.size))
    own = _parts(components, which, share, rng)
    return np.asarray(own + _parts(components, other, 1 - share, rng))


@draw.register
def _(family: CensoredGaussianFamily, components: Gaussian, which: Labels, rng: np.random.Generator) -> Array:
    """What was not recorded is drawn again; what is censored lies at its limit."""
    limits = family.limits
    least, most = limits.least[:, None], limits.most[:, None]
    x = _normal(components.means, components.covariances, which, rng)
    for _ in range(ROUNDS):
        outside = np.flatnonzero(((x < least) | (x > most)).any(0))
        if not outside.size:
            return np.asarray(np.clip(x, limits.low[:, None], limits.high[:, None]))
        x[:, outside] = _normal(components.means, components.covariances, which[outside], rng)
    raise DataError(f"model: hardly any sample of a component lies within {option('truncated')}; it cannot be drawn")


@draw.register
def _(family: OutlierFamily, components: Any, which: Labels, rng: np.random.Generator) -> Array:
    """Outliers lie anywhere in their box."""
    k = len(components.means) - 1
    x = draw(family.inner, components[:k], np.minimum(which, k - 1), rng)
    outliers = which == k
    if outliers.any():
        if family.log_sides is None:
            raise UsageError("model: where the noise of a saved model lies is not known; fit the model again to draw")
        sides, middle = np.exp(family.log_sides)[:, None], family.noise.means.reshape(-1, 1)
        x[:, outliers] = middle + sides * (rng.random((len(x), int(outliers.sum()))) - 0.5)
    return x


def _normal(means: Array, covariances: Array, which: Labels, rng: np.random.Generator) -> Array:
    """Normal samples, (D, N); covariances need not have full rank."""
    values, axes = np.linalg.eigh(covariances)
    roots = axes * np.sqrt(np.maximum(values, 0))[:, None, :]
    z = rng.standard_normal((which.size, means.shape[1]))
    return np.asarray((means[which] + np.einsum("nij,nj->ni", roots[which], z)).T)


def _parts(components: PartialVolume, which: Labels, share: Array, rng: np.random.Generator) -> Array:
    """What a class contributes to pixels that hold a share of it: N(α μ, α Σ)."""
    middle = components.means[which].T
    return share * middle + np.sqrt(share) * (_normal(components.means, components.covariances, which, rng) - middle)
