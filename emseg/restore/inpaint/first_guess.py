"""A first guess for missing pixels, from coarse to fine, and the depth of holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.restore.patch.patches import Real

SHALLOW = 16.0  # pixels: up to this depth numpy alone is quicker than loading scipy, which takes a tenth of a second
SWEEPS = 8  # smoothing sweeps at each level


def interpolated(planes: Real, missing: NDArray[np.bool_]) -> Real:
    """Planes (C, H, W) with interpolated values at the missing pixels (H, W).

    The coarsest level holds means of blocks. At every finer level, missing pixels start from the level above and are
    relaxed towards the mean of their neighbours: membrane interpolation by one pass of a multigrid method.
    """
    if not missing.any():
        return planes
    if missing.all():
        return np.zeros_like(planes)
    height, width = missing.shape
    if max(height, width) > 1:
        coarse, lost = halved(planes, missing)
        guess = doubled(interpolated(coarse, lost), (height, width))
    else:
        guess = np.zeros_like(planes)
    found = np.where(missing, guess, planes)
    for _ in range(SWEEPS):
        around = np.pad(found, ((0, 0), (1, 1), (1, 1)), "edge")
        mean = around[:, :-2, 1:-1] + around[:, 2:, 1:-1] + around[:, 1:-1, :-2] + around[:, 1:-1, 2:]
        found = np.where(missing, mean / 4, planes)
    return found.astype(np.float32)


def halved(planes: Real, missing: NDArray[np.bool_]) -> tuple[Real, NDArray[np.bool_]]:
    """Means of the known pixels in blocks of 2 × 2, and a mask of the blocks without any."""
    odd = [(0, length % 2) for length in missing.shape]
    known = np.pad(~missing, odd).astype(np.float32)
    values = np.pad(np.where(missing, 0, planes), [(0, 0), *odd])
    count = _blocks(known)
    sums = _blocks(values)
    return (sums / np.maximum(count, 1)).astype(np.float32), count == 0


def _blocks(planes: Real) -> Real:
    """Sums over blocks of 2 × 2 pixels."""
    found: Real = planes[..., ::2, ::2] + planes[..., 1::2, ::2] + planes[..., ::2, 1::2] + planes[..., 1::2, 1::2]
    return found


def doubled(planes: Real, shape: tuple[int, int]) -> Real:
    """Planes of twice the size, by linear interpolation between pixel centres, cut to a shape."""
    found = planes
    for axis in (-2, -1):
        moved = np.moveaxis(found, axis, -1)
        around = np.concatenate([moved[..., :1], moved, moved[..., -1:]], axis=-1)
        fine = np.empty((*moved.shape[:-1], 2 * moved.shape[-1]), np.float32)
        fine[..., ::2] = 0.75 * moved + 0.25 * around[..., :-2]
        fine[..., 1::2] = 0.75 * moved + 0.25 * around[..., 2:]
        found = np.moveaxis(fine, -1, axis)
    return np.ascontiguousarray(found[..., : shape[0], : shape[1]])


def depth(missing: NDArray[np.bool_]) -> float:
    """The largest distance of a missing pixel to the nearest known one, in pixels."""
    if not missing.any():
        return 0.0
    if missing.all():
        return float("inf")
    # d² is the minimum over columns, k away, of k² + (distance within that column)². So k needs to go no further than
    # the smaller of the distances within the row and within the column.
    down, across = _along(missing), _along(missing.T).T
    reach = float(np.minimum(down, across).max())
    if reach > SHALLOW:
        from scipy.ndimage import distance_transform_edt

        return float(distance_transform_edt(missing).max())
    squared = down**2
    for k in range(1, int(reach) + 1):
        for here, there in ((slice(k, None), slice(None, -k)), (slice(None, -k), slice(k, None))):
            np.minimum(squared[:, here], down[:, there] ** 2 + k * k, out=squared[:, here])
    return float(np.sqrt(squared.max()))


def _along(missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the nearest known pixel of the same column; infinite in a column without any."""
    rows = np.arange(len(missing), dtype=np.float64)[:, None]
    above = np.maximum.accumulate(np.where(missing, -np.inf, rows), axis=0)
    below = np.minimum.accumulate(np.where(missing, np.inf, rows)[::-1], axis=0)[::-1]
    distance: NDArray[np.float64] = np.minimum(rows - above, below - rows)
    return distance
