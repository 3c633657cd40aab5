"""`Components`: the parameters of K densities of one family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Components(ABC):
    """Parameters of K densities, or a stack of such sets along leading axes: every field is (..., K, …)."""

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
