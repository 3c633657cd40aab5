from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2gray

from emseg.features.kinds.gray import gray

from .colours import stored


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_the_luma_is_that_of_scikit_image_on_the_stored_scale(dtype: str) -> None:
    values = stored(dtype)
    largest = float(values.max())
    np.testing.assert_allclose(gray(values)[0], rgb2gray(values.T.astype(np.float64)), atol=1e-12 * largest)


def test_a_grey_value_stays() -> None:
    values = np.arange(-5, 5, dtype=np.int16)[None]
    np.testing.assert_array_equal(gray(values), values)
