"""`impute`: tables or images with missing values → what these values may have been. No files, no printing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Status
from emseg.em.fit import Fit
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.errors import DataError, UsageError, for_python, option
from emseg.image.arrays.array_like import as_given
from emseg.image.arrays.from_memory import image_of
from emseg.image.limits import Fourth, Reading
from emseg.mixture.conditional.missing_patterns import grouped
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.options import checked
from emseg.options.declarations.reading import ReadingOptions
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.effects import without_effect
from emseg.options.kinds.text_kinds import k_range
from emseg.records import record
from emseg.stages.fitting import fit_mixture
from emseg.stages.inputs.data_table import Table, as_table, has_axes, is_frame
from emseg.stages.inputs.input_image import ImageLike, MaskLike, image_and_mask
from emseg.stages.start import Start, searched_start

if TYPE_CHECKING:
    from emseg.options.keywords import ImputeKeywords

Array = NDArray[np.float64]
BLOCK = 16384  # rows at a time, so that the conditional moments of all components fit the cache
#: Rows for each of the D + 1 numbers that locate and weigh a component, which `k="auto"` asks for. Chosen by hand.
SUPPORT = 3
LEAST = 1e-4  # floor that "auto" is: what a component knows of a few rows must not count as certain


@record(frozen=True, eq=False)
class Imputation:
    """What a mixture says of the missing values of a table or an image.

    Of a data frame, the first five are data frames with its index and columns.

    Attributes
    ----------
    completed : ndarray, the shape of the data
        The data. A missing value is its conditional mean, given the rest of its row or pixel.
    deviation : ndarray, the same shape
        Conditional standard deviations; 0 where the data are known.
    low, high : ndarray, the same shape
        Ends of the interval that holds a missing value with probability `level`; equal probability lies beyond either
        end. Where the data are known, both are the value itself.
    missing : ndarray of bool, the same shape
        Where values are missing.
    level : float
    mixture : Mixture or None
        The fit, in the units of the data, components in canonical order: of the columns that vary. None if none does.
    log_likelihood : float
        Of what was observed, in natural logarithms.
    status : Status
        Why the fit ended.
    selection : dict or None
        How the number of components was chosen from a range.
    varying : ndarray of int
        The columns that vary, from 0. What is missing in the others is the value that they have everywhere else.
    warnings : tuple of str
        What you should know of how the data were taken, a line each.

    The intervals hold for values missing at random, and take the fitted parameters as the true ones.
    """

    completed: Any
    deviation: Any
    low: Any
    high: Any
    missing: Any
    level: float
    mixture: Mixture | None
    log_likelihood: float
    status: Status
    selection: dict[str, Any] | None
    varying: NDArray[np.intp]
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from emseg.output.tables.python_texts import imputation_text  # for people

        return imputation_text(self)


def impute(
    data: ImageLike,
    k: int | str = "auto",
    *,
    level: float = 0.9,
    mask: MaskLike | None = None,
    **options: Unpack[ImputeKeywords],
) -> Imputation:
    """Fill the missing values of a table or an image by a mixture that is fitted to all known values.

    Each row may lack other values. No row is left out, and none is filled before the fit (Ghahramani & Jordan 1994,
    Supervised learning from incomplete data via an EM approach; Little & Rubin, Statistical analysis with missing
    data). The result is a distribution for each missing value, and not a guess alone.

    Parameters
    ----------
    data : array-like, DataFrame, image of PIL, path, Image or Source
        A table (N, D) of numbers, a row a sample, NaN or masked where a value is missing; or an image, (H, W, C) or a
        file, whose pixels are the samples and whose channels, as stored, are the columns. Of a data frame, whatever it
        calls missing is.
    k : int or str
        Number of components, or a range to choose from: ``"1:5"``; ``"auto"`` is 1 to 9, fewer for few rows.
    level : float
        Probability of the intervals, between 0 and 1.
    mask : array-like or path, optional
        For images: where it is zero, values are missing. It counts for all channels, or has one channel for each.
    **options
        Further options; `help(emseg.impute)` and the page `options` of the guide list them. Families of location and
        scale are fitted to columns of mean 0 and variance 1, which `floor` is relative to.

    Returns
    -------
    Imputation

    Raises
    ------
    UsageError
        If an option makes no sense, or the family has no quantiles.
    DataError
        If the table has no columns, infinite values or no numbers, or a column is unknown in every row.

    Examples
    --------
    >>> import numpy as np, emseg
    >>> x = np.arange(40.0)
    >>> table = np.stack([x, 2 * x + np.sin(7 * x)], axis=1)
    >>> table[20, 1] = np.nan
    >>> found = emseg.impute(table, k=1)
    >>> bool(found.low[20, 1] < 40 < found.high[20, 1])
    True
    """
    reading, others = checked.reading("impute", options)
    settings = checked.segmentation("impute", k=k, **others)
    level = checked.value("impute", "level", level)
    variant = algorithm(settings.algorithm, settings.base, settings.option)
    table, name, notices = _table(data, mask, settings.nodata, reading)
    values = table.values
    x, shape = values.reshape(-1, values.shape[-1]).T, values.shape
    _require_columns(x, name, table, settings.family)
    varying = np.flatnonzero(np.nanmin(x, axis=1) < np.nanmax(x, axis=1))
    lines = [*notices, *_constant(x, varying, table)]
    parts = [x.copy(), np.zeros(x.shape), x.copy(), x.copy()]
    for j in np.setdiff1d(np.arange(len(x)), varying):
        for part in (parts[0], *parts[2:]):
            part[j] = np.nanmin(x[j])
    fitted = start = mixture = None
    if varying.size:
        fitted, start, mixture = _fitted(x if varying.size == len(x) else x[varying], settings, variant, name)
        for part, found in zip(parts, _filled(mixture, x[varying], level), strict=True):
            part[varying] = found
    mean, deviation, lower, upper, missing = (table.like(part.T.reshape(shape)) for part in (*parts, np.isnan(x)))
    return Imputation(
        completed=mean,
        deviation=deviation,
        low=lower,
        high=upper,
        missing=missing,
        level=float(level),
        mixture=mixture,
        log_likelihood=fitted.trace[-1].log_likelihood if fitted else 0.0,
        status=fitted.status if fitted else Status.CONVERGED,
        selection=start.selection if start else None,
        varying=varying,
        warnings=tuple(for_python(line) for line in (*without_effect("impute", settings), *lines)),
    )


def _fitted(x: Array, settings: SegmentOptions, variant: Any, name: str) -> tuple[Fit[Mixture], Start, Mixture]:
    """The fit to planar samples (D, N), where it started, and the mixture in their units."""
    family = family_of(settings.family, settings.covariance, settings.dof)
    shift, scale = _standard(x) if family.location_scale else (np.zeros(len(x)), np.ones(len(x)))
    rows = Rows((x - shift[:, None]) / scale[:, None], np.ones(x.shape[1]))
    problem = Problem(rows, family, LEAST if isinstance(settings.floor, str) else settings.floor, -np.log(scale))
    rng = np.random.default_rng(settings.seed)
    start = searched_start(
        problem,
        rng,
        k=settings.k,
        most=_most_components(settings.k, int(problem.n), len(x)),
        criterion=settings.criterion,
        init=settings.init,
        restarts=settings.restarts,
    )
    fitted = fit_mixture(variant, problem, start.mixture, rng, tol=settings.tol, max_iter=settings.max_iter, name=name)
    return fitted, start, fitted.mixture.permuted(fitted.mixture.canonical_order()).affine(shift, scale)


def _constant(x: Array, varying: NDArray[np.intp], table: Table) -> list[str]:
    """A line for each column that is the same wherever it is known, and lacks values."""
    return [
        f"{table.called(int(j))} is {np.nanmin(x[j]):g} wherever it is known, and is taken to be that elsewhere"
        for j in np.setdiff1d(np.arange(len(x)), varying)
        if np.isnan(x[j]).any()
    ]


def _most_components(k: int | str, n: int, d: int) -> int:
    """Largest number of components of a range: of ``"auto"``, so many that `SUPPORT` rows are there for each mean."""
    high = k_range(k)[1]
    return max(1, min(high, n // (SUPPORT * (d + 1)))) if k == "auto" else high


def _table(
    data: Any, mask: Any, nodata: Sequence[float], reading: ReadingOptions
) -> tuple[Table, str, tuple[str, ...]]:
    """The data as floats (N, D), (H, W, C) or (Z, H, W, C), NaN where a value is missing; their name, and notices."""
    frame, plain = is_frame(data) or hasattr(data, "to_frame"), not (reading.axes or reading.stack)
    if frame or (plain and has_axes(data, 2)):
        if mask is not None:
            raise UsageError("mask: is for images; mark the missing values of a table as NaN")
        for option_name in ("page", "axes", "channels", "stack"):
            if getattr(reading, option_name):
                raise UsageError(f"{option(option_name)}: is for images; a table has rows and columns")
        table = as_table(data)
        return table._replace(values=np.where(np.isin(table.values, nodata), np.nan, table.values)), "table", ()
    if plain and has_axes(data, 3):
        data = image_of(as_given(data, "array"), "array", Reading(axes="YXC"))
    photo, inside = image_and_mask(data, mask, "em", nodata=nodata, reading=reading, fourth=Fourth("band"))
    pixels = photo.pixels.astype(np.float64)
    known = np.isfinite(pixels) if photo.known is None else photo.known
    for part in (photo.valid, inside):
        if part is not None:
            known = known & part[:, :, None]
    names = tuple(map(str, range(pixels.shape[2])))
    values = np.where(known, pixels, np.nan).reshape(*photo.grid, len(names))
    return Table(values, names, form=photo.form), photo.name, photo.notices


def _require_columns(x: Array, name: str, table: Table, family: str) -> None:
    """Raise DataError unless every column has a value, and the family a density at all of them."""
    unknown = np.isnan(x).all(1)
    if unknown.any():
        raise DataError(f"{name}: {table.called(int(unknown.argmax()))} is unknown in every row; leave it out")
    low = np.nanmin(x, axis=1)
    bound = {"poisson": (low < 0, "below 0"), "gamma": (low <= 0, "not above 0")}.get(family)
    if bound and bound[0].any():
        column = table.called(int(bound[0].argmax()))
        raise DataError(f"{name}: {column} has values {bound[1]}; {family} has no density there")


def _standard(x: Array) -> tuple[Array, Array]:
    """Means and standard deviations of what is known, by column."""
    return np.nanmean(x, axis=1), np.nanstd(x, axis=1)


def _filled(mixture: Mixture, x: Array, level: float) -> tuple[Array, Array, Array, Array]:
    """Means, standard deviations and both ends of the intervals of x (D, N), each (D, N)."""
    mean, low, high, deviation = x.copy(), x.copy(), x.copy(), np.zeros(x.shape)
    nothing = np.flatnonzero(np.isnan(x).all(0))
    none = np.zeros(0, np.intp)
    for seen, which in [*grouped(x), *([(none, nothing)] if nothing.size else [])]:
        unseen = np.delete(np.arange(len(x)), seen)
        for start in range(0, which.size if unseen.size else 0, BLOCK):
            rows = which[start : start + BLOCK]
            given = mixture.predictive(x[np.ix_(seen, rows)], seen)
            place = np.ix_(unseen, rows)
            mean[place], deviation[place] = given.moments()
            low[place], high[place] = given.quantile((1 - level) / 2), given.quantile((1 + level) / 2)
    return mean, deviation, low, high
