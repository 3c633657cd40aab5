"""From the keywords of a Python function, or of a command line, to options that make sense one by one and together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from emseg.errors import UsageError, option
from emseg.options.by_command import options_of
from emseg.options.declaration import options_in
from emseg.options.restoration import DenoiseOptions, InpaintOptions
from emseg.options.rules import denoising_refusals, require, segmentation_refusals
from emseg.options.segmentation import CompareOptions, ImputeOptions, SegmentOptions

Values = TypeVar("Values", SegmentOptions, CompareOptions, ImputeOptions, DenoiseOptions, InpaintOptions)


def segmentation(command: str, /, **given: Any) -> SegmentOptions:
    """Options of `segment`, or those that `compare`, `impute` or `apply` shares with it.

    Parameters
    ----------
    command : str
        The function that is called; options have its defaults.
    **given
        The values that are not to be the defaults.

    Raises
    ------
    UsageError
        If an option does not exist, a value is none that it takes, or options do not go together.
    ImageError
        If a file does not exist.
    """
    found = values(SegmentOptions, command, given)
    require(segmentation_refusals(command, found))
    return found


def denoising(**given: Any) -> DenoiseOptions:
    """Options of `denoise`; raise UsageError as `segmentation` does."""
    found = values(DenoiseOptions, "denoise", given)
    require(denoising_refusals(found))
    return found


def inpainting(**given: Any) -> InpaintOptions:
    """Options of `inpaint`; raise UsageError as `segmentation` does."""
    return values(InpaintOptions, "inpaint", given)


def values(declarations: type[Values], command: str, given: Mapping[str, Any]) -> Values:
    """Options with the values given, each checked by itself, and the command's defaults for the others.

    Raises
    ------
    UsageError
        Naming an option that the command does not have, or a value that is wrong and what the option takes.
    """
    everything = {entry.name: entry for entry in options_in(declarations)}
    known = {name: entry for name, entry in everything.items() if command in entry.commands}
    for name in given:
        if name not in known:
            listed = ", ".join(entry.name for entry in options_of(command) if entry.python)
            if any(name == entry.name for entry in everything.values()):
                raise UsageError(f"{option(name)} does not go with {command}; it takes {listed}")
            raise UsageError(f"unknown option {name!r}; there are {listed}")
    found = {name: entry.default_of(command) for name, entry in known.items() if command in entry.defaults}
    for name, value in given.items():
        try:
            found[name] = known[name].kind.check(value, name)
        except (OverflowError, TypeError, ValueError):
            spelled = " ".join(repr(value).split())
            raise UsageError(f"{option(name)} is {spelled}; it must be {known[name].kind.wanted}") from None
    return declarations(**found)


def recorded(command: str, *given: object) -> dict[str, Any]:
    """The options of a command as its report lists them: all that decide what the result is.

    Parameters
    ----------
    command : str
    *given
        The values: instances of `SegmentOptions` and the like.
    """
    entries = [(source, entry) for source in given for entry in options_in(type(source))]
    found = {entry.name: getattr(source, entry.name) for source, entry in entries
             if entry.recorded and command in entry.commands}  # fmt: skip
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in found.items()}
