"""How far conditional standard deviations are off: the share of held-out pixels that their intervals hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.execution.runner import Runner
from emseg.restore.inpaint.rounds import inpaint
from emseg.restore.patch.patches import Real

LEVEL, QUANTILE = 0.9, 1.6449  # of |N(0, 1)|
BLOCK = 32  # pixels a side of the squares in which pixels are held out
DENSE = 0.3  # share of missing pixels
SHARE = 0.15  # of the known pixels that are held out at most
LEAST = 100  # held-out pixels, below which nothing can be said
USUAL = 1.5  # the factor where nothing can be said: the median over photographs and kinds of holes, of 1.25 to 2.2


def deviation_factor(planes: Real, missing: NDArray[np.bool_], rng: np.random.Generator, runner: Runner) -> float:
    """What standard deviations of `inpaint` are to be multiplied by, so that 90 % intervals hold 90 %.

    Known pixels are hidden by the holes themselves, moved elsewhere, in squares drawn at random (or singly, if holes
    are dense), and filled in; then the truth is known.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
    missing : ndarray of bool, shape (H, W)
    rng : numpy.random.Generator
    runner : Runner
    """
    rng = rng.spawn(1)[0]  # a mask may have been drawn by a generator of the same seed
    hidden = np.roll(missing, [length // 3 + 1 for length in missing.shape], (0, 1)) & ~missing
    share = hidden.sum() / max((~missing).sum(), 1)
    if share > 0:
        # Where holes are everywhere, squares would be left with next to nothing: there, single pixels are drawn.
        block = 1 if missing.mean() > DENSE else BLOCK
        squares = rng.random([-(-length // block) for length in missing.shape]) < SHARE / share
        hidden &= np.kron(squares, np.ones((block, block), bool))[: missing.shape[0], : missing.shape[1]]
    if hidden.sum() < LEAST:
        return USUAL
    values, deviation = inpaint(planes, missing | hidden, runner)
    z = np.abs(values - planes)[:, hidden] / deviation[:, hidden]
    return float(np.quantile(z, LEVEL)) / QUANTILE
