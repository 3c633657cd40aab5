"""What restoring is measured on: photographs of scikit-image that the shipped mixture of patches was not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

SIZE = 256


def grey() -> Mapping[str, np.ndarray]:
    """Grey pictures (256, 256) of 0 to 255."""
    return {
        "camera": _grey(skimage.data.camera(), 0.5),
        "chelsea": _grey(skimage.data.chelsea(), 1, 22, 90),
        "coins": _grey(skimage.data.coins(), 1, 30, 60),
        "rocket": _grey(skimage.data.rocket(), 1, 150, 180),
        "brick": _grey(skimage.data.brick(), 0.5),
    }


def photographs() -> Mapping[str, np.ndarray]:
    """Grey photographs of other sizes, as cameras took them."""
    return {
        "camera": skimage.data.camera()[40:361, 20:501].astype(float),
        "chelsea": _whole(skimage.data.chelsea()),
        "rocket": _whole(skimage.data.rocket())[:, 80:561],
        "coins": skimage.data.coins().astype(float),
    }


def textures() -> Mapping[str, np.ndarray]:
    """Grey pictures (256, 256) with texture everywhere."""
    return {name: _grey(getattr(skimage.data, name)(), 0.5) for name in ("brick", "grass", "gravel")}


def large() -> Mapping[str, np.ndarray]:
    """A grey picture (512, 512)."""
    return {"camera": skimage.data.camera().astype(float)}


def colour() -> Mapping[str, np.ndarray]:
    """Pictures (256, 256, 3) of 0 to 255."""
    return {
        "chelsea": skimage.data.chelsea()[22:278, 90:346].astype(float),
        "rocket": skimage.data.rocket()[150:406, 180:436].astype(float),
        "tissue": skimage.data.immunohistochemistry()[:256, :256].astype(float),
    }


#: Pictures by the first word of a job.
SETS: Mapping[str, Callable[[], Mapping[str, np.ndarray]]] = {
    "grey": grey,
    "photographs": photographs,
    "large": large,
    "colour": colour,
    "sigma": grey,
    "texture": textures,
    "fill": grey,
}


def noisy(clean: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """A picture with white noise."""
    return clean + np.random.default_rng(seed).normal(0, sigma, clean.shape)


def stored(picture: np.ndarray) -> np.ndarray:
    """What an 8-bit file holds of it."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def masks(shape: tuple[int, int]) -> Mapping[str, np.ndarray]:
    """What is missing, by kind."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: shape[0], : shape[1]]
    scratches = np.zeros(shape, bool)
    for _ in range(6):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.3, 0.3)
        along = np.cos(angle) * (x / shape[1] - 0.5) + np.sin(angle) * (y / shape[0] - 0.5) - offset
        scratches |= np.abs(along + 0.02 * np.sin(9 * (x + y) / shape[0])) < 0.006
    return {
        "50 % missing": rng.random(shape) < 0.5,
        "80 % missing": rng.random(shape) < 0.8,
        "scratches": scratches,
        "text": _text(shape),
    }


def _text(shape: tuple[int, int]) -> np.ndarray:
    """Lines of letters all over."""
    page = Image.new("L", shape[::-1])
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for line, top in enumerate(range(4, shape[0], 22)):
        pen.text((3 + 5 * (line % 3), top), "the quick brown fox jumps over the lazy dog 0123"[line:], 255, font)
    return np.asarray(page) > 100


def _whole(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).convert("L"), float)


def _grey(picture: np.ndarray, scale: float, top: int = 0, left: int = 0) -> np.ndarray:
    shown = Image.fromarray(picture).convert("L")
    if scale != 1:
        shown = shown.resize((int(shown.width * scale), int(shown.height * scale)), Image.Resampling.LANCZOS)
    return np.asarray(shown, float)[top : top + SIZE, left : left + SIZE]
