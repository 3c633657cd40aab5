"""White noise out of planes: a pilot, and rounds of local Gaussians from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.restore.local import STEP, local_round
from emseg.restore.patches import Real, fitted
from emseg.restore.threshold import threshold
from emseg.restore.work import Crew

#: Share of the noisy plane that is put back before each round: what the last one took away too much.
PUT_BACK = 0.3, 0.15, 0.0, 0.0
BETA = 1.1  # σ² is taken this much larger, for what noise is left in the pilot


def denoise_local(planes: Real, sigma: NDArray[np.float64], crew: Crew) -> Real:
    """Remove noise of level sigma (C,) from planes (C, H, W); patches are compared in the first."""
    height, width = planes.shape[1:]
    noisy = fitted(planes, STEP)
    with crew.stage(0, 0.05):
        pilot = np.stack([threshold(plane, s, crew) for plane, s in zip(noisy, sigma, strict=True)])
    for i, share in enumerate(PUT_BACK):
        pilot += np.float32(share) * (noisy - pilot)
        with crew.stage(0.05 + 0.95 * i / len(PUT_BACK), 0.05 + 0.95 * (i + 1) / len(PUT_BACK)):
            pilot = local_round(noisy, pilot, (BETA * sigma**2).tolist(), crew)
    return pilot[:, :height, :width]
