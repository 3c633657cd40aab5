"""Options that several commands share, and the values they accept. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from collections.abc import Callable
from os.path import isfile
from typing import Any, TypeVar

import click

from emseg.em.registry import ALGORITHMS
from emseg.features.spec import parse_spec
from emseg.output.names import EXTRA
from emseg.pipeline.options import COVARIANCES, INITS, SegmentOptions

Command = TypeVar("Command", bound=Callable[..., Any])
DEFAULT = SegmentOptions()

KINDS = tuple(EXTRA)


class Components(click.ParamType):
    """A number of components."""

    name = "K"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Accept whole numbers from 1."""
        if isinstance(value, int) or (value.isascii() and value.isdigit() and int(value) > 0):
            return int(value)
        self.fail(f"{value!r} is not a number of components; give a whole number of 1 or more, as -k 4", param, ctx)


class Finite(click.FloatRange):
    """A float in a range, where "nan" and "inf" are no numbers."""

    name = "X"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Accept finite numbers in the range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class Kinds(click.ParamType):
    """Comma-separated kinds of extra output."""

    name = "KIND[,KIND]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Accept names of `KINDS` and "all"."""
        names = [part.strip() for part in value.split(",")] if value else []
        for name in names:
            if name not in (*KINDS, "all"):
                self.fail(f"unknown kind {name!r}; choose from {', '.join(KINDS)}, all", param, ctx)
        return KINDS if "all" in names else tuple(kind for kind in KINDS if kind in names)


class Init(click.ParamType):
    """A way to start, or a file to start from."""

    name = "|".join((*INITS, "FILE"))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Accept a name or the path of an existing file."""
        if value not in INITS and not isfile(value):
            self.fail(f"{value!r} is neither a file nor one of {', '.join(INITS)}", param, ctx)
        return str(value)


class Folder(click.ParamType):
    """A folder, existing or to be made."""

    name = "DIR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Accept anything that is not a file."""
        if isfile(value):
            self.fail(f"{value!r} is a file; name a folder, or remove it", param, ctx)
        return str(value)


def _features(ctx: click.Context, param: click.Parameter, value: str) -> str:
    parse_spec(value)  # a typing error is answered before any work
    return value


def _option(*names: str, **how: Any) -> Callable[[Command], Command]:
    return click.option(*names, show_default=not how.get("is_flag") and how.get("default") is not None, **how)


FIT = (
    _option("-k", "--components", "k", type=Components(), default=DEFAULT.k, help="Number of components (regions)."),
    _option("--features", metavar="SPEC", callback=_features, default=DEFAULT.features,
            help="What pixels are compared by: lab, rgb, gray, hsv, bands, xy, texture, comma-separated, each with an "
                 "optional weight, as lab,xy:0.5. auto: lab for colour, else gray or bands."),
    _option("--covariance", type=click.Choice(list(COVARIANCES)), default=DEFAULT.covariance,
            help="Shape of the components."),
    _option("--algorithm", type=click.Choice(list(ALGORITHMS)), default=DEFAULT.algorithm,
            help="Variant of EM that does the fit."),
    _option("--init", type=Init(), default=DEFAULT.init,
            help="Where the fit starts; FILE is a saved model or a label map."),
    _option("--restarts", type=click.IntRange(0), metavar="N", default=DEFAULT.restarts,
            help="Starts of which the best is followed; 0: as many as make sense."),
    _option("--seed", type=click.IntRange(0), metavar="N", default=DEFAULT.seed, help="Same seed, same result."),
    _option("--tol", type=Finite(0), default=DEFAULT.tol,
            help="Stop when the log-likelihood per pixel is estimated to be within X nats of its limit."),
    _option("--max-iter", type=click.IntRange(1), metavar="N", default=DEFAULT.max_iter,
            help="Stop after N iterations at the latest."),
    _option("--floor", type=Finite(0, 1, max_open=True), default=DEFAULT.floor,
            help="Smallest variance of a component, relative to that of the whole image."),
    _option("--mask", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
            help="Image of the same size: only where it is not zero are pixels used; outside, the label is 0."),
)  # fmt: skip
FILES = (
    _option("-o", "--output", type=Folder(), default=".", help="Folder for the results; made if need be."),
    _option("--save", type=Kinds(), default="", help=f"Also write {', '.join(KINDS)}, or all."),
    _option("--overwrite", is_flag=True, help="Replace files that emseg did not write."),
)
TALK = (
    _option("--json", "as_json", is_flag=True, help="Print the report as JSON, a line per input."),
    _option("-q", "--quiet", is_flag=True, help="Print errors only."),
    _option("-v", "--verbose", is_flag=True, help="Show every iteration."),
    _option("--debug", is_flag=True, help="Show tracebacks."),
)


def options(*groups: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    """Decorate a command with groups of options, in the order the help shows them."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate
