"""The E-step of Student mixtures, between T(x) and what the M-step needs: log-densities, and weights u."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.family import Real
from emseg.records import record

Array = NDArray[np.float64]
STEEP = 1e4  # ν from which log(δ + ν) - log ν would lose four digits and more, and log1p(δ/ν) is taken


@record(frozen=True, eq=False)
class StudentLink:
    """log π_k f_k(x) and the expected statistics of the complete data, from the forms δ_k.

    Attributes
    ----------
    eta : ndarray, shape (..., K, P)
        Coefficients of δ.
    offset : ndarray, shape (S·K, 1)
        log π_k f_k(μ_k).
    dof : ndarray, shape (S·K, 1)
    d : int
    """

    eta: Array
    offset: Array
    dof: Array
    d: int

    def log_joint(self, forms: Real, t: Real) -> None:
        """log π f(μ) - ½(ν+D) log(1 + δ/ν), in place."""
        nu, power, offset = self.dof, (self.dof + self.d) / 2, self.offset
        np.maximum(forms, 0, out=forms)  # rounding
        if (nu > STEEP).any():
            forms *= self._as(forms, 1 / nu)
            np.log1p(forms, out=forms)
        else:
            forms += self._as(forms, nu)
            np.log(forms, out=forms)
            offset = offset + power * np.log(nu)
        forms *= self._as(forms, -power)
        forms += self._as(forms, offset)

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Σ c q (1, u, u x, u x xᵀ, log u - u), shape (S·K, P + 2)."""
        from scipy.special import psi

        half = (self.dof + self.d) / 2
        u = np.maximum(forms, 0)
        u += self._as(forms, self.dof)
        log_u = np.log(u)
        log_u *= counts
        np.divide(counts, u, out=u)  # u / (ν+D)
        n, weighted, logs = (counts @ t[0])[:, None], 2 * half * (u @ t.T), -(log_u @ t[0])[:, None]
        return np.concatenate([n, weighted, logs + (psi(half) + np.log(2)) * n - weighted[:, :1]], axis=1)

    @staticmethod
    def _as(forms: Real, values: Array) -> Real:
        return values.astype(forms.dtype)
