"""When each option has an effect: a table of all of them, and a line for each that was given where it has none.

A test holds the table equal to the declarations, so a new option must say here when it has an effect. What `TOLD` says
is told by `without_effect`, or by the stage that finds that the image has nothing for the option to work on.
Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from emseg.em.registry import ALGORITHMS
from emseg.errors import option
from emseg.features.specification import parse_spec
from emseg.options.declaration import options_in
from emseg.options.declarations.running import RunOptions
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.output.store.names import STDIO
from emseg.records import NamedRecord

if TYPE_CHECKING:
    from emseg.options.declarations.restoration import DenoiseOptions, InpaintOptions

    Options = SegmentOptions | DenoiseOptions | InpaintOptions | RunOptions

#: On every image, or on every image that has what the option is about: noise, outliers, missing values, several pages.
ALWAYS = "always"
#: Not in every combination; where not, a line says so.
TOLD = "told"
#: Not in every combination; where not, it is refused.
REFUSED = "refused"
#: It allows, or sets a limit. It is meant for many runs, and most of them need not come near it.
LIMIT = "limit"
EFFECT = {
    # Model
    "k": ALWAYS, "criterion": TOLD, "features": ALWAYS, "family": ALWAYS, "covariance": TOLD, "dof": REFUSED,
    "noise": ALWAYS, "floor": TOLD, "level": ALWAYS,
    # Noise and missing pixels, of the commands that restore
    "sigma": ALWAYS, "method": TOLD, "fast": TOLD, "gain": REFUSED,
    "mask_dir": ALWAYS, "mask_value": REFUSED, "uncertainty": ALWAYS,
    # Pixels
    "mask": ALWAYS, "mask_above": TOLD, "grow": TOLD, "missing": ALWAYS, "nodata": ALWAYS, "censored": ALWAYS,
    "truncated": ALWAYS, "denoise": ALWAYS, "bias_field": ALWAYS, "partial_volume": ALWAYS, "ignore": TOLD,
    "stray": ALWAYS,
    # Comparison and fit
    "algorithms": ALWAYS, "start": ALWAYS, "algorithm": ALWAYS, "base": REFUSED, "option": REFUSED, "init": TOLD,
    "restarts": TOLD, "seed": TOLD, "tol": TOLD, "max_iter": ALWAYS, "compress": ALWAYS,
    # Field and regions
    "mrf": TOLD, "beta": TOLD, "neighbours": TOLD, "contrast": TOLD, "scribbles": ALWAYS, "box": ALWAYS,
    "prior_map": ALWAYS,
    "regions": ALWAYS, "merge": TOLD, "foreground": ALWAYS, "split": ALWAYS, "neck": TOLD,
    # Results and inputs
    "save": REFUSED, "output": ALWAYS, "overwrite": LIMIT, "no_timings": ALWAYS, "name": TOLD,
    "channels": ALWAYS, "max_pixels": LIMIT, "max_memory": LIMIT, "recursive": LIMIT, "files_from": ALWAYS,
    "null": REFUSED, "stack": TOLD, "page": ALWAYS, "axes": ALWAYS,
    "truncated_ok": LIMIT,
    # Many inputs, work and messages
    "jobs": TOLD, "resume": LIMIT, "shard": ALWAYS, "dry_run": ALWAYS, "workers": LIMIT, "as_json": ALWAYS,
    "quiet": ALWAYS, "verbose": ALWAYS, "debug": LIMIT,
}  # fmt: skip
#: Covariance models that are that of `full` where there is one feature: each class has a variance of its own.
OWN_VARIANCE = ("diag", "spherical", "VII", "VVI", "VEI", "VEE", "VVE", "VEV", "VVV")


class Idle(NamedRecord):
    """An option, whether it has no effect, why, and what would give it one."""

    name: str
    idle: bool
    why: str
    remedy: str


def without_effect(command: str, o: Options) -> tuple[str, ...]:
    """A line for each option that was given and does nothing without another one, with the remedy."""
    default = {entry.name: entry.default_of(command) for entry in options_in(type(o)) if command in entry.commands}
    found: dict[str, str] = {}
    for name, idle, why, remedy in idle_options(o):
        if idle and name in default and getattr(o, name) != default[name] and name not in found:
            found[name] = f"{option(name, getattr(o, name))} does nothing {why}; {remedy}, or leave it out"
    return tuple(found.values())


def idle_options(o: Options) -> Iterator[Idle]:
    """Every option that may have no effect in some combination, and whether it has none in this one."""
    if isinstance(o, SegmentOptions):
        yield from _in_segmentation(o)
    elif isinstance(o, RunOptions):
        yield from _in_running(o)
    else:
        from emseg.options.declarations.restoration import DenoiseOptions  # segmentations do without

        yield from _in_denoising(o) if isinstance(o, DenoiseOptions) else _in_inpainting(o)


def _in_segmentation(o: SegmentOptions) -> Iterator[Idle]:
    low, high = o.k_range
    range_of_k = f"give a range, as {option('k', '2:9')}"
    yield Idle("criterion", low == high, "where the number of components is given", range_of_k)
    one = list(parse_spec(o.features)) == ["gray"]
    yield Idle(
        "covariance",
        one and o.covariance in OWN_VARIANCE,
        f"with one feature, {option('features', o.features)}",
        "name more features",
    )
    yield Idle("floor", o.family == "poisson", f"with {option('family', o.family)}", "use another family")

    # Starts: a single class has no start to look for.
    single, given_file = (low, high) == (1, 1), f"use {option('init', 'auto')}"
    more = f"use a larger {option('k')}"
    yield Idle("init", single and o.searches, "with one class", more)
    yield Idle("restarts", single, "with one class", more)
    yield Idle("restarts", not o.searches, "where a file gives the start", given_file)
    draws = ALGORITHMS[o.algorithm].draws or o.field != "none" or o.bias_field
    yield Idle("seed", not (o.searches or draws), "where a file gives the start and nothing is drawn", given_file)
    yield Idle("seed", single and not (draws or o.noise), "with one class", more)
    scheduled = ALGORITHMS[o.algorithm].scheduled
    yield Idle(
        "tol",
        scheduled,
        f"with {option('algorithm', o.algorithm)}, which ends by a schedule",
        f"use another {option('algorithm')}",
    )

    # The field
    alone = single and not o.noise
    yield Idle("mrf", alone, "with one class", more)
    yield Idle(
        "contrast",
        o.field == "marked",
        f"with {option('mrf', 'marked')}, whose cuts always follow edges",
        f"use {option('mrf', 'graph-cut')}",
    )
    for name in ("beta", "neighbours", "contrast"):
        yield Idle(name, o.field == "none", f"without {option('mrf')}", f"add {option('mrf', 'auto')}")
        yield Idle(name, alone, "with one class", more)
    for name in ("neighbours", "contrast"):
        yield Idle(name, o.beta == 0, f"with {option('beta', 0)}", f"use a larger {option('beta')}")

    # Regions
    yield Idle("merge", not o.finds_regions, f"without {option('regions')}", f"add {option('regions', 'auto')}")
    yield Idle("merge", o.split, f"with {option('split', True)}", f"leave out {option('split', True)}")
    yield Idle(
        "merge",
        o.objects != "all" and not o.split,
        f"with {option('foreground', o.foreground)}",
        f"use {option('foreground', 'all')}",
    )
    yield Idle("neck", not o.split, f"without {option('split')}", f"add {option('split', True)}")


def _in_denoising(o: DenoiseOptions) -> Iterator[Idle]:
    nothing = o.sigma == 0 and o.noise == "gaussian"
    for name in ("method", "fast"):
        yield Idle(
            name, nothing, f"with {option('sigma', 0)}, where there is no noise", f"use {option('sigma', 'auto')}"
        )


def _in_inpainting(o: InpaintOptions) -> Iterator[Idle]:
    yield Idle("seed", not o.uncertainty, f"without {option('uncertainty')}", f"add {option('uncertainty', True)}")


def _in_running(o: RunOptions) -> Iterator[Idle]:
    yield Idle("name", o.output == STDIO, f"with {option('output', STDIO)}", "name a folder")
    yield Idle("jobs", o.dry_run, f"with {option('dry_run', True)}", f"run without {option('dry_run', True)}")
