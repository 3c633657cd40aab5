"""The inputs of the golden set: shrunk sample images, and the masks, marks and maps that go with each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
IMAGES = HERE / "images"
SAMPLES = HERE.parents[1] / "sample_images"
LONGEST = 192  # pixels a side; with fewer, `--features auto` leaves texture out of account
SPACING = 12  # pixels between marks


def shrink() -> None:
    """Store each sample image as a PNG whose longer side has LONGEST pixels, by Pillow's BOX filter.

    The small images are part of the golden set, since decoders of JPEG differ in the last bit.
    """
    IMAGES.mkdir(exist_ok=True)
    for path in sorted(path for path in SAMPLES.iterdir() if path.suffix in {".png", ".jpg"}):
        with Image.open(path) as image:
            factor = LONGEST / max(image.size)
            size = (round(image.width * factor), round(image.height * factor))
            image.resize(size, Image.Resampling.BOX).save(IMAGES / f"{path.stem}.png", optimize=True)


def names() -> list[str]:
    """The images' names, sorted."""
    return sorted(path.stem for path in IMAGES.glob("*.png"))


def prepare(folder: Path) -> None:
    """Write the companions of every image to `folder`, which the option sets call {positive}, {ellipse} and so on.

    All of them follow from the pixels by whole-number arithmetic, so every machine gets the same files.
    """
    for name in names():
        with Image.open(IMAGES / f"{name}.png") as image:
            pixels = np.asarray(image).astype(np.int64)
        channels = pixels.reshape(*pixels.shape[:2], -1)
        rows, columns = np.indices(channels.shape[:2])
        height, width = channels.shape[:2]
        thirds = _thirds(channels.sum(axis=2))
        ellipse = (2 * rows + 1 - height) ** 2 * width**2 + (2 * columns + 1 - width) ** 2 * height**2
        holes = (rows[..., None] * 7 + columns[..., None] * 11 + np.arange(channels.shape[2]) * 5) % 13 > 2
        marked = (rows % SPACING == SPACING // 2) & (columns % SPACING == SPACING // 2)
        pictures = {
            "positive": (channels.min(axis=2) > 0) * 255,
            "inside": ((channels.min(axis=2) >= 20) & (channels.max(axis=2) <= 235)) * 255,
            "ellipse": (ellipse < (width * height) ** 2) * 255,
            "holes": holes.reshape(pixels.shape) * 255,
            "thirds": thirds,
            "scribbles": np.where(marked, thirds, 0),
        }
        for kind, picture in pictures.items():
            Image.fromarray(picture.astype(np.uint8)).save(companion(folder, name, kind))
        prior = np.where(thirds == np.arange(1, 4)[:, None, None], 0.5, 0.25)
        np.save(companion(folder, name, "prior"), prior)


def companion(folder: Path, name: str, kind: str) -> Path:
    """The file of that kind which belongs to the image of that name."""
    return folder / f"{name}.{kind}.{'npy' if kind == 'prior' else 'png'}"


def _thirds(values: np.ndarray) -> np.ndarray:
    """Label 1, 2 or 3 by rank: the darkest third of the pixels, the middle one, the brightest."""
    order = np.sort(values, axis=None)
    return 1 + (values >= order[order.size // 3]) + (values >= order[2 * order.size // 3])
