"""The images that speed and memory are measured on: made once, the same everywhere, kept in the temporary folder.

scikit-image's photographs, enlarged (bicubic), with Gaussian noise of standard deviation 3 in every channel, saved as
JPEG of quality 90: as many distinct colours as a camera's file has. Run as a script, it makes one.
"""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import python, run

SIZES = {
    "coffee": {0.25: (612, 408), 1: (1224, 816), 12: (4000, 3000), 48: (8000, 6000)},
    "astronaut": {0.25: (500, 500), 1: (1000, 1000), 12: (4000, 3000), 48: (8000, 6000)},
}


def image(name: str, megapixels: float) -> Path:
    """The path of a test image, made first if need be."""
    folder = Path(tempfile.gettempdir()) / f"emseg-benchmarks-{getpass.getuser()}"
    path = folder / f"{name}-{megapixels:g}mp.jpg"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        width, height = SIZES[name][megapixels]
        run(python("images", name, width, height, path))
    return path


def make(name: str, width: int, height: int, path: Path) -> None:
    """Write one test image."""
    import numpy as np
    import skimage.data
    from PIL import Image

    photograph = Image.fromarray(getattr(skimage.data, name)())
    pixels = np.array(photograph.resize((width, height), Image.Resampling.BICUBIC))
    rng = np.random.default_rng(0)
    for rows in np.array_split(
        pixels, max(1, width * height // 1_000_000)
    ):  # views: a few megabytes of noise at a time
        noise = rng.standard_normal(rows.shape, np.float32)
        rows[:] = np.clip(np.rint(rows + 3 * noise), 0, 255)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    Image.fromarray(pixels).save(unfinished, "JPEG", quality=90)
    unfinished.replace(path)


if __name__ == "__main__":
    make(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
