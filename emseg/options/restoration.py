"""What restoring may be asked for, and the defaults. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from emseg.errors import UsageError

METHODS = ("auto", "mixture", "local")
NOISES = ("gaussian", "poisson")


@dataclass(frozen=True)
class DenoiseOptions:
    """Options of `emseg.denoise` and of the command of that name.

    Attributes
    ----------
    sigma : float or "auto"
        Standard deviation of the noise: of unsigned integers of 8 and 16 bits in units of which white has 255, else as
        stored. Of counted photons, that of the noise which comes on top; "auto" is then 0.
    method : {"auto", "mixture", "local"}
        One mixture for all patches, or local Gaussians, which `auto` is.
    fast : bool
        One round instead of several; one mixture as it is, instead of fitted to the image.
    noise : {"gaussian", "poisson"}
        White noise, or that of counted photons.
    gain : float or "auto"
        Stored value of one photon, for `poisson`.
    workers : int
        How many processes work on a large image; 0: as many as there are processors. The result is the same.
    """

    sigma: float | str = "auto"
    method: str = "auto"
    fast: bool = False
    noise: str = "gaussian"
    gain: float | str = "auto"
    workers: int = 0

    @classmethod
    def checked(cls, **options: Any) -> DenoiseOptions:
        """Options whose values make sense; raise UsageError naming the one that does not, and what it takes."""
        asked = cls(**_checked(cls, options))
        if asked.gain != "auto" and asked.noise != "poisson":
            raise UsageError("gain: is that of counted photons; it goes with --noise poisson")
        return asked

    @property
    def chosen(self) -> str:
        """What `auto` comes to."""
        return "local" if self.method == "auto" else self.method


@dataclass(frozen=True)
class InpaintOptions:
    """Options of `emseg.inpaint` and of the command of that name.

    Attributes
    ----------
    mask_value : float, optional
        The value of the mask where pixels are missing; unless given, all but 0.
    uncertainty : bool
        Whether standard deviations are wanted. They are calibrated on known pixels that are held out.
    seed : int
        Decides which.
    workers : int
        How many processes work on a large image; 0: as many as there are processors. The result is the same.
    """

    mask_value: float | None = None
    uncertainty: bool = False
    seed: int = 0
    workers: int = 0

    @classmethod
    def checked(cls, **options: Any) -> InpaintOptions:
        """Options whose values make sense; raise UsageError naming the one that does not, and what it takes."""
        return cls(**_checked(cls, options))


def _checked(cls: type[Any], options: dict[str, Any]) -> dict[str, Any]:
    unknown = options.keys() - cls.__dataclass_fields__.keys()
    if unknown:
        raise UsageError(f"unknown option {min(unknown)!r}; there are {', '.join(cls.__dataclass_fields__)}")
    for name, value in options.items():
        fine, wanted = CHECKS[name]
        if not fine(value):
            raise UsageError(f"{name} is {value!r}; it must be {wanted}")
    return options


def _is_level(value: Any) -> bool:
    return value == "auto" or (isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < math.inf)


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0


CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "sigma": (_is_level, "a number of 0 or more, or 'auto'"),
    "method": (METHODS.__contains__, f"one of {', '.join(METHODS)}"),
    "fast": (lambda value: isinstance(value, bool), "True or False"),
    "noise": (NOISES.__contains__, f"one of {', '.join(NOISES)}"),
    "gain": (lambda value: _is_level(value) and value != 0, "a number above 0, or 'auto'"),
    "mask_value": (
        lambda value: value is None or (_is_level(abs(value)) if isinstance(value, Real) else False),
        "a finite number",
    ),
    "uncertainty": (lambda value: isinstance(value, bool), "True or False"),
    "seed": (_is_count, "a whole number of 0 or more"),
    "workers": (_is_count, "a whole number of 0 or more"),
}
