"""A head like BrainWeb's T1 image at 2 mm: a folded cortex two voxels thick, partial volume, Rician noise, a bias.

It is drawn three times as fine in each direction as its voxels are, and its voxels are means of what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FINE = 3
INTENSITY = np.array([0, 0.33, 0.72, 1.0])  # outside, fluid, grey and white matter


@dataclass(frozen=True)
class Kind:
    """What the images of one kind have in common.

    Attributes
    ----------
    shape : tuple of int
        Voxels along Z, Y and X.
    thickness : int
        Of a slice, in the other sides of a voxel.
    noise : float
        Standard deviation, relative to white matter; Rician.
    bias : float
        The gain lies between 1 - bias and 1 + bias; 0.1 is what BrainWeb calls 20 %.
    """

    shape: tuple[int, int, int] = (60, 72, 60)
    thickness: int = 1
    noise: float = 0.03
    bias: float = 0.0


KINDS = {
    "3 % noise": Kind(),
    "3 % noise, 20 % bias": Kind(bias=0.1),
    "3 % noise, 40 % bias": Kind(bias=0.2),
    "5 % noise": Kind(noise=0.05),
    "9 % noise": Kind(noise=0.09),
    "3 % noise, slices 2 voxels thick": Kind((30, 72, 60), 2),
}


def brain(kind: Kind, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One image.

    Returns
    -------
    image : ndarray of float32, shape (Z, Y, X)
    truth : ndarray of uint8, shape (Z, Y, X)
        0 outside; 1, 2, 3: what a voxel has most of, darkest first.
    shares : ndarray, shape (4, Z, Y, X)
        How much a voxel has of each.
    """
    rng = np.random.default_rng(seed)
    blocks = (FINE * kind.thickness, FINE, FINE)
    fine = [n * block for n, block in zip(kind.shape, blocks, strict=True)]
    axes = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in fine), indexing="ij", sparse=True)
    tissue = _tissue(rng, axes)
    cells = [size for n, block in zip(kind.shape, blocks, strict=True) for size in (n, block)]
    shares = np.stack([(tissue == label).reshape(cells).mean((1, 3, 5)) for label in range(4)])
    image = np.tensordot(INTENSITY, shares, 1) * (1 + kind.bias * _smooth(rng, kind.shape))
    noise = kind.noise * rng.standard_normal((2, *kind.shape))
    found = np.hypot(image + noise[0], noise[1])
    return (1000 * found).astype(np.float32), shares.argmax(0).astype(np.uint8), shares


def _tissue(rng: np.random.Generator, axes: list[np.ndarray]) -> np.ndarray:
    """Labels of what is drawn: folds, ventricles and deep nuclei in an ellipsoid."""
    z, y, x = axes
    radius = np.sqrt((z / 0.9) ** 2 + (y / 0.95) ** 2 + (x / 0.9) ** 2)
    folds = np.zeros(radius.shape, np.float32)
    for _ in range(32):
        wave = rng.normal(size=3)
        wave *= rng.uniform(24, 45) / np.linalg.norm(wave)
        folds += np.sin(wave[0] * z + wave[1] * y + wave[2] * x + rng.uniform(0, 6)).astype(np.float32)
    depth = radius + 0.2 * folds / folds.std()
    hollow = np.sqrt((z / 0.22) ** 2 + (y / 0.4) ** 2 + ((np.abs(x) - 0.14) / 0.09) ** 2)
    deep = np.sqrt(((z + 0.1) / 0.15) ** 2 + ((y - 0.05) / 0.25) ** 2 + ((np.abs(x) - 0.33) / 0.12) ** 2)
    tissue = np.zeros(radius.shape, np.uint8)
    tissue[radius < 1] = 1
    tissue[(depth < 0.84) & (radius < 0.96)] = 2
    tissue[(depth < 0.59) & (radius < 0.96)] = 3
    tissue[deep < 1] = 2
    tissue[hollow < 1] = 1
    return tissue


def _smooth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A quadratic in the coordinates, between -1 and 1."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    c = rng.normal(size=9)
    field = c[0] * z + c[1] * y + c[2] * x + c[3] * z * z + c[4] * y * y + c[5] * x * x
    field = field + c[6] * z * y + c[7] * y * x + c[8] * z * x
    return 2 * (field - field.min()) / np.ptp(field) - 1
