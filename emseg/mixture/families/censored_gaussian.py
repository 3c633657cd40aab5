"""Gaussians whose samples are censored or truncated.

Censored (Lee & Scott 2012, Comput. Stat. Data Anal. 56): a value at a limit, as 255 of an overexposed pixel, says only
that the true value x_c lies beyond it. Then

log f_k(x) = log N(x_o; μ_o, Σ_oo) + log P_k(x_c beyond its limits | x_o)

and the statistics hold E[T | what is known of x, k], from the moments of a normal distribution cut to a box.

Truncated (Dempster, Laird & Rubin 1977, section 4.2): samples outside a box B were not recorded. So log f_k(x) =
log N(x) - log F_k, where F_k is the probability of B. What was not recorded is hidden data: for each recorded sample of
component k, 1/F_k - 1 others are expected outside of B. Their statistics are added:

t_k += n_k (E_k[T] / F_k - E_k[T | B])

Weights stay shares of what was recorded. Both are exact E-steps, and ℓ never falls.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import UsageError, option
from emseg.mixture.covariance.model import CovarianceModel
from emseg.mixture.families.gaussian import Gaussian, GaussianFamily
from emseg.mixture.families.sensor_limits import SensorLimits
from emseg.mixture.links.censored_link import CensoredLink
from emseg.mixture.stats import Stats
from emseg.records import record

Array = NDArray[np.float64]


@record(frozen=True)
class CensoredGaussianFamily(GaussianFamily):
    """The Gaussian family, for samples that a sensor censors or truncates at its limits.

    Attributes
    ----------
    limits : SensorLimits
    """

    limits: SensorLimits

    def link(self, weights: Array, components: Gaussian) -> CensoredLink:
        """Log-densities of what is known."""
        return CensoredLink(weights, components, self.natural(components), self.limits, self.products)

    def normal_model(self, purpose: str) -> CovarianceModel:
        """Refused: what lies beyond the limits is hidden."""
        raise UsageError(
            f"{purpose}: does not go with limits of values; leave out {option('censored')} and {option('truncated')}"
        )

    def m_projection(self, stats: Stats, *arguments: Any, **named: Any) -> Gaussian:
        """The same of Gaussians, for recorded samples and those that were not recorded together."""
        return super().m_projection(_complete(stats), *arguments, **named)

    def holding_locations(self, stats: Stats, components: Gaussian) -> Stats:
        """The same of Gaussians, for recorded samples and those that were not recorded together."""
        return Stats(stats.n, super().holding_locations(_complete(stats), components).t)

    def marginal_family(self, seen: NDArray[np.intp]) -> CensoredGaussianFamily:
        """The same of Gaussians, with the limits of these dimensions.

        Raises
        ------
        UsageError
            If samples are truncated: whether an unknown value lay within the limits is not known.
        """
        if self.limits.truncates:
            raise UsageError(f"{option('truncated')}: does not go with unknown values; use {option('missing', 'drop')}")
        return CensoredGaussianFamily(super().marginal_family(seen).covariance, self.limits[seen])

    def affine(self, shift: Array, scale: Array) -> CensoredGaussianFamily:
        """The family with limits moved and stretched like the samples."""
        return CensoredGaussianFamily(self.covariance, self.limits.affine(shift, scale))

    def spread(self, basis: Array, log_volume: float) -> CensoredGaussianFamily:
        """The family with the limits of each feature, which are those of its coordinate."""
        return CensoredGaussianFamily(self.covariance, self.limits[np.abs(basis).argmax(1)])

    def collapsed(self, pivots: NDArray[np.intp], log_volume: float) -> CensoredGaussianFamily:
        """The family with the limits of the pivots."""
        return CensoredGaussianFamily(self.covariance, self.limits[pivots])


def _complete(stats: Stats) -> Stats:
    """The same statistics, whose counts include the samples that were not recorded."""
    return Stats(np.maximum(stats.t[..., 0], stats.n), stats.t)
