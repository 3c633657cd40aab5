"""What a segmentation may be asked for, and the defaults. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from os import PathLike
from typing import Any

from emseg.errors import UsageError

COVARIANCES = {
    "full": "each component has its own ellipsoid",
    "tied": "one ellipsoid shared by all components",
    "diag": "ellipsoids along the axes",
    "spherical": "balls, each with its own radius",
}
INITS = ("auto", "kmeans++", "random")
STARTS = ("kmeans++", "random", "search")  # of `compare`
COMPARE = {"tol": 1e-8, "max_iter": 500}  # its own defaults: traces are to show how each algorithm ends


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
    base : str
        For an accelerator, the algorithm that it accelerates; empty for classic EM.
    option : mapping of str to str
        Settings of the algorithm by name.
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
    base: str = ""
    option: Mapping[str, str] = field(default_factory=dict)
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
        unknown = options.keys() - {entry.name for entry in fields(cls)}
        if unknown:
            known = ", ".join(entry.name for entry in fields(cls))
            raise UsageError(f"unknown option {min(unknown)!r}; there are {known}")
        for name, value in options.items():
            kind, fine, wanted = CHECKS[name]
            if not (_is(kind, value) and fine(value)):
                raise UsageError(f"{name} is {value!r}; it must be {wanted}")
            options[name] = kind(value)
        return cls(**options)

    @property
    def searches(self) -> bool:
        """Whether emseg looks for a start itself."""
        return self.init in INITS


def _is(kind: type, value: object) -> bool:
    """Whether a value is of a kind, in the wide sense: NumPy's integers are whole numbers, paths are text."""
    wide: Any = {int: Integral, float: Real, str: (str, PathLike), bool: bool, dict: Mapping}[kind]
    return isinstance(value, wide) and (kind is bool or not isinstance(value, bool))


def _anything(value: Any) -> bool:
    return True


def _at_least(least: int) -> Callable[[Any], bool]:
    return lambda value: bool(value >= least)


#: Type, condition and wording of every option.
CHECKS: dict[str, tuple[type, Callable[[Any], bool], str]] = {
    "k": (int, _at_least(1), "a whole number of 1 or more"),
    "features": (str, _anything, "a name or several, as 'lab,xy:0.5'"),
    "covariance": (str, COVARIANCES.__contains__, f"one of {', '.join(COVARIANCES)}"),
    "algorithm": (str, _anything, "the name of an algorithm"),
    "base": (str, _anything, "the name of an algorithm, or empty"),
    "option": (dict, _anything, "a mapping of names to values"),
    "init": (str, _anything, f"one of {', '.join(INITS)}, or a path"),
    "restarts": (int, _at_least(0), "a whole number of 0 or more"),
    "seed": (int, _at_least(0), "a whole number of 0 or more"),
    "tol": (float, lambda value: 0 <= value < math.inf, "a number of 0 or more"),
    "max_iter": (int, _at_least(1), "a whole number of 1 or more"),
    "floor": (float, lambda value: 0 <= value < 1, "a number from 0 to below 1"),
    "compress": (bool, _anything, "True or False"),
}
