"""Calibration of conditional standard deviations on known pixels that are held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.execution.runner import Runner
from emseg.restore.inpaint.rounds import inpaint
from emseg.restore.patch.patches import Real

LEVEL, QUANTILE = 0.9, 1.6449  # coverage of the intervals, and that quantile of |N(0, 1)|
BLOCK = 32  # pixels a side of the squares in which pixels are held out
DENSE = 0.3  # share of missing pixels above which single pixels are held out instead of squares
SHARE = 0.15  # largest share of the known pixels that is held out
LEAST = 100  # held-out pixels: the 90 % quantile of fewer is too uncertain
#: The factor where fewer are held out: the median of 16 runs on photographs with several kinds of holes (1.25 to 2.2).
USUAL = 1.5


def deviation_factor(planes: Real, missing: NDArray[np.bool_], rng: np.random.Generator, runner: Runner) -> float:
    """Factor for the standard deviations of `inpaint`, with which 90 % intervals hold 90 % of the true values.

    The function moves the holes elsewhere and hides the known pixels there, in squares drawn at random. Where holes
    are dense, it draws single pixels. It fills them in, and compares the result with the hidden values.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
    missing : ndarray of bool, shape (H, W)
    rng : numpy.random.Generator
    runner : Runner
    """
    rng = rng.spawn(1)[0]  # the mask may have been drawn by a generator of the same seed
    hidden = np.roll(missing, [length // 3 + 1 for length in missing.shape], (0, 1)) & ~missing
    share = hidden.sum() / max((~missing).sum(), 1)
    if share > 0:
        # With holes everywhere, hardly a known pixel would be left in a square.
        block = 1 if missing.mean() > DENSE else BLOCK
        squares = rng.random([-(-length // block) for length in missing.shape]) < SHARE / share
        hidden &= np.kron(squares, np.ones((block, block), bool))[: missing.shape[0], : missing.shape[1]]
    if hidden.sum() < LEAST:
        return USUAL
    values, deviation = inpaint(planes, missing | hidden, runner)
    z = np.abs(values - planes)[:, hidden] / deviation[:, hidden]
    return float(np.quantile(z, LEVEL)) / QUANTILE
