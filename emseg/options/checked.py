"""From the keywords of a Python function, or of a command line, to options that make sense one by one and together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from emseg.errors import UsageError, option
from emseg.options.by_command import options_of
from emseg.options.declaration import Option, options_in
from emseg.options.declarations.reading import ReadingOptions
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.rules import denoising_refusals, require, segmentation_refusals

if TYPE_CHECKING:
    from emseg.options.declarations.restoration import DenoiseOptions, InpaintOptions

Values = TypeVar("Values", "SegmentOptions", "DenoiseOptions", "InpaintOptions", "ReadingOptions")


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
    from emseg.options.declarations.restoration import DenoiseOptions  # segmentations do without

    found = values(DenoiseOptions, "denoise", given)
    require(denoising_refusals(found))
    return found


def inpainting(**given: Any) -> InpaintOptions:
    """Options of `inpaint`; raise UsageError as `segmentation` does."""
    from emseg.options.declarations.restoration import InpaintOptions  # segmentations do without

    return values(InpaintOptions, "inpaint", given)


def reading(command: str, given: Mapping[str, Any]) -> tuple[ReadingOptions, dict[str, Any]]:
    """What is to be taken of a file, and the other keywords of a Python function; raise UsageError as `values`."""
    names = [entry.name for entry in options_in(ReadingOptions) if entry.name in given]
    found = values(ReadingOptions, command, {name: given[name] for name in names})
    return found, {name: value for name, value in given.items() if name not in names}


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
    found |= {name: _checked(known[name], value) for name, value in given.items()}
    return declarations(**found)


def value(command: str, name: str, given: object) -> Any:
    """One option that a function of the library has as a parameter of its own; raise UsageError as `values` does."""
    (entry,) = (entry for entry in options_of(command) if entry.name == name)
    return _checked(entry, given)


def _checked(entry: Option, given: object) -> Any:
    try:
        return entry.kind.check(given, entry.name)
    except (OverflowError, TypeError, ValueError):
        spelled = " ".join(repr(given).split())
        raise UsageError(f"{option(entry.name)} is {spelled}; it must be {entry.kind.wanted}") from None


def recorded(command: str, found: SegmentOptions | DenoiseOptions | InpaintOptions, **others: Any) -> dict[str, Any]:
    """The options of a command as its report lists them: all that decide what the result is.

    Parameters
    ----------
    command : str
    found
        The values.
    **others
        Values of further options of the command.
    """
    entries = [entry for entry in options_of(command) if entry.recorded]
    given = {entry.name: others.get(entry.name, getattr(found, entry.name, None)) for entry in entries}
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    """The value as JSON holds it."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
