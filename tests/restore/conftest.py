"""Pictures that the tests of restoring share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photo(samples: Path) -> np.ndarray:
    """A face in a photograph, grey, float32, shape (64, 64)."""
    with Image.open(samples / "camera.png") as picture:
        return np.asarray(picture.convert("L").resize((256, 256)).crop((60, 30, 124, 94)), np.float32)
