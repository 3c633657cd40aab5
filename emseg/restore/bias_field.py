"""Uneven illumination, estimated inside EM: vignetting of a microscope, inhomogeneity of a scanner.

    v_i = b(s_i) (μ_k + e_i),   e_i ~ N(0, Σ_k),   b(s) = Σ_j c_j φ_j(s)

The gain b is a polynomial of the place s in the image, of total degree three, with mean 1; all channels share it. EM
estimates it together with the mixture, see `emseg.restore.bias_field_em` (after Wells, Grimson, Kikinis & Jolesz 1996,
who work with logarithms). Two things look like a gain and are none:

- A class that fills the middle of the image. A ridge pulls the gain towards a constant, so that the class is left to
  the mixture. The ridge leaves a few percent of a true gain in the image.
- Pixels that mix classes, where there are more of them at the rim of the image than within. The half of the pixels with
  the steeper gradients, and those at the edge of a mask, are left out.

Burnt-out pixels hold a bound, not a value. They are left out, with all that touch them.

A gain is taken out only if it explains more than it costs, see `emseg.restore.gain_evidence`. Otherwise the image stays
as it is, and a notice says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.algorithm import Algorithm, State
from emseg.em.convergence import Scheduled, Status, Stop
from emseg.em.fit import fit, fit_with_state
from emseg.em.problem import Problem
from emseg.em.starts.tournament import search
from emseg.em.variants.em import EM
from emseg.errors import DataError, option
from emseg.execution import steps
from emseg.features.feature import require_squares
from emseg.features.grain import FAINT, NARROW, STEP
from emseg.features.pixel_index import usable
from emseg.features.span import EXACT, found_span
from emseg.image.model import Image
from emseg.mixture.mixture import Mixture
from emseg.numerics.masked_blur import MaskedBlur
from emseg.records import NamedRecord
from emseg.restore.bias_field_em import LEAST_GAIN, GainEM, UnevenPixels
from emseg.restore.gain_evidence import LEAST_SAVING, NeighbourSample, description, is_shared, neighbour_places

Array = NDArray[np.float64]
# Measured on five images with a known gain (those of `tests/restore/test_bias_field.py`, and the phantom of
# `sample_images` with and without one), where mean errors of the gain are .001 to .01.
DEGREE = 3  # of the polynomial, in all; errors are the same with 2, and 10 to 40 % larger with 4
SAMPLE = 40_000  # pixels that the gain is fitted to; errors are the same from 10 000 to 80 000
MAX_ITER = 200  # iterations of EM, in case that they do not settle
#: Share of the pixels that are left out, those with the steepest gradients. From 0 to .75, errors change by a fifth at
#: most. Images with mixed pixels at their rim need it: see the last test of `tests/restore/test_bias_field.py`.
STEEP = 0.5
BLUR = 1.0  # standard deviation in pixels of the Gaussian before gradients; errors are the same from .5 to 2
TOLERANCE = 1e-4  # nats a pixel from the limit, for the mixture without a gain; its J is compared with fifty times that
LEAST_SPREAD = 0.01  # standard deviation of a gain that is worth taking out: two of 256 grey levels at the brightest
# A camera's bound: so large a share of the pixels has the largest value, and more than have a value within a hundredth
# of the range below it. The six sample images, which are not burnt out, have .00 to .27 % there.
BURNT, SHOULDER = 0.005, 0.01
PIXELS_PER_TERM = 10  # known pixels that each coefficient needs: the usual rule for regressions


class EvenlyLit(NamedRecord):
    """An image without its gain.

    Attributes
    ----------
    image : Image
        With a notice if no gain was found, or one that may be wrong.
    gain : ndarray of float32, shape (H, W)
        With mean 1 over the pixels it was fitted to; 1 everywhere if none was found.
    report : dict
        For `bias_field` of the report: "found", "saving" in nats a pixel, the "range" of the gain, and the "burnt_out"
        share of the pixels.
    """

    image: Image
    gain: NDArray[np.float32]
    report: dict[str, Any]


def flattened(photo: Image, inside: NDArray[np.bool_] | None, k: int, rng: np.random.Generator) -> EvenlyLit:
    """Find the gain of an image, and take it out.

    Parameters
    ----------
    photo : Image
    inside : ndarray of bool, shape (H, W), optional
        Pixels to look at.
    k : int
        Number of classes.
    rng : numpy.random.Generator

    Raises
    ------
    DataError
        If there are too few pixels.
    """
    steps.step("estimating the light")
    valid = usable(photo, inside)
    shape = photo.grid
    known = np.ones(shape, np.bool_) if valid is None else valid.reshape(shape).copy()
    if photo.pixels.dtype.kind == "f":
        known &= np.isfinite(photo.pixels).all(2).reshape(shape)
    there = int(known.sum())
    require_squares(photo.pixels[known.reshape(photo.shape)], photo.name)
    burnt = _burnt_out(photo.pixels.reshape(*shape, -1), known)
    dark = float(burnt.sum() / max(there, 1))
    known &= ~burnt
    needed = PIXELS_PER_TERM * len(_powers(len(shape)))
    places = np.flatnonzero(known)
    if places.size < needed:
        seen = f"{there} pixels are" if there < needed else f"{places.size} of {there} pixels are not burnt out,"
        raise DataError(f"{photo.name}: {seen} too few for a bias field; leave out {option('bias_field')}")
    calm = np.flatnonzero(_calm(photo.pixels.reshape(*shape, -1), known))
    places = calm if calm.size >= needed else places
    chosen = np.sort(rng.choice(places, min(SAMPLE, places.size), replace=False))
    around = neighbour_places(known, SAMPLE, rng)
    values = photo.pixels.reshape(-1, photo.pixels.shape[2])
    values = values[:, _telling(values[chosen].astype(np.float64))]
    spread = values[chosen].std(0, dtype=np.float64)
    # Constant channels stay finite.
    spread = np.maximum(spread, 1e-12 * np.abs(values[chosen]).max(0).astype(np.float64).max() + 1e-300)
    pixels = UnevenPixels(_sample(values, chosen, spread), _basis(shape, np.unravel_index(chosen, shape)))
    sample = NeighbourSample(_sample(values, around, spread), _basis(shape, np.unravel_index(around, shape)))
    report: dict[str, Any] = {"found": False, "saving": None, "range": [1.0, 1.0], "burnt_out": dark}
    as_it_is = np.ones(photo.shape, np.float32)
    asked = option("bias_field", True)
    try:
        coefficients, saving, shared = _coefficients(pixels, sample, k, rng, dark)
    except np.linalg.LinAlgError:
        line = f"{asked} could fit no gain, because a class lost its pixels; the image is taken as it is"
        return EvenlyLit(photo.with_notices(f"{line}. A smaller {option('k')} may help"), as_it_is, report)
    report["saving"] = saving
    if not shared or saving < LEAST_SAVING or float((coefficients @ pixels.basis).std()) < LEAST_SPREAD:
        line = f"{asked} found no gain that explains more than the classes do; the image is taken as it is"
        return EvenlyLit(photo.with_notices(line), as_it_is, report)
    report["found"] = True
    gain = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, gain.size, SAMPLE):
        part = np.arange(start, min(start + SAMPLE, gain.size))
        gain[part] = np.maximum(coefficients @ _basis(shape, np.unravel_index(part, shape)), LEAST_GAIN)
    plane = gain.reshape(photo.shape)
    even, clipped = _divided(photo.pixels, plane)
    report["range"] = [float(gain.min()), float(gain.max())]
    lines = _doubts(float(np.mean(gain <= LEAST_GAIN)), clipped, photo.pixels.dtype)
    return EvenlyLit(replace(photo, pixels=even, packed=None).with_notices(*lines), plane, report)


def _telling(values: Array) -> NDArray[np.intp]:
    """Channels of some pixels (N, C) that are no others' by more than rounding: grey in three channels has one."""
    covariance = np.atleast_2d(np.cov(values.T, bias=True))
    rounding = STEP * np.eye(len(covariance))
    largest = float(np.linalg.eigvalsh(covariance)[-1]) / STEP
    span = found_span(covariance, rounding, min(FAINT, max(EXACT, NARROW * largest)), "any")
    return np.arange(len(covariance)) if span is None else span.pivots


def _doubts(at_limit: float, clipped: float, kind: np.dtype[Any]) -> Iterator[str]:
    """Lines on a gain that may be wrong, and on values that the image's type does not hold."""
    if at_limit > 0:
        yield (
            f"the gain of {option('bias_field', True)} is at the least value it may have, {LEAST_GAIN:g}, in "
            f"{at_limit:.2%} of the pixels; mask them, or leave the option out"
        )
    if clipped > 0:
        yield (
            f"{clipped:.2%} of the values are brighter than {kind} holds once {option('bias_field', True)} evens them "
            "out, and are cut there; store the image as floats to keep them"
        )


def _sample(values: NDArray[Any], places: NDArray[np.intp], spread: Array) -> Array:
    return np.asarray(values[places].T.astype(np.float64) / spread[:, None])


def _burnt_out(pixels: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels hold the largest value in some channel, where so many do that it can only be a bound.

    Parameters
    ----------
    pixels : ndarray, shape (*shape, C)
    known : ndarray of bool, shape (*shape)

    Returns
    -------
    ndarray of bool, shape (*shape)
        With the pixels that touch these: noise would leave the darker ones there alone.
    """
    burnt = np.zeros(known.shape, np.bool_)
    for channel in np.moveaxis(pixels, -1, 0):
        seen = channel[known]
        if not seen.size:
            break
        top = seen.max()
        near = np.count_nonzero(seen >= top - SHOULDER * (top - seen.min())) - (at := np.count_nonzero(seen == top))
        if at > BURNT * seen.size and at > near and at < seen.size:
            burnt |= known & (channel == top)
    if not burnt.any():
        return burnt
    from scipy import ndimage

    grown: NDArray[np.bool_] = ndimage.binary_dilation(burnt) & known
    return grown


def _calm(pixels: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which known pixels lie within a region, as far as gradients tell.

    Parameters
    ----------
    pixels : ndarray, shape (*shape, C)
    known : ndarray of bool, shape (*shape)

    Returns
    -------
    ndarray of bool, shape (*shape)
    """
    from scipy import ndimage

    blur = MaskedBlur(known, reach=4.0)
    steepness = np.zeros(known.shape, np.float32)
    for plane in np.moveaxis(pixels, -1, 0):
        filled = np.where(known, plane, 0)
        if plane.dtype not in (np.uint8, np.uint16):  # far from 0, or beyond single precision
            seen = plane[known].astype(np.float64)
            filled = np.where(known, (filled - seen.mean()) / (seen.std() or 1.0), 0)
        filled = filled.astype(np.float32)
        smooth = blur(filled, BLUR)
        variance = max(float(filled[known].var(dtype=np.float64)), 1e-30)  # of a constant channel: not 0
        for axis in range(smooth.ndim):
            if smooth.shape[axis] > 1:
                steepness += np.gradient(smooth, axis=axis) ** 2 / np.float32(variance)
    inner = ndimage.binary_erosion(known, border_value=1)
    limit = np.quantile(steepness[inner if inner.any() else known], 1 - STEEP)
    calm: NDArray[np.bool_] = inner & (steepness <= limit)
    return calm


def _powers(ndim: int) -> list[tuple[int, ...]]:
    """Exponents of the polynomial, the constant first."""
    return [powers for powers in product(range(DEGREE + 1), repeat=ndim) if sum(powers) <= DEGREE]


def _basis(shape: tuple[int, ...], place: tuple[NDArray[np.intp], ...]) -> Array:
    """Products of Legendre polynomials at places of the grid, shape (J, N)."""
    axes = [
        np.polynomial.legendre.legvander(2 * at / max(n - 1, 1) - 1, DEGREE).T
        for n, at in zip(shape, place, strict=True)
    ]
    factors = [[axis[power] for axis, power in zip(axes, powers, strict=True)] for powers in _powers(len(shape))]
    return np.stack([np.prod(rows, axis=0) for rows in factors])


def _coefficients(
    pixels: UnevenPixels, sample: NeighbourSample, k: int, rng: np.random.Generator, unseen: float
) -> tuple[Array, float, bool]:
    """Coefficients (J,) of the gain, how many nats a pixel it saves, and whether classes share it.

    See `emseg.restore.gain_evidence`.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class is lost.
    """
    even = pixels.problem(np.ones(pixels.values.shape[1]))
    start, _ = search(even, k, rng)
    found, state = fit_with_state(GainEM(), pixels, start, Scheduled(MAX_ITER), rng)
    if state is None or found.status is Status.DEGENERATE:
        raise np.linalg.LinAlgError("a class was lost")
    gain = np.maximum(state.coefficients @ sample.basis, LEAST_GAIN)
    # Without a gain, the fit may end in another optimum than from the classes that were found with one.
    em: Algorithm[Problem, Mixture, State[Mixture]] = EM()
    without = [fit(em, even, first, Stop(TOLERANCE, MAX_ITER), rng).mixture for first in (start, found.mixture)]
    least = max(description(sample, mixture, np.ones_like(gain)) for mixture in without)
    shared = is_shared(pixels, state.mixture, state.posterior, unseen)
    return state.coefficients, description(sample, found.mixture, gain) - least, shared


def _divided(pixels: NDArray[Any], gain: NDArray[np.float32]) -> tuple[NDArray[Any], float]:
    """Pixels over the gain, in their own type: rounded, and within its range; and the share that was cut there."""
    kind = pixels.dtype
    flat = pixels / gain[:, :, None]
    if kind.kind == "f":
        return np.asarray(flat, kind), 0.0
    limits = np.iinfo(kind)
    even = np.rint(flat)
    cut = float(np.mean((even > limits.max) & (pixels < limits.max)))
    return np.clip(even, limits.min, limits.max).astype(kind), cut
