"""What every test may use."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import settings
from skimage import color

ROOT = Path(__file__).parents[1]
Picture = tuple[np.ndarray, np.ndarray]

# Never a verdict by the clock. The same examples on every machine, unless the environment asks for others every time.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("random", deadline=None, derandomize=False, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


# A suite that a shell runs in the background ignores Ctrl-C, and under nohup a hangup. Programs it starts must not.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of larger test data kept beside the repository; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the data folder ../shared/data, which is not here")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "sample_images"


@pytest.fixture(scope="session")
def picture() -> Picture:
    """A noisy uint8 RGB image (40, 60, 3) of three colours, and its true label map; darkest first."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :60]
    truth = 1 + (x + y > 45).astype(np.uint8) + (np.hypot(x - 45, y - 12) < 9)
    means = np.array([[30, 60, 40], [120, 70, 60], [200, 210, 180]])
    noisy = means[truth - 1] + rng.normal(0, 9, (40, 60, 3)) @ np.array([[1, 0.3, 0], [0, 1, 0.2], [0, 0, 0.6]])
    return np.clip(noisy.round(), 0, 255).astype(np.uint8), truth


@pytest.fixture(scope="session")
def measured() -> Callable[[np.ndarray, str], np.ndarray]:
    """Features of an array by scikit-image and plain numpy: samples (H·W, D) in own units."""

    def measure(array: np.ndarray, spec: str) -> np.ndarray:
        planes: list[np.ndarray] = []
        for name in (part.split(":")[0] for part in spec.split(",")):
            if name == "lab":
                planes.append(color.rgb2lab(array))
            elif name == "xy":
                planes.append(np.moveaxis(np.indices(array.shape[:2])[::-1], 0, -1))
            else:
                planes.append(np.atleast_3d(array))
        return np.concatenate(planes, axis=2).reshape(-1, sum(p.shape[2] for p in planes)).astype(float)

    return measure


@pytest.fixture
def label_file(tmp_path: Path) -> Callable[[np.ndarray], str]:
    """Write a label map as a grey PNG and return its path."""

    def write(labels: np.ndarray) -> str:
        path = tmp_path / "start.png"
        PIL.Image.fromarray(labels.astype(np.uint8)).save(path)
        return str(path)

    return write
