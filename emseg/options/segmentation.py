"""What a segmentation may be asked for, and the defaults. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from os import PathLike
from typing import Any

from emseg.errors import UsageError
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import FAMILIES
from emseg.options.limits_text import LIMITS, as_limits, is_limits
from emseg.options.values import as_k, is_beta, is_denoise, is_dof, is_k, is_merge, is_regions, k_range

INITS = ("auto", "kmeans++", "random")
CRITERIA = ("auto", "icl", "bic", "aic", "mml", "elbo")
FIELDS = ("none", "auto", "gibbs", "mean-field", "icm", "graph-cut")
MISSING = ("drop", "em")
NEIGHBOURS = ("auto", "4", "8", "6", "18", "26")
STARTS = ("kmeans++", "random", "search")  # of `compare`
COMPARE = {"tol": 1e-8, "max_iter": 500}  # its own defaults: traces are to show how each algorithm ends


@dataclass(frozen=True)
class SegmentOptions:
    """Options of `emseg.segment` and of the command of that name.

    Attributes
    ----------
    k : int or str
        Number of components, at least 1; or a range to choose from, as ``"2:9"``; ``"auto"`` is 1 to 9.
    criterion : {"auto", "icl", "bic", "aic", "mml", "elbo"}
        What chooses from a range, see `emseg.em.starts.number_of_components` and `emseg.stages.start`.
    features : str
        Names with optional weights, as ``"lab,xy:0.5"``; ``"auto"`` is lab for colour, gray or bands otherwise.
    family : str
        What the components are: a name of `FAMILIES`.
    covariance : str
        What the components may look like: a name of `COVARIANCES`; for gaussian and student.
    dof : float or {"each", "common"}
        Degrees of freedom of student: a number, or estimated, for each component or one for all.
    noise : bool
        Whether to add a component of uniform density for outliers; its label is K + 1.
    denoise : float, "auto" or "off"
        Noise level, given or found, that `emseg.denoise` takes out of the image first.
    missing : {"drop", "em"}
        What becomes of pixels of which some channels are unknown: no label, or one by the others (NaN in floats; zero
        in a mask of as many channels).
    censored : str
        ``"LO,HI"``: stored values ≤ LO or ≥ HI are bounds; either may be empty. A pair of numbers will do too.
    truncated : str
        ``"LO,HI"``: pixels with stored values outside were never recorded.
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
    mrf : {"none", "auto", "gibbs", "mean-field", "icm", "graph-cut"}
        Whether labels are a Markov random field, and how it is fitted: `emseg.mrf.fit`.
    beta : float or "auto"
        Strength of the field; estimated from the image unless given.
    neighbours : {"auto", "4", "8", "6", "18", "26"}
        Of a pixel; auto: those that share a side.
    contrast : bool
        Let neighbours that differ much be less alike in label.
    regions : int or "auto"
        Find connected regions of at least so many pixels; 0: do not; auto: as many as half an independent sample takes.
    merge : float, "auto" or "default"
        How much alike adjacent regions must be to become one; 0: only small ones join others; auto: as many become one
        as shortens the description of the image; default: auto if `regions` is, else 0.
    scribbles : str
        Path of a label map: pixels that are not 0 have that label, and keep it; classes start from them.
    prior_map : str
        Path of a TIFF with a page for each class, or of a NumPy file: how probable it is at each pixel beforehand.
    bias_field : bool
        Estimate uneven illumination, and fit what is left without it.
    partial_volume : bool
        Let pixels mix a class and the next brighter one; labels are what they hold most of.
    compress : bool
        Fit distinct feature vectors with counts instead of every pixel: the same result, faster.
    """

    k: int | str = 4
    criterion: str = "auto"
    features: str = "auto"
    family: str = "gaussian"
    covariance: str = "full"
    dof: float | str = "each"
    noise: bool = False
    denoise: float | str = "off"
    missing: str = "drop"
    censored: str = ""
    truncated: str = ""
    algorithm: str = "anderson"
    base: str = ""
    option: Mapping[str, str] = field(default_factory=dict)
    init: str = "auto"
    restarts: int = 0
    seed: int = 0
    tol: float = 1e-5
    max_iter: int = 1000
    floor: float = 1e-11
    mrf: str = "none"
    beta: float | str = "auto"
    neighbours: str = "auto"
    contrast: bool = False
    regions: int | str = 0
    merge: float | str = "default"
    bias_field: bool = False
    partial_volume: bool = False
    scribbles: str = ""
    prior_map: str = ""
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
    def k_range(self) -> tuple[int, int]:
        """Smallest and largest number of components."""
        return k_range(self.k)

    @property
    def shortest(self) -> bool:
        """Whether regions are those of the shortest description."""
        return bool(self.regions) and (self.merge if self.merge != "default" else self.regions) == "auto"

    @property
    def searches(self) -> bool:
        """Whether emseg looks for a start itself."""
        return self.init in INITS


def _as_number(value: Any) -> float | str:
    return value if isinstance(value, str) else float(value)


def _as_name(value: Any) -> str:
    return str(value)


def _is(kind: Callable[[Any], Any], value: object) -> bool:
    """Whether a value is of a kind, in the wide sense: NumPy's integers are whole numbers, paths are text."""
    wide: Any = {
        as_k: (Integral, str),
        _as_number: (Real, str),
        _as_name: (Integral, str),
        as_limits: (str, Sequence),
        int: Integral,
        float: Real,
        str: (str, PathLike),
        bool: bool,
        dict: Mapping,
    }[kind]
    return isinstance(value, wide) and (kind is bool or not isinstance(value, bool))


def _anything(value: Any) -> bool:
    return True


def _at_least(least: int) -> Callable[[Any], bool]:
    return lambda value: bool(value >= least)


#: Type, condition and wording of every option.
CHECKS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bool], str]] = {
    "k": (as_k, is_k, "a whole number of 1 or more, a range LO:HI as '2:9', or 'auto'"),
    "criterion": (str, CRITERIA.__contains__, f"one of {', '.join(CRITERIA)}"),
    "features": (str, _anything, "a name or several, as 'lab,xy:0.5'"),
    "family": (str, FAMILIES.__contains__, f"one of {', '.join(FAMILIES)}"),
    "covariance": (str, COVARIANCES.__contains__, f"one of {', '.join(COVARIANCES)}"),
    "dof": (_as_number, is_dof, "a number above 0, 'each' or 'common'"),
    "noise": (bool, _anything, "True or False"),
    "denoise": (_as_number, is_denoise, "a number of 0 or more, 'auto' or 'off'"),
    "missing": (str, MISSING.__contains__, f"one of {', '.join(MISSING)}"),
    "censored": (as_limits, is_limits, LIMITS),
    "truncated": (as_limits, is_limits, LIMITS),
    "algorithm": (str, _anything, "the name of an algorithm"),
    "base": (str, _anything, "the name of an algorithm, or empty"),
    "option": (dict, _anything, "a mapping of names to values"),
    "init": (str, _anything, f"one of {', '.join(INITS)}, or a path"),
    "restarts": (int, _at_least(0), "a whole number of 0 or more"),
    "seed": (int, _at_least(0), "a whole number of 0 or more"),
    "tol": (float, lambda value: 0 <= value < math.inf, "a number of 0 or more"),
    "max_iter": (int, _at_least(1), "a whole number of 1 or more"),
    "floor": (float, lambda value: 0 <= value < 1, "a number from 0 to below 1"),
    "mrf": (str, FIELDS.__contains__, f"one of {', '.join(FIELDS)}"),
    "beta": (_as_number, is_beta, "a number of 0 or more, or 'auto'"),
    "neighbours": (_as_name, lambda value: str(value) in NEIGHBOURS, f"one of {', '.join(NEIGHBOURS)}"),
    "regions": (as_k, is_regions, "a whole number of pixels, 0 or more, or 'auto'"),
    "scribbles": (str, _anything, "a path"),
    "prior_map": (str, _anything, "a path"),
    "bias_field": (bool, _anything, "True or False"),
    "partial_volume": (bool, _anything, "True or False"),
    "merge": (_as_number, is_merge, "a number of 0 or more, 'auto' or 'default'"),
    "contrast": (bool, _anything, "True or False"),
    "compress": (bool, _anything, "True or False"),
}
