"""The marked object as a picture: its colours, with the ground transparent and its border soft."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.mrf.marked.connected_parts import ground_of
from emseg.numerics.quantiles import quantiles
from emseg.output.pictures.png_encoder import encode
from emseg.output.pictures.slices import as_plane, montage
from emseg.output.segmented import Segmented
from emseg.restore.matting import matte

DEFAULT_STRATEGY = 0  # of zlib


def cutout_file(result: Segmented) -> bytes:
    """The object as an 8-bit PNG with alpha; of a volume, a montage of its slices.

    Objects are the classes that `foreground` names, else all but the ground.
    """
    image, labels = as_plane(result.image, result.labels)
    chances = result.posterior()[[label - 1 for label in objects(result)]].sum(0)
    volume = result.image.metadata.get("volume")
    posterior = chances if volume is None else montage(chances, volume)
    pixels, scale = _pixels(image)
    found = matte(pixels, np.where(labels > 0, posterior, 0).astype(np.float32), scale)
    alpha = found.alpha if image.alpha is None else found.alpha * _share(image.alpha)
    picture = np.rint(np.concatenate([found.colours, alpha[..., None]], axis=2) * 255).astype(np.uint8)
    picture[picture[..., -1] == 0] = 0  # what is cut away is not in the file
    mode = "RGBA" if picture.shape[2] == 4 else "LA"
    dpi = image.metadata.get("resolution")
    return encode(mode, picture, DEFAULT_STRATEGY, dpi=dpi)


def objects(result: Segmented) -> tuple[int, ...]:
    """Labels of the classes that are objects."""
    named = re.findall(r"\d+", str(result.report.get("options", {}).get("foreground", "")))  # as 2,3+4; or a word
    if named:
        return tuple(sorted(set(map(int, named))))
    k = result.mixture.n_classes
    ground = result.report.get("mrf", {}).get("ground")
    if ground is None:
        ground = ground_of(np.where(result.labels > 0, result.labels - 1, k), k) + 1
    return tuple(label for label in range(1, k + 1) if label != ground)


def _pixels(image: Image) -> tuple[NDArray[Any], float]:
    """Values to show, (H, W, 1 or 3), and the one that is white; bands and floats are stretched, in grey if need be."""
    pixels = image.pixels
    if pixels.shape[2] in (1, 3) and pixels.dtype in (np.uint8, np.uint16):
        return pixels, float(np.iinfo(pixels.dtype).max)
    shown = pixels if pixels.shape[2] in (1, 3) else pixels.astype(np.float32).mean(2, keepdims=True)
    wide = np.nan_to_num(shown.astype(np.float32), posinf=0, neginf=0)
    sample = wide[... if image.valid is None else image.valid].ravel()[:: max(1, wide.size >> 16)]
    low, high = quantiles(sample, 0.01, 0.99) if sample.size else (0.0, 1.0)
    return np.clip((wide - low) / ((high - low) or 1.0), 0, 1), 1.0


def _share(alpha: NDArray[Any]) -> NDArray[np.float32]:
    """Opacity as a share of the whole."""
    most = float(np.iinfo(alpha.dtype).max) if alpha.dtype.kind in "ui" else 1.0
    return np.asarray(alpha, np.float32).reshape(alpha.shape[:2]) / np.float32(most)
