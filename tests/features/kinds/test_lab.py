from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from emseg.features.kinds.lab import lab

from .colours import stored, unit


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_it_is_that_of_scikit_image(dtype: str) -> None:
    values = stored(dtype)
    np.testing.assert_allclose(lab(values).T, rgb2lab(unit(values)), atol=1e-10)


def test_white_and_black() -> None:
    np.testing.assert_allclose(lab(np.array([[255, 0]] * 3, np.uint8))[0], [100, 0], atol=1e-4)
