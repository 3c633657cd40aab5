"""The estimate of memory is an upper bound of what a process takes, and no more than a few times that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.commands.shared_steps import memory_needed
from emseg.errors import ImageError
from emseg.image.limits import Reading
from emseg.image.read import Source
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.stages.inputs.memory import WorkingMemory

pytestmark = pytest.mark.long

SIDE = 800  # pixels; large enough for what does not grow with the image to be a small part
FIXED = 24e6  # bytes: buffers of blocks and tiles, and the table of 2²⁴ colours as far as it is used
LOOSE = 4  # times as much as was used, at most

#: Segments blocks of three colours with noise, and prints by how many bytes the peak of the process has grown since
#: the same was done to a small part, which loads all that is needed.
MEASURE = """
import json, resource, sys
import numpy as np
import emseg
options, dtype, side = json.loads(sys.argv[1]), np.dtype(sys.argv[2]), int(sys.argv[3])
def peak():
    try:  # Linux's ru_maxrss begins at that of the process that started this one, which may be large
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
rng = np.random.default_rng(0)
y, x = np.ogrid[:side, :side]
means = np.array([[60, 80, 50], [120, 110, 140], [200, 180, 190]], dtype)
image = means[(x // 97 + y // 131) % 3] + rng.integers(0, 30, (side, side, 3), dtype)
if dtype.itemsize > 1:
    image *= 200
    image += rng.integers(0, 200, image.shape, dtype)
emseg.segment(image[:64, :64], **options)
before = peak()
emseg.segment(image, **options)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell the peak of a process this way")
@pytest.mark.parametrize(
    ("options", "dtype"),
    [
        ({"features": "rgb"}, "u2"),
        ({"features": "lab,xy"}, "u1"),
        ({"mrf": "mean-field"}, "u1"),
        ({"mrf": "icm", "contrast": True}, "u1"),
        ({"regions": 50}, "u1"),
        ({"regions": "auto", "features": "rgb"}, "u2"),
    ],
    ids=str,
)
def test_the_estimate_is_a_bound_within_a_factor(options: dict[str, Any], dtype: str) -> None:
    given = {"k": 4, "max_iter": 5, **options}
    command = [sys.executable, "-c", MEASURE, json.dumps(given), dtype, str(SIDE)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    itemsize = np.dtype(dtype).itemsize
    estimate = SIDE**2 * memory_needed(SegmentOptions(**given)).bytes_per_pixel(SIDE**2, 3, itemsize)
    assert grown <= estimate + FIXED
    assert estimate <= LOOSE * grown


@pytest.mark.parametrize("pixels", [10_000, 10_000_000])
def test_more_to_do_takes_more(pixels: int) -> None:
    def need(**how: Any) -> int:
        return WorkingMemory(**{"classes": 4, **how}).bytes_per_pixel(pixels, 3, 1)

    plain, field = need(), need(field="mean-field")
    assert plain < field < need(field="mean-field", classes=8)
    assert field < need(field="mean-field", contrast=True)
    assert plain < need(regions=True) < need(regions=True, field="mean-field")
    assert plain < need(partial_volume=True) < need(partial_volume=True, compress=False)
    assert plain < need(features="lab,xy") == need(features="lab,xy", compress=False)
    assert plain < need(denoise=True)


def test_large_images_are_fitted_to_tiles_and_take_less_a_pixel() -> None:
    small, large = (WorkingMemory(4, field="mean-field").bytes_per_pixel(n, 3, 1) for n in (500_000, 500_001))
    assert large < small


def test_a_file_that_would_take_too_much_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    PIL.Image.fromarray(np.zeros((900, 900, 3), np.uint8)).save(path)
    little = Source(path, Reading(max_memory=100_000_000))
    with pytest.raises(ImageError, match=r"900 × 900 pixels take about 345 MB of memory, allowed are 100 MB"):
        emseg.segment(little, k=8, regions="auto")
    with pytest.raises(ImageError, match="take about"):
        emseg.segment(little, k=8, mrf="mean-field")
    with pytest.raises(emseg.EmsegError, match="all pixels are equal"):
        emseg.segment(little, k=8)
