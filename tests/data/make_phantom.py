"""Draw sample_images/phantom.png and its true label map: a ringed planet among stars, four flat colours and noise.

usage: python tests/data/make_phantom.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

SIDE = 256
NOISE = 6.0
MEANS = np.array([[38, 46, 82], [176, 84, 74], [92, 168, 172], [228, 214, 168]])
"""sRGB of sky, planet, ring and stars; darkest L* first, so that row i belongs to label i + 1."""

STARS = [(34, 40, 12), (210, 36, 17), (82, 22, 5), (150, 28, 4), (240, 116, 6), (22, 116, 5)]
STARS += [(40, 222, 15), (108, 236, 5), (168, 230, 10), (234, 204, 12), (14, 176, 4), (234, 160, 4)]
"""Centre x, centre y, radius: the larger ones twinkle, the others are discs."""


def truth() -> NDArray[np.uint8]:
    """Label map, shape (SIDE, SIDE), values 1…4."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    labels = np.ones((SIDE, SIDE), np.uint8)

    for cx, cy, r in STARS:
        dx, dy = np.abs(x - cx), np.abs(y - cy)
        labels[dx**0.7 + dy**0.7 < r**0.7 if r > 6 else np.hypot(dx, dy) < r] = 4

    planet = np.hypot(x - 128, y - 128) < 62
    labels[planet] = 2
    angle = np.deg2rad(-24)
    u = (x - 128) * np.cos(angle) + (y - 128) * np.sin(angle)
    v = (y - 128) * np.cos(angle) - (x - 128) * np.sin(angle)
    radius = np.hypot(u / 108, v / 32)
    labels[(radius > 0.80) & (radius < 1.0) & (~planet | (v > 0))] = 3  # its far half passes behind the planet
    return labels


def picture(labels: NDArray[np.uint8], seed: int = 0) -> NDArray[np.uint8]:
    """Mean colours plus Gaussian noise, shape (SIDE, SIDE, 3)."""
    noise = np.random.default_rng(seed).normal(0, NOISE, (*labels.shape, 3))
    return np.clip(np.rint(MEANS[labels - 1] + noise), 0, 255).astype(np.uint8)


def main(folder: Path) -> None:
    """Write both files."""
    labels = truth()
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(picture(labels)).save(folder / "phantom.png", optimize=True)
    indexed = PIL.Image.fromarray(labels, mode="L").convert("P")
    indexed.putdata(labels.ravel())
    indexed.putpalette([0, 0, 0, *MEANS.ravel().tolist()])
    indexed.save(folder / "truth" / "phantom.labels.png", optimize=False, bits=8)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "sample_images")
