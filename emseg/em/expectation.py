"""`Expectation`: what an E-step finds, the statistics and everything the log wants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.stats import Stats
from emseg.records import record

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class Expectation:
    """What an E-step found at one mixture (or at each of a stack).

    Attributes
    ----------
    stats : Stats
    log_likelihood : ndarray, shape (...)
        ℓ, natural logarithm, summed over weighted samples.
    complete : ndarray, shape (...)
        Σ c_i q_ik log π_k f_k(x_i), the expected complete log-likelihood under the assignment q of the E-step.
    entropy : ndarray, shape (...)
        -Σ c_i q_ik log q_ik.
    log_prior : ndarray, shape (...)
        The penalty, and the prior if there is one.
    rounding : ndarray, shape (...)
        Bound on what arithmetic can add to the objective: some units in the last place of the sum of magnitudes
        |η_k · t_k|, which dwarfs ℓ where a component is much narrower than its distance from the origin.
    hidden : ndarray, shape (...)
        Σ c_i q_ik times the entropy of what else is hidden of x_i where it is from component k: values that were not
        observed, say. By it, `complete` exceeds Σ_k η_k · t_k, the expected log-density of all that T is made of.
    products : ndarray, shape (K, K), or float
        Σ c_i r_i r_iᵀ, if the assignment of the E-step sums it.
    taken : ndarray, shape (...), or float
        What the grain takes off ℓ, see `Problem`: the objective is lower by so much.
    """

    stats: Stats
    log_likelihood: Array
    complete: Array
    entropy: Array
    log_prior: Array
    rounding: Array
    hidden: Array | float = 0.0
    products: Array | float = 0.0
    taken: Array | float = 0.0

    def __add__(self, other: Expectation) -> Expectation:
        """Of two parts of the samples, at the same mixture."""
        return Expectation(
            self.stats + other.stats,
            self.log_likelihood + other.log_likelihood,
            self.complete + other.complete,
            self.entropy + other.entropy,
            self.log_prior,
            self.rounding + other.rounding,
            self.hidden + other.hidden,
            self.products + other.products,
            self.taken + other.taken,
        )

    @property
    def elbo(self) -> Array:
        """Complete log-likelihood plus entropy: a lower bound on ℓ, tight where q is the posterior (Neal & Hinton).

        With a grain, the bound is on ℓ less what that takes off.
        """
        return self.complete + self.entropy

    @property
    def fitted(self) -> Array:
        """ℓ less what the grain takes off: what the E-step's posterior belongs to."""
        return self.log_likelihood - self.taken

    @property
    def objective(self) -> Array:
        """What EM climbs: ℓ less what the grain takes off, plus the penalty."""
        return self.fitted + self.log_prior
