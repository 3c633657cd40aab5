"""Options that several commands share, and the values they accept. Imports nothing heavy: the help text reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from os.path import isfile
from typing import Any, TypeVar

import click

from emseg.em.registry import ALGORITHMS
from emseg.features.registry import FEATURES
from emseg.features.specification import parse_spec
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import FAMILIES
from emseg.options.limits_text import LIMITS, is_limits
from emseg.options.segmentation import (
    CRITERIA,
    FIELDS,
    INITS,
    MISSING,
    NEIGHBOURS,
    STARTS,
    SegmentOptions,
)
from emseg.options.values import AUTO, is_beta, is_dof, is_merge, k_range
from emseg.output.registry import saveable

Command = TypeVar("Command", bound=Callable[..., Any])
DEFAULT = SegmentOptions()


def _checked(check: Callable[[Any], Any]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Make a callback of a function that returns the value to use, or raises ValueError with what to say."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        try:
            return check(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return callback


def _components(value: str) -> int | str:
    if value.isascii() and value.isdigit() and int(value) > 0:
        return int(value)
    try:
        k_range(value)
    except ValueError:
        wanted = "give a whole number of 1 or more, a range LO:HI as 2:9, or auto"
        raise ValueError(f"{value!r} is not a number of components; {wanted}") from None
    return value


def _features(value: str) -> str:
    parse_spec(value)  # a typing error is answered before any work
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return value


def _init(value: str) -> str:
    if value not in INITS and not isfile(value):
        raise ValueError(f"{value!r} is neither a file nor one of {', '.join(INITS)}")
    return value


def _beta(value: str) -> float | str:
    try:
        number: float | str = value if value == "auto" else float(value)
    except ValueError:
        number = -1.0
    if not is_beta(number):
        raise ValueError(f"{value!r} is neither a number of 0 or more nor auto")
    return number


def _regions(value: str) -> int | str:
    if value == "auto":
        return value
    if value.isascii() and value.isdigit():
        return int(value)
    raise ValueError(f"{value!r} is neither a whole number of 0 or more nor auto")


def _merge(value: str | float) -> float | str:
    try:
        number: float | str = value if value in ("auto", "default") else float(value)
    except ValueError:
        number = -1.0
    if not is_merge(number):
        raise ValueError(f"{value!r} is neither a number of 0 or more nor auto")
    return number


def _dof(value: str) -> float | str:
    try:
        number: float | str = value if value in ("each", "common") else float(value)
    except ValueError:
        number = -1.0
    if not is_dof(number):
        raise ValueError(f"{value!r} is neither a number above 0 nor each or common")
    return number


def _limits(value: str) -> str:
    if not is_limits(value):
        raise ValueError(f"{value!r} is not {LIMITS}")
    return value


def _file(value: str) -> str:
    if value and not isfile(value):
        raise ValueError(f"{value!r} is no file")
    return value


def _folder(value: str) -> str:
    if isfile(value):
        raise ValueError(f"{value!r} is a file; name a folder")
    return value


def _base(value: str) -> str:
    if value and value not in ALGORITHMS:
        raise ValueError(f"{value!r} is none of {', '.join(ALGORITHMS)}")
    return value


def _settings(values: tuple[str, ...]) -> dict[str, str]:
    for text in values:
        if "=" not in text:
            raise ValueError(f"{text!r} is not of the form NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in values)}


def _algorithms(value: str) -> tuple[str, ...]:
    names = dict.fromkeys(part.strip() for part in value.split(",")) if value else {}
    for name in names:
        if name not in ALGORITHMS:
            raise ValueError(f"{name!r} is none of {', '.join(ALGORITHMS)}")
    return tuple(names)


def _kinds(kinds: Sequence[str], value: str) -> tuple[str, ...]:
    names = [part.strip() for part in value.split(",")] if value else []
    for name in names:
        if name not in (*kinds, "all"):
            raise ValueError(f"unknown kind {name!r}; choose from {', '.join(kinds)}, all")
    return tuple(kind for kind in (*kinds, "all") if kind in names)


def _option(*names: str, **how: Any) -> Callable[[Command], Command]:
    return click.option(*names, show_default=not how.get("is_flag") and bool(str(how.get("default", ""))), **how)


def mask_option() -> Callable[[Command], Command]:
    """The option for a mask."""
    return _option("--mask", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
                   help="Image of the same size: only where it is not zero are pixels used; outside, the label is 0."
                   )  # fmt: skip


def missing_option() -> Callable[[Command], Command]:
    """What becomes of pixels that are known in part."""
    return _option("--missing", type=click.Choice(MISSING), default=DEFAULT.missing,
                   help="Pixels of which some channels are unknown, as NaN or by a mask of as many channels: drop them "
                        "(label 0), or use what is known (em).")  # fmt: skip


def save_option(kinds: Sequence[str]) -> Callable[[Command], Command]:
    """The option for more files, of these kinds."""
    return _option("--save", metavar="KIND[,KIND]", callback=_checked(partial(_kinds, kinds)), default="",
                   help=f"Also write {', '.join(kinds)}, or all.")  # fmt: skip


MODEL = (
    _option("-k", "--components", "k", type=str, metavar="K", callback=_checked(_components), default=DEFAULT.k,
            help="Number of components (regions); or a range to choose from, as 2:9; "
                 f"auto: {AUTO[0]}:{AUTO[1]}."),
    _option("--features", metavar="SPEC", callback=_checked(_features), default=DEFAULT.features,
            help=f"What pixels are compared by: {', '.join(FEATURES)}; comma-separated, each with an optional weight, "
                 "as lab,xy:0.5. auto: lab for colour, else gray or bands; texture where only that tells parts apart."),
    _option("--family", type=click.Choice(list(FAMILIES)), default=DEFAULT.family,
            help="Kind of components: " + "; ".join(f"{one.name}: {one.summary}" for one in FAMILIES.values()) + "."),
    _option("--covariance", type=click.Choice(list(COVARIANCES)), default=DEFAULT.covariance,
            help="Shape of the components."),
    _option("--dof", metavar="X", callback=_checked(_dof), default=DEFAULT.dof,
            help="Degrees of freedom of --family student, few for heavy tails: each component its own, one common to "
                 "all, or a number."),
    _option("--noise", is_flag=True,
            help="Add a component of uniform density, for outliers; its label is K + 1."),
    _option("--censored", metavar="LO,HI", callback=_checked(_limits), default="",
            help="Stored values of LO and less or HI and more are bounds, as 0 and 255 of badly exposed pixels; "
                 "either may be left out. Features are the stored channels, for Gaussians."),
    _option("--truncated", metavar="LO,HI", callback=_checked(_limits), default="",
            help="Pixels with stored values below LO or above HI were never recorded."),
    _option("--floor", type=click.FloatRange(0, 1, max_open=True), metavar="X", callback=_checked(_finite),
            default=DEFAULT.floor, help="Smallest variance of a component, relative to that of the whole image."),
    mask_option(),
    missing_option(),
)  # fmt: skip
METHOD = (
    _option("--criterion", type=click.Choice(CRITERIA), default=DEFAULT.criterion,
            help="What chooses the number of components from a range."),
    _option("--algorithm", type=click.Choice(list(ALGORITHMS)), default=DEFAULT.algorithm,
            help="Variant of EM that does the fit."),
    _option("--base", metavar="NAME", callback=_checked(_base), default="",
            help="What an accelerator accelerates: any algorithm that iterates one map. Classic EM unless given."),
    _option("--option", metavar="NAME=VALUE", multiple=True, callback=_checked(_settings),
            help="A setting of the algorithm; may be repeated."),
    _option("--init", metavar="|".join((*INITS, "FILE")), callback=_checked(_init), default=DEFAULT.init,
            help="Where the fit starts; FILE is a saved model or a label map."),
    _option("--restarts", type=click.IntRange(0), metavar="N", default=DEFAULT.restarts,
            help="Starts of which the best is followed; 0: as many as make sense."),
)  # fmt: skip
FIELD = (
    _option("--mrf", type=click.Choice(FIELDS), default=DEFAULT.mrf,
            help="Make the labels of neighbours agree, by a Markov random field fitted together with the mixture."),
    _option("--beta", metavar="X", callback=_checked(_beta), default=DEFAULT.beta,
            help="Strength of the field; auto: estimated from the image."),
    _option("--neighbours", type=click.Choice(NEIGHBOURS), default=DEFAULT.neighbours,
            help="Neighbours of a pixel in the field; auto: those that share a side."),
    _option("--contrast", is_flag=True, help="Loosen the field between neighbours that differ much."),
    _option("--scribbles", metavar="FILE", callback=_checked(_file), default=DEFAULT.scribbles,
            help="Label map of the image's size: pixels that are not 0 keep their label, and classes start from them."),
    _option("--prior-map", metavar="FILE", callback=_checked(_file), default=DEFAULT.prior_map,
            help="TIFF with a page for each class, or a NumPy file: how probable it is at each pixel beforehand."),
    _option("--bias-field", is_flag=True,
            help="Estimate uneven illumination (vignetting, inhomogeneity), and take it out first."),
    _option("--partial-volume", is_flag=True,
            help="Let pixels mix a class and the next brighter one; labels are what they hold most of."),
    _option("--regions", type=str, metavar="N", callback=_checked(_regions), default=DEFAULT.regions,
            help="Also find connected regions of at least N pixels, and write a map and a table of them; 0: do not; "
                 "auto: of a size that the image suggests, merged while that shortens its description."),
    _option("--merge", type=str, metavar="X", callback=_checked(_merge), default=DEFAULT.merge,
            help="How readily adjacent regions that look alike become one; 0: only small ones join others; auto: as "
                 "far as that shortens the description of the image."),
)  # fmt: skip
COMPARED = (
    _option("--algorithms", metavar="NAME[,NAME]", callback=_checked(_algorithms), default="",
            help=f"Which variants of EM to compare: {', '.join(ALGORITHMS)}. All of them unless given."),
    _option("--start", type=click.Choice(STARTS), default=STARTS[0], help="Where all of them start."),
)  # fmt: skip
RUN = (
    _option("--seed", type=click.IntRange(0), metavar="N", default=DEFAULT.seed, help="Same seed, same result."),
    _option("--tol", type=click.FloatRange(0), metavar="X", callback=_checked(_finite), default=DEFAULT.tol,
            help="Stop when the log-likelihood per pixel is estimated to be within X nats of its limit."),
    _option("--max-iter", type=click.IntRange(1), metavar="N", default=DEFAULT.max_iter,
            help="Stop after N iterations at the latest."),
)  # fmt: skip
OUT = (
    _option("-o", "--output", metavar="DIR", callback=_checked(_folder), default=".",
            help="Folder for the results; made if need be."),
    _option("--overwrite", is_flag=True, help="Replace files that emseg did not write."),
)  # fmt: skip
SAVE = (save_option(saveable()),)
_JSON = _option("--json", "as_json", is_flag=True, help="Print the report as JSON, a line per input.")
_QUIET = _option("-q", "--quiet", is_flag=True, help="Print errors only.")
_VERBOSE = _option("-v", "--verbose", is_flag=True, help="Show every iteration.")
_DEBUG = _option("--debug", is_flag=True, help="Show tracebacks.")
TALK = (_JSON, _QUIET, _VERBOSE, _DEBUG)
STILL = (_JSON, _QUIET, _DEBUG)  # where there are no iterations to show
FIT = (*MODEL, *METHOD, *FIELD, *RUN)
FILES = (*OUT, *SAVE)


def options(*groups: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    """Decorate a command with groups of options, in the order the help shows them."""

    def decorate(command: Command) -> Command:
        for option in reversed([option for group in groups for option in group]):
            command = option(command)
        return command

    return decorate
