"""`Features`: the samples a mixture is fitted to, and the way back to the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.pixel_index import Index
from emseg.features.span import Span
from emseg.records import record

Floats = NDArray[np.float64]


@record(frozen=True, eq=False)
class Features:
    """Standardised samples with counts. In the features' own units a sample is ``shift + scale * x``.

    Where features depend on each other, x holds coordinates z in the space that they span, and standardised features
    are ``span.basis @ x``.

    Attributes
    ----------
    x : ndarray, shape (R, N)
        One column per distinct sample, C-contiguous; NaN is what is unknown. R is D, or less where features depend on
        each other.
    weight : ndarray, shape (N,)
        How many pixels each sample stands for.
    index : Index
        Which pixels those are.
    names : tuple of str, length D
    shift, scale : ndarray, shape (D,)
        The affine map to own units; a density there is the density of x times ``exp(-sum(log(scale)))``.
    unit : ndarray, shape (R,)
        Spread of each feature's group in x, which is the weight it was given.
    shape : tuple of int
        Height and width of the grid.
    spec : str
        The specification this was built from, normalised.
    evidence : mapping of str to float, optional
        Scores of the features among which this was chosen.
    grain : ndarray, shape (R, R), optional
        Covariance of x that rounding of the stored values leaves.
    lattice : bool
        Whether the stored values have steps; others have no grain but that of floating-point numbers.
    groups : tuple of slice
        The rows of features that share a scale.
    span : Span, optional
        The space that features span which depend on each other.
    """

    x: Floats
    weight: Floats
    index: Index
    names: tuple[str, ...]
    shift: Floats
    scale: Floats
    unit: Floats
    shape: tuple[int, int]
    spec: str
    evidence: Mapping[str, float] | None = None
    grain: Floats | None = None
    lattice: bool = True
    groups: tuple[slice, ...] = ()
    span: Span | None = None

    @property
    def pivots(self) -> NDArray[np.intp]:
        """The features whose densities are fitted, (R,): all, or the first independent ones."""
        return np.arange(len(self.names)) if self.span is None else self.span.pivots

    @property
    def axis_scale(self) -> Floats:
        """Own units of each pivot per unit of its coordinate, the rest held, (R,)."""
        return self.scale if self.span is None else self.scale[self.pivots] * np.diag(self.span.triangle)

    @property
    def axis_shift(self) -> Floats:
        """Own values of the pivots where x is 0, (R,)."""
        return self.shift[self.pivots]

    def of_axes(self, limits: Any) -> Any:
        """Limits in the pivots' own units, in those of x: anything with `affine`."""
        return limits.affine(-self.axis_shift / self.axis_scale, 1 / self.axis_scale)

    @property
    def log_jacobian(self) -> Floats:
        """What brings log-densities of x to those of the pivots in their own units, for each coordinate, (R,)."""
        return -np.log(self.axis_scale)

    def standard(self, x: Floats) -> Floats:
        """Standardised features (D, …) of coordinates (R, …)."""
        return x if self.span is None else np.tensordot(self.span.basis, x, 1)

    def __repr__(self) -> str:
        return f"Features {self.spec}: {', '.join(self.names)} of {self.n_pixels} pixels, {self.x.shape[1]} distinct"

    @property
    def n_pixels(self) -> int:
        """Number of pixels that carry data."""
        return round(float(self.weight.sum()))

    def n_distinct(self, most: int) -> int:
        """Number of distinct samples, counted up to `most`; those that agree where both are known count as equal."""
        left = np.ones(self.x.shape[1], np.bool_)
        for found in range(most):
            if not left.any():
                return found
            x, one = self.x, self.x[:, left.argmax(), None]
            left &= ((x < one) | (x > one)).any(0)
        return most

    def on_grid(self, values: NDArray[Any]) -> NDArray[Any]:
        """Give every pixel its sample's value: (N,) → (H, W), (K, N) → (K, H, W); 0 where there is no data."""
        rows = np.atleast_2d(values)
        out = np.zeros((len(rows), self.shape[0] * self.shape[1]), rows.dtype)
        for row, plane in zip(rows, out, strict=True):
            self.index.spread(row, plane)
        return out.reshape(*values.shape[:-1], *self.shape)
