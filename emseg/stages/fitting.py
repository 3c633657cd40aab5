"""The problem that features pose, the fit, and what is left of its components."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Algorithm
from emseg.em.convergence import Stop
from emseg.em.fit import Fit, Row, fit
from emseg.em.problem import Problem
from emseg.em.starts.tournament import FEW, RARE
from emseg.errors import DataError, option
from emseg.execution import steps
from emseg.features.grain import STEPLESS
from emseg.features.model import Features
from emseg.mixture.families.registry import family_of
from emseg.mixture.family import Family
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.records import replace

if TYPE_CHECKING:
    from emseg.stages.inputs.value_limits import ValueLimits

#: Expected number of pixels below which a component counts as empty: variational Bayes leaves some with far less than
#: one pixel, while a component that a single pixel belongs to has one.
LEAST_PIXELS = 0.1
#: Floor beside a grain, where a component that becomes empty would have no scatter; it changes no other one.
SAFE = 1e-9


def component_family(
    features: Features,
    *,
    family: str,
    covariance: str,
    dof: float | str,
    limits: ValueLimits | None,
    partial_volume: bool,
    noise: bool,
) -> Family:
    """The family of the components, with what options add to it.

    Parameters
    ----------
    features : Features
    family, covariance, dof
        See `emseg.mixture.families.registry.family_of`.
    limits : ValueLimits, optional
        Limits of the stored values, which censor or truncate the densities.
    partial_volume : bool
        Whether pixels may mix a class and the next brighter one.
    noise : bool
        Whether a component of uniform density stands for outliers.
    """
    found = family_of(family, covariance, dof)
    if limits:
        from emseg.stages.inputs.value_limits import bounded

        found = bounded(found, features, limits)
    if partial_volume:
        from emseg.mixture.families.gaussian import GaussianFamily
        from emseg.mixture.families.partial_volume import PartialVolumeFamily

        found = PartialVolumeFamily(GaussianFamily(found.normal_model(option("partial_volume"))))
    if noise:
        from emseg.mixture.families.outliers import with_outliers

        flat = np.nanmin(features.x, axis=1) >= np.nanmax(features.x, axis=1)
        if flat.any():
            named = features.names[int(flat.argmax())]
            remedy = f"leave out {named}, or {option('noise', True)}"
            raise DataError(f"{named} is the same everywhere, and so leaves outliers no room; {remedy}")
        found = with_outliers(found, features.x)
    return found


def fitting_problem(features: Features, family: Family, floor: float | str) -> Problem:
    """The problem of fitting a family's mixture to features, with ℓ in the features' own units.

    Parameters
    ----------
    features : Features
    family : Family
    floor : float or "auto"
        Smallest variance of a component, relative to that of the image; auto is what rounding of the stored values
        leaves.
    """
    unit = features.unit if family.location_scale else 1.0
    rows = Rows(features.x, features.weight)
    if isinstance(floor, str) and features.grain is None:
        floor = STEPLESS  # of values that nothing is known of
    problem = Problem(rows, family, 0.0 if isinstance(floor, str) else floor, features.log_jacobian, unit)
    if not isinstance(floor, str) or features.grain is None:
        return problem
    if family.location_scale:
        return replace(problem, grain=features.grain)
    means = np.nansum(features.x * features.weight, axis=1) / (~np.isnan(features.x) @ features.weight)
    return replace(problem, floor=SAFE, grain=family.own_grain(features.grain, means))


def fit_mixture(
    algorithm: Algorithm[Problem, Mixture, Any],
    problem: Problem,
    start: Mixture,
    rng: np.random.Generator,
    *,
    tol: float,
    max_iter: int,
    name: str,
    on_iteration: Callable[[Row], object] | None = None,
) -> Fit[Mixture]:
    """Fit a mixture; `name` is what messages call the data.

    Raises
    ------
    DataError
        If a component of the start has no extent.
    """
    steps.step("fitting")
    fitted = fit(algorithm, problem, start, Stop(tol, max_iter), rng, on_iteration)
    if not fitted.trace:
        raise without_extent(name)
    return fitted


def without_extent(name: str) -> DataError:
    """The error of a start with a component that has no density."""
    remedy = f"give a {option('floor')} above 0"
    return DataError(f"{name}: the start has a component without extent; {remedy}")


def fewer_classes(asked: int, counts: NDArray[np.int_]) -> tuple[str, ...]:
    """A line if fewer classes have pixels (K,) than were asked for."""
    found = int(np.count_nonzero(counts))
    if found >= asked:
        return ()
    if found == 0:
        remedy = f"leave out {option('noise', True)}"
        return (f"{option('k', asked)}: no class has a pixel, all of them are noise; {remedy}",)
    have = "class has" if found == 1 else "classes have"
    left = "no pixel is left" if found + 1 == asked else "no pixels are left"
    return (f"{option('k', asked)}: {found} {have} pixels; {left} for the rest, use {option('k', found)}",)


def small_classes(counts: NDArray[np.int_]) -> tuple[str, ...]:
    """A line if classes with next to no pixels (K,) may be hot pixels rather than parts of the image."""
    small = np.flatnonzero((counts > 0) & (counts < FEW) & (counts < RARE * counts.sum()))
    if not small.size:
        return ()
    names, most = ", ".join(map(str, small + 1)), int(counts[small].max())
    if small.size == 1:
        have = f"class {names} has {most} pixel{'s' * (most > 1)}"
    else:
        have = f"classes {names} have {'1 pixel each' if most == 1 else f'{most} pixels at most'}"
    fewer = int(np.count_nonzero(counts)) - small.size
    return (f"{have}; {option('k', fewer)} has no class for such",) if fewer else ()


def surviving(fitted: Fit[Mixture]) -> Mixture:
    """The fitted mixture in canonical order, without the components that the fit has emptied.

    A component counts as empty if it is expected to hold less than `LEAST_PIXELS`. Noise is never left out, nor is the
    largest class.
    """
    mixture = fitted.mixture
    kept = fitted.counts >= LEAST_PIXELS
    kept[int(fitted.counts[: mixture.n_classes].argmax())] = True  # where all pixels are noise
    kept[mixture.n_classes :] = True
    if not kept.all():
        rest = mixture[np.flatnonzero(kept)]
        mixture = replace(rest, weights=rest.weights / rest.weights.sum()).tied()
    return mixture.permuted(mixture.canonical_order())
