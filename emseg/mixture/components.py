"""`Components`: the parameters of K densities of one family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emseg.records import record

Array = NDArray[np.float64]


@record(frozen=True, eq=False)
class Components(ABC):
    """Parameters of K densities, or a stack of such sets along leading axes: every field is (..., K, …).

    Attributes
    ----------
    matrix_part : str
        The field that holds matrices (..., K, D, D), if there is one.
    """

    matrix_part: ClassVar[str] = ""

    @classmethod
    def parts(cls) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(entry.name for entry in fields(cls))

    def __getitem__(self, which: Any) -> Self:
        """Some of the components, or of the sets in a stack."""
        return type(self)(*(getattr(self, name)[which] for name in self.parts()))

    @abstractmethod
    def check(self) -> None:
        """Raise ValueError, saying why, unless these are parameters of K densities in D dimensions."""

    def spread(self, basis: Array) -> Self:
        """The densities of B z, B (D, R), for z of these.

        Means and matrices are mapped, and are singular where B has more rows than columns. Without matrices, each
        feature has the parameters of its coordinate.
        """
        if not self.matrix_part:
            which = np.abs(basis).argmax(1)
            return type(self)(*(getattr(self, name)[..., which] for name in self.parts()))
        values = {name: getattr(self, name) for name in self.parts()}
        matrices = basis @ values[self.matrix_part] @ basis.T
        return type(self)(**values | {"means": values["means"] @ basis.T, self.matrix_part: matrices})

    def collapsed(self, pivots: NDArray[np.intp], triangle: Array) -> Self:
        """The densities of z, for pivots that are a triangular function (R, R) of it: of the pivots themselves."""
        values = {name: getattr(self, name) for name in self.parts()}
        if not self.matrix_part:
            return type(self)(*(value[..., pivots] for value in values.values()))
        matrices = values[self.matrix_part][..., pivots[:, None], pivots]
        own = type(self)(**values | {"means": values["means"][..., pivots], self.matrix_part: matrices})
        return own.spread(np.linalg.inv(triangle).astype(np.float64, copy=False))

    def updated(self, new: Self, k: int, shared: tuple[str, ...] = ()) -> Self:
        """These components with component k, and the shared parameters of all, taken from `new`."""
        values = {name: np.array(getattr(new if name in shared else self, name), np.float64) for name in self.parts()}
        for name, value in values.items():
            value[k] = getattr(new, name)[k]
        return type(self)(**values)


def require(condition: Any, wanted: str) -> None:
    """Raise ValueError with these words unless a condition holds everywhere."""
    if not np.all(condition):
        raise ValueError(wanted)
