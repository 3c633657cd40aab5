"""`impute`: tables or images with missing values → what these values may have been. No files, no printing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Status
from emseg.em.problem import Problem
from emseg.em.registry import algorithm
from emseg.errors import DataError, UsageError
from emseg.image.model import Image
from emseg.image.read import Source
from emseg.mixture.conditional.missing_patterns import grouped
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.options import checked
from emseg.options.kinds.text_kinds import k_range
from emseg.stages.fitting import fit_mixture
from emseg.stages.inputs.input_image import ImageLike, MaskLike, image_and_mask
from emseg.stages.start import searched_start

if TYPE_CHECKING:
    from emseg.options.keywords import ImputeKeywords

Array = NDArray[np.float64]
BLOCK = 16384  # rows at a time, so that the conditional moments of all components fit the cache
#: Rows for each of the D + 1 numbers that locate and weigh a component, which `k="auto"` asks for. Chosen by hand.
SUPPORT = 3
LEAST = 1e-4  # floor that "auto" is: what a component knows of a few rows must not count as certain


@dataclass(frozen=True, eq=False)
class Imputation:
    """What a mixture says of the missing values of a table or an image.

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
    mixture : Mixture
        The fit, in the units of the data, components in canonical order.
    log_likelihood : float
        Of what was observed, in natural logarithms.
    status : Status
        Why the fit ended.
    selection : dict or None
        How the number of components was chosen from a range.

    The intervals hold for values missing at random, and take the fitted parameters as the true ones.
    """

    completed: Array
    deviation: Array
    low: Array
    high: Array
    missing: NDArray[np.bool_]
    level: float
    mixture: Mixture
    log_likelihood: float
    status: Status
    selection: dict[str, Any] | None


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
    data : ndarray, Image, Source or path
        A table (N, D) of numbers, a row a sample, NaN where a value is missing; or an image, (H, W, C) or a file, whose
        pixels are the samples and whose channels, as stored, are the columns.
    k : int or str
        Number of components, or a range to choose from: ``"1:5"``; ``"auto"`` is 1 to 9, fewer for few rows.
    level : float
        Probability of the intervals, between 0 and 1.
    mask : ndarray or path, optional
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
        If the table has no columns or infinite values, or a column is unknown or the same in every row.

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
    settings = checked.segmentation("impute", k=k, **options)
    level = checked.value("impute", "level", level)
    variant = algorithm(settings.algorithm, settings.base, settings.option)
    table, name = _table(data, mask, settings.nodata)
    x, shape = table.reshape(-1, table.shape[-1]).T, table.shape
    _require_columns(x, name, settings.family)
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
    mixture = fitted.mixture.permuted(fitted.mixture.canonical_order()).affine(shift, scale)
    mean, deviation, lower, upper = (part.T.reshape(shape) for part in _filled(mixture, x, level))
    return Imputation(
        completed=mean,
        deviation=deviation,
        low=lower,
        high=upper,
        missing=np.isnan(table),
        level=float(level),
        mixture=mixture,
        log_likelihood=fitted.trace[-1].log_likelihood,
        status=fitted.status,
        selection=start.selection,
    )


def _most_components(k: int | str, n: int, d: int) -> int:
    """Largest number of components of a range: of ``"auto"``, so many that `SUPPORT` rows are there for each mean."""
    high = k_range(k)[1]
    return max(1, min(high, n // (SUPPORT * (d + 1)))) if k == "auto" else high


def _table(data: Any, mask: Any, nodata: Sequence[float]) -> tuple[Array, str]:
    """The data as floats (N, D) or (H, W, C), NaN where a value is missing, and what messages call them."""
    array = data if isinstance(data, (Image, Source, str, os.PathLike)) else np.asarray(data)
    if isinstance(array, np.ndarray) and array.ndim == 2:
        if mask is not None:
            raise UsageError("mask: is for images; mark the missing values of a table as NaN")
        if array.dtype.kind not in "uifb" or array.size == 0:
            raise DataError(f"table: holds {array.dtype} {array.shape}; give rows and columns of numbers")
        table = array.astype(np.float64)
        table[np.isin(table, nodata)] = np.nan
        if np.isinf(table).any():
            raise DataError("table: holds infinite values; mark what is unknown as NaN")
        return table, "table"
    photo, inside = image_and_mask(array, mask, "em", nodata=nodata)
    pixels = photo.pixels.astype(np.float64)
    known = np.isfinite(pixels) if photo.known is None else photo.known
    for part in (photo.valid, inside):
        if part is not None:
            known = known & part[:, :, None]
    return np.where(known, pixels, np.nan), photo.name


def _require_columns(x: Array, name: str, family: str) -> None:
    """Raise DataError unless every column has two different values, and the family a density at all of them."""
    unknown = np.isnan(x).all(1)
    if unknown.any():
        raise DataError(f"{name}: column {unknown.argmax()} (from 0) is unknown in every row; leave it out")
    low, high = np.nanmin(x, axis=1), np.nanmax(x, axis=1)
    if (low == high).any():
        column = int((low == high).argmax())
        raise DataError(f"{name}: column {column} (from 0) is {low[column]:g} wherever it is known; leave it out")
    bound = {"poisson": (low < 0, "below 0"), "gamma": (low <= 0, "not above 0")}.get(family)
    if bound and bound[0].any():
        column = int(bound[0].argmax())
        raise DataError(f"{name}: column {column} (from 0) has values {bound[1]}; {family} has no density there")


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
