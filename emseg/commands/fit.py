"""`fit`: a table of samples → a mixture. No files, no printing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import ArrayLike

from emseg.commands.results.model import Model
from emseg.commands.shared_steps import bounds_of, limits_given, problem_to_fit
from emseg.em.fit import Row
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.errors import DataError, UsageError, for_python, option
from emseg.features.model import Features
from emseg.features.reduce import reduced
from emseg.image.arrays.array_like import as_given
from emseg.image.model import Image
from emseg.mixture.assign import assign
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import family_of
from emseg.options import checked
from emseg.options.checked import recorded
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.effects import without_effect
from emseg.options.kinds.in_memory import InMemory, is_model
from emseg.stages.fitting import fit_mixture, surviving
from emseg.stages.inputs.checks import check_samples
from emseg.stages.inputs.data_table import Table, as_table, table_features
from emseg.stages.inputs.maps.pixel_weights import weights_in_memory
from emseg.stages.inputs.measurement import dependencies
from emseg.stages.report import NO_FIELD, segmentation_report
from emseg.stages.start import Start, searched_start
from emseg.stages.stopwatch import Stopwatch
from emseg.stages.units import in_own_units

if TYPE_CHECKING:
    from emseg.options.keywords import FitKeywords

#: Rows for each of the D + 1 numbers that locate and weigh a component, which `k="auto"` asks for. Chosen by hand.
SUPPORT = 3


def fit(
    table: ArrayLike | Any,
    k: int | str = "auto",
    *,
    sample_weight: ArrayLike | None = None,
    on_iteration: Callable[[Row], object] | None = None,
    **options: Unpack[FitKeywords],
) -> Model:
    """Fit a mixture to the rows of a table.

    Parameters
    ----------
    table : array-like of shape (N, D), or DataFrame
        A row a sample, a column a feature. NaN and whatever a data frame calls missing are missing values: each row
        counts by what is known of it.
    k : int or str
        Number of components, or a range to choose from: ``"1:5"``; ``"auto"`` is 1 to 9, fewer for few rows.
    sample_weight : array-like of shape (N,), optional
        How often each row counts: 2 is as if it stood there twice. The weights need not be whole.
    on_iteration : callable, optional
        Receives every row of the log as it is made.
    **options
        Further options; `help(emseg.fit)` and the page `options` of the guide list them.

    Returns
    -------
    Model
        With `predict`, `predict_proba`, `score` and `sample`; its `report` has likelihoods, `bic` and warnings.

    Raises
    ------
    UsageError
        If an option makes no sense.
    DataError
        If the table has no rows or columns, holds infinite values or no numbers, or a column is unknown or the same
        everywhere.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> rng = np.random.default_rng(0)
    >>> table = np.concatenate([rng.normal(0, 1, (50, 2)), rng.normal(9, 1, (50, 2))])
    >>> model = emseg.fit(table)
    >>> model.k
    2
    >>> model.predict([[0, 1], [8, 9]]).tolist()
    [1, 2]
    """
    settings = checked.segmentation("fit", k=k, **options)
    variant = algorithm(settings.algorithm, settings.base, settings.option)
    rng, watch = np.random.default_rng(settings.seed), Stopwatch()
    data = as_table(table)
    features = _features(data, sample_weight, settings)
    photo = Image(data.values[:, None, :], "bands", name="table")
    _require_suitable(data, photo, features, settings)
    watch.lap("features")
    problem = problem_to_fit(features, settings)
    start = _start(photo, features, problem, settings, rng)
    watch.lap("start")
    fitted = fit_mixture(
        variant,
        problem,
        start.mixture,
        rng,
        tol=settings.tol,
        max_iter=settings.max_iter,
        name="table",
        on_iteration=on_iteration,
    )
    watch.lap("fit")
    mixture = surviving(fitted)
    labels, log_posterior = assign(mixture, features.x, features.weight)
    counts = np.bincount(labels, features.weight, mixture.k + 1)[1:].round().astype(int)
    own = in_own_units(mixture, features)
    report = segmentation_report(
        photo,
        features,
        own,
        fitted,
        start,
        log_likelihood=fitted.trace[-1].log_likelihood,
        log_posterior=log_posterior,
        counts=counts,
        bounds=bounds_of(features, settings),
        bias_field=None,
        n_parameters=mixture.n_parameters,
        mrf=NO_FIELD,
        options=recorded("fit", settings),
        warnings=[for_python(line) for line in without_effect("fit", settings)],
        seconds=watch.seconds,
    )
    pivots = None if features.span is None else tuple(features.pivots.tolist())
    return Model("bands", own, data.columns if data.frame is not None else (), report, pivots=pivots)


def _features(data: Table, sample_weight: Any, settings: SegmentOptions) -> Features:
    n = len(data.values)
    weight = None if sample_weight is None else weights_in_memory(sample_weight, (n,), f"{n} rows")
    standard = family_of(settings.family).location_scale
    by_column = COVARIANCES[settings.covariance].knows_no_units
    found = replace(table_features(data, weight, by_column=by_column, standard=standard), lattice=False)
    stored = bool(settings.censored or settings.truncated)
    return reduced(found, dependencies(found, settings.covariance, standard, stored), standard)


def _require_suitable(table: Table, photo: Image, features: Features, settings: SegmentOptions) -> None:
    """Hold the table against the number of components, the family's support, and what needs whole rows."""
    for name in ("partial_volume", "truncated"):
        if getattr(settings, name) and np.isnan(features.x).any():
            given = option(name, getattr(settings, name))
            raise UsageError(f"{given}: does not go with missing values; leave out the rows that lack some")
    support = family_of(settings.family).support
    bad = support.outside(features.x).any(1)
    if bad.any():
        where = f"{support.outside_is} in some rows, where {settings.family} has no density"
        remedy = f"leave them out, or use another {option('family')}"
        raise DataError(f"table: {table.called(int(bad.argmax()))} is {where}; {remedy}")
    limits = limits_given(settings)
    if limits:
        from emseg.stages.inputs.value_limits import require_stored_values

        require_stored_values(photo, features, limits, settings.covariance, table)
    check_samples(photo, features, 1 if settings.k == "auto" else settings.k_range[1])


def _given_start(init: str, photo: Image) -> Any:
    """A model, or the label of each row: an array, or a file."""
    from emseg.output.store.model_file import read_model
    from emseg.stages.inputs.given_files import start_in_memory

    if not isinstance(init, InMemory):
        return read_model(init)
    value = init.value
    if is_model(value):
        return start_in_memory(value, photo)
    labels = as_given(value, "init").array
    if labels.size != len(photo.pixels):
        raise DataError(f"init: has the shape {labels.shape}; give a label for each of {len(photo.pixels)} rows")
    if not labels.any():
        raise DataError("init: holds no label above 0; give the class of each row, from 1")
    return start_in_memory(labels.reshape(-1, 1), photo)


def _start(
    photo: Image, features: Features, problem: Problem, settings: SegmentOptions, rng: np.random.Generator
) -> Start:
    unmixed = replace(problem, family=problem.family.start_family)
    if isinstance(settings.init, InMemory) or not settings.searches:
        from emseg.stages.given_start import given_start

        given = _given_start(settings.init, photo)
        found = Start(given_start(given, settings.init, settings.k_range[0], "table", features, unmixed))
        return found._replace(mixture=found.mixture.as_start_of(problem.family))
    found = searched_start(
        unmixed,
        rng,
        k=settings.k,
        most=most_components(settings.k, features),
        criterion=settings.criterion,
        init=settings.init,
        restarts=settings.restarts,
    )
    return found._replace(mixture=found.mixture.as_start_of(problem.family))


def most_components(k: int | str, features: Features) -> int:
    """Largest number of components of a range: of ``"auto"``, so many that `SUPPORT` rows are there for each mean."""
    high = SegmentOptions(k=k).k_range[1]
    distinct = features.n_distinct(high)
    return max(1, min(distinct, features.x.shape[1] // (SUPPORT * (len(features.x) + 1)))) if k == "auto" else distinct
