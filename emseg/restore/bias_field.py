"""Uneven illumination, estimated inside EM: vignetting of a microscope, inhomogeneity of a scanner.

    v_i = b(s_i) (μ_k + e_i),   e_i ~ N(0, Σ_k),   b(s) = Σ_j c_j φ_j(s)

The gain b is a polynomial of the place s in the image, of total degree three, with mean 1; all channels share it. EM
estimates it together with the mixture, see `emseg.restore.bias_field_em` (after Wells, Grimson, Kikinis & Jolesz 1996,
who work with logarithms). Two things look like a gain and are none:

- A class that fills the middle of the image. A ridge pulls the gain towards a constant, so that the class is left to
  the mixture. The ridge leaves a few percent of a true gain in the image.
- Pixels that mix classes, where there are more of them at the rim of the image than within. The half of the pixels with
  the steeper gradients, and those at the edge of a mask, are left out.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.convergence import Scheduled, Status
from emseg.em.fit import fit_with_state
from emseg.em.starts.tournament import search
from emseg.errors import DataError, option
from emseg.features.pixel_index import usable
from emseg.image.model import Image
from emseg.numerics.masked_blur import MaskedBlur
from emseg.restore.bias_field_em import LEAST_GAIN, GainEM, UnevenPixels

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
PIXELS_PER_TERM = 10  # known pixels that each coefficient needs: the usual rule for regressions


def flattened(
    photo: Image, inside: NDArray[np.bool_] | None, k: int, rng: np.random.Generator
) -> tuple[Image, NDArray[np.float32]]:
    """An image without its gain, and the gain (H, W).

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
        If a class is lost on the way, or there are too few pixels.
    """
    valid = usable(photo, inside)
    shape = photo.metadata.get("volume", photo.shape)
    known = np.ones(shape, np.bool_) if valid is None else valid.reshape(shape).copy()
    if photo.pixels.dtype.kind == "f":
        known &= np.isfinite(photo.pixels).all(2).reshape(shape)
    needed = PIXELS_PER_TERM * len(_powers(len(shape)))
    places = np.flatnonzero(known)
    if places.size < needed:
        remedy = f"leave out {option('bias_field')}"
        raise DataError(f"{photo.name}: {places.size} pixels are too few for a bias field; {remedy}")
    calm = np.flatnonzero(_calm(photo.pixels.reshape(*shape, -1), known))
    places = calm if calm.size >= needed else places
    chosen = np.sort(rng.choice(places, min(SAMPLE, places.size), replace=False))
    values = photo.pixels.reshape(-1, photo.pixels.shape[2])[chosen].T.astype(np.float64)
    try:
        coefficients = _coefficients(values, _basis(shape, np.unravel_index(chosen, shape)), k, rng)
    except np.linalg.LinAlgError as error:
        remedy = f"use a smaller {option('k')}, or {option('bias_field', False)}"
        raise DataError(f"{photo.name}: no bias field could be fitted; {remedy}") from error
    gain = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, gain.size, SAMPLE):
        part = np.arange(start, min(start + SAMPLE, gain.size))
        gain[part] = np.maximum(coefficients @ _basis(shape, np.unravel_index(part, shape)), LEAST_GAIN)
    plane = gain.reshape(photo.shape)
    return replace(photo, pixels=_divided(photo.pixels, plane), packed=None), plane


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
        filled = np.where(known, plane, 0).astype(np.float32)
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


def _coefficients(values: Array, basis: Array, k: int, rng: np.random.Generator) -> Array:
    """Coefficients (J,) of the gain of pixels with values (C, N), for basis functions (J, N).

    Raises
    ------
    numpy.linalg.LinAlgError
        If a class is lost.
    """
    spread = np.maximum(values.std(1), 1e-12 * np.abs(values).max() + 1e-300)  # constant channels stay finite
    pixels = UnevenPixels(values / spread[:, None], basis)
    start, _ = search(pixels.problem(np.ones(values.shape[1])), k, rng)
    found, state = fit_with_state(GainEM(), pixels, start, Scheduled(MAX_ITER), rng)
    if state is None or found.status is Status.DEGENERATE:
        raise np.linalg.LinAlgError("a class was lost")
    return state.coefficients


def _divided(pixels: NDArray[Any], gain: NDArray[np.float32]) -> NDArray[Any]:
    """Pixels over the gain, in their own type: rounded, and within its range."""
    kind = pixels.dtype
    flat = pixels / gain[:, :, None]
    if kind.kind == "f":
        return np.asarray(flat, kind)
    limits = np.iinfo(kind)
    return np.clip(np.rint(flat), limits.min, limits.max).astype(kind)
