"""Which options do not go together: answered before any work.

What depends on the pixels, too, is answered by the stages, before the fit. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from emseg.em.registry import without_mixed
from emseg.errors import UsageError, option, shown
from emseg.features.specification import parse_spec
from emseg.mixture.covariance.registry import conjugate_models
from emseg.mixture.families.registry import families_running, families_with
from emseg.options.choices import INITS
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.kinds.limits_text import limits
from emseg.options.kinds.text_kinds import groups_named

if TYPE_CHECKING:
    from emseg.options.declarations.restoration import DenoiseOptions

#: A condition that is not allowed, and what to say then.
Refusal = tuple[bool, str]
DEFAULT = SegmentOptions()
#: Features that are the stored values themselves, which limits are of.
STORED = ("auto", "gray", "rgb", "bands")


def require(refusals: Iterable[Refusal]) -> None:
    """Raise UsageError with the message of the first condition that is met."""
    for broken, message in refusals:
        if broken:
            raise UsageError(message)


def segmentation_refusals(command: str, o: SegmentOptions) -> Iterator[Refusal]:
    """Combinations of options that `segment`, `compare` and `impute` refuse."""
    k, family, algorithm = option("k", o.k), option("family", o.family), option("algorithm", o.algorithm)
    noise, missing = option("noise", True), option("missing", o.missing)
    several, one_of = isinstance(o.k, str), "leave one of them out"

    yield command == "compare" and several, f"{k}: compare takes one number of components, as {option('k', 4)}"
    yield (
        command == "impute" and not o.searches,
        f"{option('init', shown(o.init))}: impute takes no file; use one of {', '.join(INITS)}",
    )

    # Families: `families_with` tells which have what.
    for name, lacked in (
        ("dof", "has no degrees of freedom"),
        ("covariance", "has no covariances"),
        ("censored", "knows no bounds"),
        ("truncated", "knows no bounds"),
        ("partial_volume", "has no mixed classes"),
    ):
        able, value = families_with(name), getattr(o, name)
        yield (
            o.family not in able and value != getattr(DEFAULT, name),
            f"{option(name, value)}: {o.family} {lacked}; {_use('family', able)}",
        )
    able = families_with("level")
    yield (
        command == "impute" and o.family not in able,
        f"{family}: has no quantiles, which impute needs; {_use('family', able)}",
    )
    yield (
        o.family not in families_with("covariance") and any(weight != 1 for weight in parse_spec(o.features).values()),
        f"{option('features', o.features)}: weights do nothing with {family}; leave them out",
    )

    # Limits
    limited = option("censored", o.censored) if o.censored else option("truncated", o.truncated)
    bounded, inner, outer = bool(o.censored or o.truncated), _limits(o.censored), _limits(o.truncated)
    yield bounded and o.noise, f"{limited}: does not go with {noise}; {one_of}"
    yield (
        bounded and o.features.partition(":")[0] not in STORED,
        f"{limited}: limits of stored values mean nothing to {o.features}; use {option('features', 'auto')}",
    )
    yield (
        bounded and not all(_within(*ends) for ends in ((outer[0], inner[0]), (-outer[1], -inner[1]))),
        f"{limited}: must lie within {option('truncated', o.truncated)}, or its bounds are never met",
    )

    # Starts and fields
    yield (
        not o.searches and several,
        f"{option('init', shown(o.init))}: sets the number of components; give it, not {k}",
    )
    for name in ("scribbles", "box", "prior_map"):
        path = getattr(o, name)
        yield bool(path) and several, f"{option(name, shown(path))}: give one number of components, not {k}"
        yield (
            bool(path) and o.noise,
            f"{noise}: does not go with {option(name)}, which says nothing of noise; {one_of}",
        )
        yield bool(path and o.truncated), f"{option(name)}: does not go with {option('truncated')}; {one_of}"
    yield from _marked_refusals(o)
    yield (
        o.field != "none" and bool(o.truncated),
        f"{option('mrf', o.field)}: does not go with {option('truncated')}; {one_of}",
    )

    # Regions
    named = max((label for group in groups_named(o.foreground) for label in group), default=0)
    yield (
        command == "segment" and named > o.k_range[1] + o.noise,
        f"{option('foreground', o.foreground)}: there is no class {named} with {k}; name others",
    )

    # Mixed pixels
    for other, refused in (
        (k, several or o.k == 1),
        (noise, o.noise),
        (option("censored"), bool(o.censored)),
        (option("truncated"), bool(o.truncated)),
        (missing, o.missing != "drop"),
        (option("scribbles"), bool(o.scribbles)),
        (option("prior_map"), bool(o.prior_map)),
        (algorithm, o.algorithm in without_mixed()),
        (option("base", o.base), o.base in without_mixed()),
    ):
        yield o.partial_volume and refused, f"{option('partial_volume', True)}: does not go with {other}; {one_of}"

    # Algorithms and criteria
    if command != "compare":
        yield from _algorithm_refusals(o)


def _marked_refusals(o: SegmentOptions) -> Iterator[Refusal]:
    """What marks of objects do not go with."""
    cuts = option("mrf", "marked")
    yield (
        o.mrf == "marked" and not o.marked,
        f"{cuts}: nothing is marked; give {option('scribbles')} or {option('box')}",
    )
    yield (
        bool(o.box) and o.field != "marked",
        f"{option('box', o.box)}: goes with {cuts} alone; leave out {option('mrf')}",
    )
    yield (
        o.field == "marked" and o.family != "gaussian",
        f"{cuts}: classes are of several Gaussians; leave out {option('family', o.family)}",
    )
    for name in ("censored", "partial_volume", "noise"):
        yield (
            o.field == "marked" and bool(getattr(o, name)),
            f"{cuts}: does not go with {option(name)}; leave one of them out",
        )


def _algorithm_refusals(o: SegmentOptions) -> Iterator[Refusal]:
    used, bounded, several = {o.algorithm, o.base}, bool(o.censored or o.truncated), isinstance(o.k, str)
    for name, met in (("algorithm", "vb" in used), ("criterion", several and o.criterion == "elbo")):
        variational = f"{option(name, 'vb' if name == 'algorithm' else 'elbo')}: variational Bayes"
        yield met and o.noise, f"{variational} has no noise component; leave out {option('noise', True)}"
        yield (
            met and bounded,
            f"{variational} knows no bounds; leave out {option('censored')} and {option('truncated')}",
        )
        yield (
            met and o.family not in families_running("vb"),
            f"{variational} has no conjugate prior for {o.family}; use {option('family', 'gaussian')}",
        )
        yield (
            met and o.covariance not in conjugate_models(),
            f"{variational} has no conjugate prior for {o.covariance}; use one of {', '.join(conjugate_models())} for "
            f"{option('covariance')}",
        )
    yield (
        several and o.criterion == "mml" and o.noise,
        f"{option('criterion', 'mml')}: annihilates components, noise too; leave out {option('noise', True)}, or use "
        f"{option('criterion', 'icl')}",
    )
    yield (
        "ecm" in used and o.family not in families_running("ecm"),
        f"{option('algorithm', 'ecm')}: {o.family} has one part to maximise; use {option('algorithm', 'em')}",
    )
    yield (
        "px" in used and (o.family not in families_running("px") or o.noise),
        f"{option('algorithm', 'px')}: {o.family}{' with noise' * o.noise} has no scale to expand; use "
        f"{option('family', 'student')}{' without noise' * o.noise}",
    )


def _use(name: str, values: tuple[str, ...]) -> str:
    """The remedy that sets an option to one of some values."""
    *most, last = values
    return f"use {option(name)} {', '.join(most)} or {last}" if most else f"use {option(name, last)}"


def denoising_refusals(o: DenoiseOptions) -> Iterator[Refusal]:
    """Combinations of options that `denoise` refuses."""
    yield (
        o.gain != "auto" and o.noise != "poisson",
        f"{option('gain', o.gain)}: is the value of a photon; it goes with {option('noise', 'poisson')}",
    )


def _limits(text: str) -> tuple[float, float]:
    return limits(text) if text else (-float("inf"), float("inf"))


def _within(outer: float, inner: float) -> bool:
    """Whether a lower limit, if there is one, lies above that of a wider interval."""
    return outer < inner or inner == -float("inf")
