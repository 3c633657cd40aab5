"""Images whose labels are known: noisy Potts fields and shapes."""

from __future__ import annotations

import numpy as np

FIELDS: dict[str, tuple[int, float | None]] = {
    "potts2": (2, 1.0),
    "potts3": (3, 1.2),
    "potts4": (4, 1.3),
    "shapes4": (4, None),
}
RATIOS = (1, 1.5, 2, 3)  # gap between classes over standard deviation of the noise
SIDE = 128


def labels(name: str, seed: int) -> np.ndarray:
    """A field of `FIELDS`, (128, 128), values 0…K-1: a Potts sample after 60 sweeps from noise, or shapes."""
    k, beta = FIELDS[name]
    rng = np.random.default_rng([k, seed, 71])
    if beta is None:
        return _shapes(rng)
    z, board = rng.integers(0, k, (SIDE, SIDE)), np.indices((SIDE, SIDE)).sum(0) % 2
    for half in range(120):
        around = np.pad(z, 1, constant_values=-1)
        sides = np.stack([around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]])
        support = (sides == np.arange(k)[:, None, None, None]).sum(1)
        z = np.where(board == half % 2, (beta * support + rng.gumbel(size=support.shape)).argmax(0), z)
    return z


def _shapes(rng: np.random.Generator) -> np.ndarray:
    """Two large halves, a disc, and a class that is a rectangle and two thin lines."""
    y, x = np.mgrid[:SIDE, :SIDE]
    z = (y > x + int(rng.integers(-10, 40))).astype(int)
    z[np.hypot(y - int(rng.integers(40, 88)), x - int(rng.integers(40, 88))) < 30] = 2
    z[10:40, 80:118] = 3
    z[100:104] = 3
    z[:, 20:22] = 2
    return z


def noisy(z: np.ndarray, ratio: float, seed: int) -> np.ndarray:
    """An 8-bit image of labels: means 20 grey levels apart around 128, Gaussian noise."""
    rng, k = np.random.default_rng([seed, int(10 * ratio)]), int(z.max()) + 1
    means = 128 + 20 * (np.arange(k) - (k - 1) / 2)
    return np.clip(np.rint(means[z] + 20 / ratio * rng.standard_normal(z.shape)), 0, 255).astype(np.uint8)
