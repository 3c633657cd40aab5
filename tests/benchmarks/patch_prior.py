"""The prior of patches that emseg ships, made again: `python -m tests.benchmarks.patch_prior FILE`. Some minutes.

From photographs that come with scikit-image and scikit-learn: five in colour for the file that is shipped. The others
(`camera`, `chelsea`, `coins`, `rocket`, `brick` and so on) are left for measuring.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image

from emseg.em.convergence import Stop
from emseg.restore.patch.patch_fit import PatchProblem, fit_patch_mixture, starting_patch_mixture
from emseg.restore.patch.patch_mixture import coordinates
from emseg.restore.patch.photographs import encode

K, PATCHES, ITERATIONS = 100, 100_000, 25
NOISE = 2.0  # variance, of rounding to 8 bits and of the cameras
SCALES = {1.0: 0.5, 0.7: 0.3, 0.5: 0.2}  # and their shares of the patches


def photographs() -> Iterator[np.ndarray]:
    """Colour photographs, (H, W, 3)."""
    yield skimage.data.astronaut()
    yield skimage.data.coffee()
    yield skimage.data.stereo_motorcycle()[0]
    yield load_sample_image("china.jpg")
    yield load_sample_image("flower.jpg")


def patches(rng: np.random.Generator) -> np.ndarray:
    """Planar coordinates of patches drawn at random, turned and mirrored at random."""
    drawn = []
    pictures = [Image.fromarray(photograph).convert("L") for photograph in photographs()]
    for picture in pictures:
        for scale, share in SCALES.items():
            size = (int(picture.width * scale), int(picture.height * scale))
            plane = np.asarray(picture.resize(size, Image.Resampling.LANCZOS), np.float32)
            windows = np.lib.stride_tricks.sliding_window_view(plane, (8, 8))
            n = int(PATCHES * share / len(pictures))
            found = windows[rng.integers(0, windows.shape[0], n), rng.integers(0, windows.shape[1], n)].copy()
            for change in (lambda part: part.swapaxes(1, 2), lambda part: part[:, ::-1], lambda part: part[:, :, ::-1]):
                which = rng.random(n) < 0.5
                found[which] = change(found[which])
            drawn.append(found.reshape(n, 64))
    return np.ascontiguousarray(coordinates(np.concatenate(drawn))[1:])


def main() -> None:
    """Fit and write."""
    rng = np.random.default_rng(0)
    problem = PatchProblem(patches(rng), NOISE)
    found = fit_patch_mixture(problem, starting_patch_mixture(problem, K, rng), Stop(1e-3, ITERATIONS))
    for row in found.trace:
        print(row.iteration, row.objective / problem.n, f"{row.seconds:.1f}", flush=True)
    Path(sys.argv[1]).write_bytes(encode(found.mixture))


if __name__ == "__main__":
    main()
