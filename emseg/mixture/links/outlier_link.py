"""The E-step of a mixture with outliers, where the other components need a link themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.mixture.links.link import Link
from emseg.records import record

Array = NDArray[np.float64]
Real = NDArray[np.floating[Any]]


@record(frozen=True, eq=False)
class OutlierLink:
    """A link of other components, and noise.

    Attributes
    ----------
    eta : ndarray, shape (..., K, P)
    inner : Link
    noise : ndarray, shape (S, 1, 1)
        log π_0 / V.
    """

    eta: Array
    inner: Link
    noise: Array

    def log_joint(self, forms: Real, t: Real) -> None:
        """What the link makes of the others, and the density of the noise, in place."""
        stacked = forms.reshape(len(self.noise), -1, forms.shape[-1])
        others = stacked[:, :-1].reshape(-1, forms.shape[-1]).copy()
        self.inner.log_joint(others, t)
        stacked[:, :-1] = others.reshape(stacked[:, :-1].shape)
        stacked[:, -1:] = self.noise

    def gather(self, counts: Real, forms: Real, t: Real) -> Array:
        """Statistics of the others; of the noise, how much there is of it."""
        shape = (len(self.noise), -1, forms.shape[-1])
        ours, theirs = counts.reshape(shape), forms.reshape(shape)
        found = self.inner.gather(ours[:, :-1].reshape(-1, shape[-1]), theirs[:, :-1].reshape(-1, shape[-1]), t)
        found = found.reshape(shape[0], -1, found.shape[-1])
        noise = np.zeros_like(found[:, :1])
        noise[:, 0, 0] = ours[:, -1] @ t[0]
        return np.concatenate([found, noise], axis=1).reshape(-1, found.shape[-1])
