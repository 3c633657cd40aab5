from __future__ import annotations

import numpy as np

from emseg.features.feature import Pixels
from emseg.features.kinds.xy import FEATURE
from emseg.image.model import Image


def test_columns_and_rows_of_valid_pixels() -> None:
    valid = np.random.default_rng(0).random((6, 9)) < 0.5
    image = Image.from_array(np.zeros((6, 9)))
    rows, columns = np.nonzero(valid)
    np.testing.assert_array_equal(FEATURE.measure(Pixels(image, valid.ravel())), [columns, rows])
    assert FEATURE.measure(Pixels(image, None))[:, -1].tolist() == [8, 5]
