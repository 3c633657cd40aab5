"""Missing pixels from the mixture of photographs alone: all patches of an image at once, which must agree.

The density of an image is taken as the product of those of its patches, each under the component it most likely comes
from, so the most probable missing pixels solve one linear system (Zoran & Weiss 2011, From learning models of natural
image patches to whole image restoration, ICCV). That carries what is known across patches, of which each alone has few
known pixels, and takes no system of each patch; averages of conditional means apart come within .15 dB of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.execution.runner import Runner
from emseg.restore.patch.patches import SIDE, Real, cut, plane_shape
from emseg.restore.patch.prior_covariance import Expected, precisions

#: How far the guess may be off when components are chosen, and the variance that is added to theirs, round by round.
ROUNDS = ((20, 100), (12, 50), (8, 25), (5, 9), (3, 4))
STEP = 4  # pixels between patches
SWEEPS = 15  # of conjugate gradients in a round, each from the result of the one before
CORE, MARGIN = 256, 24  # pixels a side of the blocks that are solved apart, and what they see around

Block = tuple[slice, slice]


def agreed(guess: Real, missing: NDArray[np.bool_], runner: Runner) -> Real:
    """Planes with their missing pixels replaced by the most probable ones.

    Parameters
    ----------
    guess : ndarray of float32, shape (C, H, W)
        In units of which white has 255; H and W are 8 plus multiples of 4.
    missing : ndarray of bool, shape (H, W)
    runner : Runner
    """
    shape = plane_shape(guess)
    blocks = [
        (slice(top, min(top + CORE, shape[0])), slice(left, min(left + CORE, shape[1])))
        for top in range(0, shape[0], CORE)
        for left in range(0, shape[1], CORE)
    ]

    def inputs(block: Block) -> tuple[Real, NDArray[np.bool_], Block]:
        (rows, inner_rows), (columns, inner_columns) = map(_margin, block, shape)
        return guess[:, rows, columns], missing[rows, columns], (inner_rows, inner_columns)

    found = guess.copy()
    for block, values in zip(blocks, runner.run(_block, blocks, inputs), strict=True):
        found[:, *block] = values
    return found


def _margin(part: slice, length: int) -> tuple[slice, slice]:
    """A part with what it sees around, and where in that it lies."""
    seen = slice(max(part.start - MARGIN, 0), min(part.stop + MARGIN, length))
    return seen, slice(part.start - seen.start, part.stop - seen.start)


def _block(_: Block, guess: Real, missing: NDArray[np.bool_], inner: Block) -> Real:
    found = guess.copy()
    unit = 1 / np.sqrt(len(guess))
    if missing[inner].any():
        for plane in found:
            for sigma, variance in ROUNDS:
                plane[:] = _solved(plane, missing, sigma, variance, unit)
    return found[:, *inner]


def _solved(plane: Real, missing: NDArray[np.bool_], sigma: float, variance: float, unit: float) -> Real:
    """Some steps towards the least Σ_p (R_p z)ᵀ Q_p (R_p z) over the missing pixels z, Q_p = (Σ_k + variance)⁻¹."""
    width = plane.shape[1] - SIDE + 1
    own = (np.arange(0, plane.shape[0] - SIDE + 1, STEP)[:, None] * width + np.arange(0, width, STEP)).ravel()
    own = own[cut(missing)[own].any(1)]
    label = Expected(cut(plane)[own], sigma / unit, unit).label
    order = np.argsort(label, kind="stable")
    own, label = own[order], label[order]
    begin = np.flatnonzero(np.r_[True, np.diff(label) > 0])
    groups = list(zip(label[begin], begin, [*begin[1:], len(own)], strict=True))
    forms = precisions(variance)
    corner = own // width * plane.shape[1] + own % width
    index = corner[:, None] + (np.arange(SIDE)[:, None] * plane.shape[1] + np.arange(SIDE)).ravel()

    def summed(rows: Real) -> Real:
        return np.bincount(index.ravel(), rows.ravel(), plane.size).astype(np.float32).reshape(plane.shape)

    def product(z: Real) -> Real:
        rows = z.ravel()[index]
        for k, start, end in groups:
            rows[start:end] = rows[start:end] @ forms[k]
        return np.where(missing, summed(rows), 0)

    scale = summed(np.diagonal(forms, axis1=1, axis2=2)[label])
    scale[scale == 0] = 1
    z, residual = plane.copy(), -product(plane)
    direction = ahead = residual / scale
    energy = float(np.vdot(residual, ahead))
    least = energy * float(np.finfo(np.float32).eps) ** 2  # a residual that short moves no pixel; dividing by it might
    for _ in range(SWEEPS):
        if energy <= least:
            break
        image = product(direction)
        length = energy / float(np.vdot(direction, image))
        z += np.float32(length) * direction
        residual -= np.float32(length) * image
        ahead = residual / scale
        energy, before = float(np.vdot(residual, ahead)), energy
        direction = ahead + np.float32(energy / before) * direction
    return z
