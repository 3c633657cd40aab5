"""Label maps do not depend on the processor: the same images under the kernels that OpenBLAS has for others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.kernels import Configuration, kernels

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CORES = ("Haswell", "SkylakeX", "Zen", "Nehalem", "Prescott")
IMAGES, SIDE = 20, 96  # how many pictures, and their side in pixels
WORK = {
    "segment": ["segment", "-k", "4"],
    "gibbs": ["segment", "-k", "3", "--mrf", "gibbs"],
    "regions": ["segment", "-k", "4", "--regions", "20"],
    "denoise": ["denoise", "--fast", "--workers", "1"],
}
ENDS = {"denoise": ".denoised.png", "regions": ".regions.png"}


def pictures(folder: Path, samples: Path) -> list[Path]:
    """Parts of the sample images, and of noise and shapes."""
    rng, made = np.random.default_rng(0), []
    files = sorted(path for path in samples.iterdir() if path.suffix in (".png", ".jpg"))
    for number in range(IMAGES):
        with Image.open(files[number % len(files)]) as picture:
            whole = np.asarray(picture.convert("RGB"))
        y, x = (int(rng.integers(0, max(length - SIDE, 1))) for length in whole.shape[:2])
        made.append(folder / f"p{number:02d}.png")
        Image.fromarray(whole[y : y + SIDE, x : x + SIDE]).save(made[-1])
    return made


def usable() -> Iterator[str]:
    """The kernels that this processor can run, each once."""
    seen = set[str]()
    for core in CORES:
        used, reason = kernels(Configuration(core, 1))
        if not reason and used not in seen:
            seen.add(used)
            yield core


def results(core: str, files: list[Path], folder: Path) -> dict[tuple[str, str], np.ndarray]:
    """The maps and pictures of all work, in processes under the kernels of a processor."""
    found = {}
    environment = os.environ | {"OPENBLAS_CORETYPE": core, "OPENBLAS_NUM_THREADS": "1"}
    for name, words in WORK.items():
        out = folder / core / name
        command = [sys.executable, "-m", "emseg", *words, "-q", "-o", str(out), *map(str, files)]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        for path in files:
            with Image.open(out / f"{path.stem}{ENDS.get(name, '.labels.png')}") as picture:
                found[name, path.stem] = np.asarray(picture)
    return found


def test_the_same_under_all_kernels(tmp_path: Path, samples: Path) -> None:
    """Label maps and regions are equal; denoised pictures differ by 1 at most. Prints how many differ."""
    first, *others = usable()
    files = pictures(tmp_path, samples)
    reference = results(first, files, tmp_path)
    wrong = []
    print(f"\n{len(files)} images against {first}: images that differ, and by how much at most")
    for core in others:
        found = results(core, files, tmp_path)
        for name in WORK:
            gaps = [np.abs(found[key].astype(int) - reference[key]) for key in reference if key[0] == name]
            most, count = max(int(gap.max()) for gap in gaps), sum(bool(gap.any()) for gap in gaps)
            print(
                f"{core:10s} {name:8s} {count:3d} images, {most:3d}, {sum(int((gap > 0).sum()) for gap in gaps)} pixels"
            )
            wrong += [(core, name, count, most)] if most > (name == "denoise") else []
    assert not wrong
