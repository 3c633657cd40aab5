"""The weights of `emseg.restore.blend`, fitted again: `python -m tests.benchmarks.blend_weights`. A few minutes.

To crops of photographs that come with scikit-image and scikit-learn, none of which is measured on. Every picture counts
as much, whatever its error.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image

from emseg.execution.runner import Runner
from emseg.restore.blend import features
from emseg.restore.denoising import local_estimates

LEVELS = 10, 15, 25, 50
SIDE = 200  # 8 and a multiple of 4
RIDGE = 1e-6


def crops() -> Iterator[np.ndarray]:
    """Grey pictures (SIDE, SIDE)."""
    for picture, scale, top, left in (
        (skimage.data.astronaut(), 1.0, 20, 120),
        (skimage.data.astronaut(), 0.5, 50, 20),
        (skimage.data.coffee(), 1.0, 60, 250),
        (skimage.data.coffee(), 0.5, 0, 60),
        (load_sample_image("china.jpg"), 1.0, 150, 220),
        (load_sample_image("china.jpg"), 0.5, 10, 60),
        (load_sample_image("flower.jpg"), 0.5, 10, 100),
        (skimage.data.stereo_motorcycle()[0], 1.0, 60, 60),
        (skimage.data.grass(), 0.5, 0, 0),
        (skimage.data.gravel(), 0.7, 0, 0),
        (skimage.data.moon(), 0.7, 60, 60),
    ):
        grey = Image.fromarray(picture).convert("L")
        shown = grey.resize((int(grey.width * scale), int(grey.height * scale)), Image.Resampling.LANCZOS)
        yield np.asarray(shown, np.float32)[top : top + SIDE, left : left + SIDE]


def main() -> None:
    """Least squares of what the second shrinking should have taken."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for level in LEVELS:
        for seed, clean in enumerate(crops()):
            noise = np.random.default_rng([seed, level]).normal(0, level, clean.shape).astype(np.float32)
            found = local_estimates((clean + noise)[None] - 128, np.array([float(level)]), Runner())
            once, twice = found[:, 0] + 128
            step = twice - once
            rows = np.stack([(step * f).ravel() for f in (np.ones_like(step), *features(once, twice, level))])
            rows, wanted = rows.astype(np.float64), (clean - once).ravel().astype(np.float64)
            normal += rows @ rows.T / (wanted @ wanted)
            right += rows @ wanted / (wanted @ wanted)
    print(np.linalg.solve(normal + RIDGE * np.diag(np.diag(normal)), right))


if __name__ == "__main__":
    main()
