"""One run of restoring, in a process of its own: JOB TOOL. Prints CPU seconds, PSNR and SSIM of each image as JSON.

A job is `grey:25:float`, `grey:25:8bit`, `photographs:25:float`, `large:25:float`, `colour:25:float`, `sigma:25:float`,
`texture:25:float` or `fill:50 % missing`; a tool is `emseg`, `fast` (emseg --fast), `bm3d`, `estimate` (scikit-image's
estimate_sigma) or `biharmonic`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.benchmarks.restore_images import SETS, masks, noisy, stored


def main() -> None:
    """Run the job on every image."""
    job, tool = sys.argv[1:]
    kind, what, *depth = job.split(":")
    work = {"sigma": _level, "texture": _level, "fill": _fill}.get(kind, _denoise)
    results = [work(tool, clean, what, depth == ["8bit"], seed) for seed, clean in enumerate(SETS[kind]().values())]
    names = results[0].keys()
    print(json.dumps({name: [result[name] for result in results] for name in names}))


def _timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    begin = time.process_time()
    return work(), time.process_time() - begin


def _scored(found: np.ndarray, clean: np.ndarray, seconds: float) -> dict[str, float]:
    found = np.clip(found.reshape(clean.shape).astype(float), 0, 255)
    channel = 2 if clean.ndim == 3 else None
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": channel}
    psnr = peak_signal_noise_ratio(clean, found, data_range=255)
    return {"psnr": psnr, "ssim": structural_similarity(clean, found, data_range=255, **how), "cpu": seconds}


def _denoise(tool: str, clean: np.ndarray, level: str, eight: bool, seed: int) -> dict[str, float]:
    sigma, y = float(level), noisy(clean, float(level), seed)
    if eight:
        y = stored(y)
    if tool == "bm3d":
        import bm3d

        peer = bm3d.bm3d_rgb if clean.ndim == 3 else bm3d.bm3d
        found, seconds = _timed(lambda: 255 * peer(y / 255, sigma / 255))
        if eight:
            found = np.rint(found)
    else:
        import emseg

        emseg.denoise(y[:16, :16], sigma)  # what is loaded once is not counted, for the peer neither
        found, seconds = _timed(lambda: emseg.denoise(y, sigma, fast=tool == "fast", workers=1).pixels)
    return _scored(found, clean, seconds)


def _level(tool: str, clean: np.ndarray, level: str, eight: bool, seed: int) -> dict[str, float]:
    y = noisy(clean, float(level), seed)
    y = stored(y) if eight else y
    if tool == "estimate":
        from skimage.restoration import estimate_sigma

        found = float(estimate_sigma(y.astype(float)))
    else:
        from emseg.restore.noise.level import noise_level

        found = noise_level(y.astype(np.float32), None, (0, 255) if eight else None)
    return {"error": abs(found / float(level) - 1)}


def _fill(tool: str, clean: np.ndarray, kind: str, eight: bool, seed: int) -> dict[str, float]:
    missing = masks(clean.shape[:2])[kind]
    y = stored(np.where(missing, 0, clean))
    if tool == "biharmonic":
        from skimage.restoration import inpaint_biharmonic

        found, seconds = _timed(lambda: np.rint(255 * inpaint_biharmonic(y / 255, missing)))
    elif tool == "telea":
        import cv2

        found, seconds = _timed(lambda: cv2.inpaint(y, missing.astype(np.uint8), 3, cv2.INPAINT_TELEA))
    else:
        import emseg

        found, seconds = _timed(lambda: emseg.inpaint(y, missing, workers=1).pixels)
    return _scored(found, clean, seconds)


if __name__ == "__main__":
    main()
