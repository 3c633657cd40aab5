"""`Link`: how log π_k f_k(x) comes from T(x) where it is no linear form of it.

Some families know more than they observe: the weights of a Student distribution, the two parts of a mixed pixel, values
beyond a limit. Their T belongs to the complete data. A link turns forms that are linear in T(x) into log-densities, and
gathers the expectation of the complete T given x, which the M-step needs.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Real = NDArray[np.floating[Any]]


class Link(Protocol):
    """What stands between T(x) and the log-densities of S stacked mixtures of K components.

    Attributes
    ----------
    eta : ndarray, shape (..., K, P)
        Coefficients of forms that are linear in T(x).
    """

    @property
    def eta(self) -> Array:
        """Coefficients of the forms, shape (..., K, P)."""

    def log_joint(self, forms: Real, t: Real) -> None:
        """Turn the forms (S·K, B) of T (P, B) into log π_k f_k(x), in place."""

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Σ_i c_i q_ik E_k[T | x_i], what the M-step needs, from expected counts (S·K, B); shape (S·K, P')."""
