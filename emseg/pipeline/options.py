"""What a segmentation may be asked for, and the defaults. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Integral
from typing import Any

from emseg.errors import UsageError

COVARIANCES = {
    "full": "each component has its own ellipsoid",
    "tied": "one ellipsoid shared by all components",
    "diag": "ellipsoids along the axes",
    "spherical": "balls, each with its own radius",
}
INITS = ("auto", "kmeans++", "random")


@dataclass(frozen=True)
class SegmentOptions:
    """Options of `emseg.segment` and of the command of that name.

    Attributes
    ----------
    k : int
        Number of components, at least 1.
    features : str
        Names with optional weights, as ``"lab,xy:0.5"``; ``"auto"`` is lab for colour, gray or bands otherwise.
    covariance : {"full", "tied", "diag", "spherical"}
        What the components may look like.
    algorithm : str
        A name of `emseg.em.registry.ALGORITHMS`.
    init : str
        ``"auto"``, ``"kmeans++"``, ``"random"``, or the path of a model file or a label map.
    restarts : int
        Number of starts of which the best is followed; 0 leaves it to emseg.
    seed : int
        Seed of the random generator: same seed, same result.
    tol : float
        Stop when the log-likelihood per pixel is estimated to be this close to its limit, in nats.
    max_iter : int
        Stop after this many iterations at the latest.
    floor : float
        Smallest variance of a component, relative to that of the whole image.
    compress : bool
        Fit distinct feature vectors with counts instead of every pixel: the same result, faster.
    """

    k: int = 4
    features: str = "auto"
    covariance: str = "full"
    algorithm: str = "anderson"
    init: str = "auto"
    restarts: int = 0
    seed: int = 0
    tol: float = 1e-5
    max_iter: int = 1000
    floor: float = 1e-11
    compress: bool = True

    @classmethod
    def checked(cls, **options: Any) -> SegmentOptions:
        """Options whose values make sense.

        Raises
        ------
        UsageError
            Naming the option and what it takes.
        """
        unknown = options.keys() - {field.name for field in fields(cls)}
        if unknown:
            known = ", ".join(field.name for field in fields(cls))
            raise UsageError(f"unknown option {min(unknown)!r}; there are {known}")
        asked = cls(**options)
        for name, fine, wanted in (
            ("k", _is_whole(asked.k) and asked.k >= 1, "a whole number of 1 or more"),
            ("restarts", _is_whole(asked.restarts) and asked.restarts >= 0, "a whole number of 0 or more"),
            ("seed", _is_whole(asked.seed) and asked.seed >= 0, "a whole number of 0 or more"),
            ("max_iter", _is_whole(asked.max_iter) and asked.max_iter >= 1, "a whole number of 1 or more"),
            ("tol", 0 <= asked.tol < math.inf, "a number of 0 or more"),
            ("floor", 0 <= asked.floor < 1, "a number from 0 to below 1"),
            ("covariance", asked.covariance in COVARIANCES, f"one of {', '.join(COVARIANCES)}"),
        ):
            if not fine:
                raise UsageError(f"{name} is {getattr(asked, name)!r}; it must be {wanted}")
        return asked

    @property
    def searches(self) -> bool:
        """Whether emseg looks for a start itself."""
        return self.init in INITS


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
