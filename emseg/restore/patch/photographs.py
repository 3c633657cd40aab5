"""The mixture of photograph patches in the package, and its file format.

`tests/benchmarks/patch_prior.py` fits the mixture to photographs that come with scikit-image and scikit-learn.
"""

from __future__ import annotations

import io
from functools import lru_cache
from os.path import dirname, join
from typing import Any

import numpy as np

from emseg.restore.patch.patch_mixture import PatchMixture

SMALLEST = 0.3  # variance in squared grey levels: axes with less are not stored, as rounding alone adds 1/12


@lru_cache
def photographs() -> PatchMixture:
    """The mixture, for patches with white at 255."""
    loader: Any = __spec__.loader  # reads out of a zip too; importlib.resources takes longer to load than the mixture
    return decode(loader.get_data(join(dirname(__file__), "photographs.npz")))


def encode(mixture: Any) -> bytes:
    """The bytes of an .npz file with weights, variances, and axes in half precision."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        weights=mixture.weights.astype(np.float32),
        variances=mixture.variances.astype(np.float32),
        axes=np.where(mixture.variances[:, None] > SMALLEST, mixture.axes, 0).astype(np.float16),
    )
    return file.getvalue()


def decode(data: bytes) -> PatchMixture:
    """The mixture in such a file. Axes are made orthonormal again, and axes that were not stored have no variance."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        weights, variances, axes = (stored[name].astype(np.float64) for name in ("weights", "variances", "axes"))
    order = np.argsort(-variances, axis=1)
    axes = np.linalg.qr(np.take_along_axis(axes, order[:, None], axis=2))[0]
    variances = np.take_along_axis(np.where(variances > SMALLEST, variances, 0), order, axis=1)
    return PatchMixture(weights / weights.sum(), axes.astype(np.float32), variances)
