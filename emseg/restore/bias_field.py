"""Uneven illumination, estimated inside EM: vignetting of a microscope, inhomogeneity of a scanner.

    v_i = b(s_i) (μ_k + e_i),   e_i ~ N(0, Σ_k),   b(s) = Σ_j c_j φ_j(s)

The gain b is a polynomial of the place s in the image, of degree three in all, with mean 1; all channels share it. A
ridge pulls it towards a constant: a class that fills the middle of the image looks like a gain too, and without the
ridge the gain takes its place. It leaves a few percent of the gain where they are. Pixels that mix classes look like a
gain as well, where there are more of them at the rim of the image than within: the half with the steeper gradients, and
those at the edge of a mask, are left out.

E-step and M-step are those of a mixture of v / b; between them c solves the least squares for b that the expected means
and variances of the pixels pose (after Wells, Grimson, Kikinis & Jolesz 1996, who work with logarithms).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.em.problem import Problem
from emseg.em.starts.tournament import search
from emseg.errors import DataError
from emseg.features.pixel_index import usable
from emseg.image.model import Image
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.numerics.log_sum_exp import softmax
from emseg.numerics.masked_blur import MaskedBlur

Array = NDArray[np.float64]
DEGREE = 3
SAMPLE = 40_000  # pixels that the gain is fitted to
STEPS, STILL = 200, 1e-4  # at most; and the change of the gain at which EM ends
RIDGE = 0.1  # pull of the gain towards a constant, relative to that of the pixels
LEAST = 0.05  # of the gain
STEEP = 0.5  # share of the pixels left out
FLOOR = 1e-5  # smallest variance of a class, relative to that of the image


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
    there = np.ones(shape, np.bool_) if valid is None else valid.reshape(shape).copy()
    if photo.pixels.dtype.kind == "f":
        there &= np.isfinite(photo.pixels).all(2).reshape(shape)
    needed = 10 * len(_powers(len(shape)))
    seen = np.flatnonzero(there)
    if seen.size < needed:
        raise DataError(f"{photo.name}: {seen.size} pixels are too few for a bias field; leave out --bias-field")
    calm = np.flatnonzero(_calm(photo.pixels.reshape(*shape, -1), there))
    seen = calm if calm.size >= needed else seen
    chosen = np.sort(rng.choice(seen, min(SAMPLE, seen.size), replace=False))
    v = photo.pixels.reshape(-1, photo.pixels.shape[2])[chosen].T.astype(np.float64)
    phi = _basis(shape, np.unravel_index(chosen, shape))
    try:
        c = _fit(v, phi, k, rng)
    except np.linalg.LinAlgError as error:
        raise DataError(f"{photo.name}: no bias field could be fitted; use a smaller -k, or no --bias-field") from error
    gain = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, gain.size, SAMPLE):
        part = np.arange(start, min(start + SAMPLE, gain.size))
        gain[part] = np.maximum(c @ _basis(shape, np.unravel_index(part, shape)), LEAST)
    plane = gain.reshape(photo.shape)
    return replace(photo, pixels=_divided(photo.pixels, plane), packed=None), plane


def _calm(pixels: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels (*shape, C) of those that are there lie within one region, as far as gradients tell; `shape`."""
    from scipy import ndimage

    blur = MaskedBlur(there, reach=4.0)
    steep = np.zeros(there.shape, np.float32)
    for plane in np.moveaxis(pixels, -1, 0):
        filled = np.where(there, plane, 0).astype(np.float32)
        smooth = blur(filled, 1.0)
        spread = max(float(filled[there].var(dtype=np.float64)), 1e-30)
        for axis in range(smooth.ndim):
            if smooth.shape[axis] > 1:
                steep += np.gradient(smooth, axis=axis) ** 2 / np.float32(spread)
    inner = ndimage.binary_erosion(there, border_value=1)
    calm: NDArray[np.bool_] = inner & (steep <= np.quantile(steep[inner if inner.any() else there], 1 - STEEP))
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


def _fit(v: Array, phi: Array, k: int, rng: np.random.Generator) -> Array:
    """Coefficients of the gain for values v (C, N)."""
    family, count = family_of("gaussian", "full"), v.shape[1]
    spread = np.maximum(v.std(1), 1e-12 * np.abs(v).max() + 1e-300)
    v = v / spread[:, None]
    c = np.zeros(len(phi))
    c[0] = 1.0
    b = np.ones(count)
    mixture, _ = search(Problem(Rows(v, b), family, FLOOR), k, rng)
    for _ in range(STEPS):
        x = v / b
        problem = Problem(Rows(x, np.ones(count)), family, FLOOR)
        joint = mixture.log_joint(x)
        r, _ = softmax(joint, out=joint)
        previous, b = b, _gain(v, phi, r, mixture, c)
        t = family.statistics(v / b)
        mixture = problem.m_step(family.completed(r @ t.T), mixture)
        if np.abs(b - previous).max() < STILL:
            break
    return c


def _gain(v: Array, phi: Array, r: Array, mixture: Mixture, c: Array) -> Array:
    """The gain at the pixels by least squares; its coefficients go into c."""
    parts = mixture.components
    precision = 1 / np.einsum("kcc->kc", parts.covariances)
    weight = precision.T @ r  # (C, N)
    mean = (parts.means * precision).T @ r / weight
    normal = (phi * (weight * mean**2).sum(0)) @ phi.T
    ridge = RIDGE * np.diag(normal) * (np.arange(len(c)) > 0)
    c[:] = np.linalg.solve(normal + np.diag(ridge), phi @ (weight * mean * v).sum(0))
    b: Array = c @ phi
    level = float(b.mean())
    c /= level
    return np.asarray(np.maximum(b / level, LEAST), np.float64)


def _divided(pixels: NDArray[Any], gain: NDArray[np.float32]) -> NDArray[Any]:
    """Pixels over the gain, in their own type: rounded, and within its range."""
    kind = pixels.dtype
    flat = pixels / gain[:, :, None]
    if kind.kind == "f":
        return np.asarray(flat, kind)
    limits = np.iinfo(kind)
    return np.clip(np.rint(flat), limits.min, limits.max).astype(kind)
