"""Images whose labels are known: noisy Potts fields and shapes in 2-D, folded tissue with partial volume in 3-D."""

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


def tissue(
    seed: int = 0, shape: tuple[int, int, int] = (60, 72, 60), noise: float = 0.05, bias: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A head: fluid around and within folded grey matter around white matter, made at three times the resolution.

    Voxels are means of 27 fine ones, so that those at borders mix tissues; then comes a smooth gain of relative size
    `bias`, and noise relative to the brightest tissue.

    Returns
    -------
    image : ndarray of float32, `shape`
    truth : ndarray of uint8, `shape`
        0 outside; 1, 2, 3: the tissue of which a voxel has most, darkest first.
    """
    rng = np.random.default_rng(seed)
    fine = [3 * n for n in shape]
    axes = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in fine), indexing="ij", sparse=True)
    z, y, x = axes
    radius = np.sqrt((z / 0.85) ** 2 + (y / 0.92) ** 2 + (x / 0.85) ** 2)
    folds = np.zeros(fine, np.float32)
    for _ in range(24):
        wave = rng.normal(size=3)
        wave *= rng.uniform(20, 40) / np.linalg.norm(wave)
        folds += np.sin(wave[0] * z + wave[1] * y + wave[2] * x + rng.uniform(0, 6)).astype(np.float32)
    folds *= 0.1 / folds.std()
    hollow = np.sqrt((z / 0.25) ** 2 + (y / 0.4) ** 2 + ((np.abs(x) - 0.15) / 0.1) ** 2)
    kind = np.zeros(fine, np.uint8)
    kind[radius < 1] = 1
    kind[(radius < 0.97) & (radius + folds < 0.86)] = 2
    kind[radius + 1.2 * folds < 0.72] = 3
    kind[hollow < 1] = 1
    shares = np.stack([_coarse(kind == tissue) for tissue in range(4)])
    truth = shares.argmax(0).astype(np.uint8)
    image = np.tensordot(np.array([0, 0.35, 0.7, 1.0]), shares, 1)
    gain = 1 + bias * _smooth(rng, shape)
    image = gain * image + noise * rng.standard_normal(shape)
    return (1000 * image).astype(np.float32), truth


def _coarse(fine: np.ndarray) -> np.ndarray:
    z, y, x = (n // 3 for n in fine.shape)
    return fine.reshape(z, 3, y, 3, x, 3).mean((1, 3, 5))


def _smooth(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """A quadratic in the coordinates, between -1 and 1."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    c = rng.normal(size=9)
    field = c[0] * z + c[1] * y + c[2] * x + c[3] * z * z + c[4] * y * y + c[5] * x * x
    field = field + c[6] * z * y + c[7] * y * x + c[8] * z * x
    return 2 * (field - field.min()) / np.ptp(field) - 1
