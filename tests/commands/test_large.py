"""Large images, which take too long for every run: `make slow`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from tests.benchmarks.measure import run_apart, segment


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [((4000, 3000), 300), ((8000, 6000), 700)], ids=["12 MP", "48 MP"])
def test_memory_and_the_true_regions_of_a_large_phantom(
    size: tuple[int, int], most: int, samples: Path, tmp_path: Path
) -> None:
    """Peak memory in MB stays below the target, and the regions are those of the small phantom."""
    with PIL.Image.open(samples / "phantom.png") as small:
        small.convert("RGB").resize(size, PIL.Image.Resampling.NEAREST).save(tmp_path / "large.png", compress_level=1)
    with PIL.Image.open(samples / "truth" / "phantom.labels.png") as truth:
        expected = np.asarray(truth.resize(size, PIL.Image.Resampling.NEAREST))
    assert run_apart(segment(tmp_path / "large.png", tmp_path / "out", "lab")).peak < most
    with PIL.Image.open(tmp_path / "out" / "large.labels.png") as labels:
        assert np.array_equal(np.asarray(labels), expected)
    assert json.loads((tmp_path / "out" / "large.json").read_bytes())["pixels"] == expected.size
