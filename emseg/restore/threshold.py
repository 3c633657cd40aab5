"""A first estimate: hard thresholds on the cosine coefficients of every patch.

Donoho & Johnstone (1994), Ideal spatial adaptation by wavelet shrinkage, Biometrika 81; at every position, after
Coifman & Donoho (1995), Translation-invariant de-noising.
"""

from __future__ import annotations

import numpy as np

from emseg.restore.patches import SIDE, Real, bands, cosines, cut, put, spread
from emseg.restore.work import Crew

LEVEL = 2.7  # of the noise


def threshold(plane: Real, sigma: float, crew: Crew) -> Real:
    """Denoise a plane (H, W), H and W at least 8, of noise level sigma.

    Every patch keeps its coefficients above 2.7 σ, and counts the more the fewer there are.
    """
    basis, width = cosines(), plane.shape[1] - SIDE + 1

    def work(rows: slice) -> tuple[slice, Real, Real]:
        part = plane[rows]
        found: Real = cut(part) @ basis
        kept = np.abs(found) > np.float32(LEVEL * sigma)
        kept[:, 0] = True
        found *= kept
        share = (1 / (1 + kept.sum(1))).astype(np.float32)
        found *= share[:, None]
        back: Real = np.matmul(found, basis.T, dtype=np.float32)
        return rows, put(back, part.shape), spread(share.reshape(-1, width))

    total, weight = np.zeros_like(plane), np.zeros_like(plane)
    for rows, sums, shares in crew.run(work, bands(plane.shape)):
        total[rows] += sums
        weight[rows] += shares
    return total / weight
