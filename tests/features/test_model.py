from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emseg.features.build import build_features
from emseg.image.model import Image

IMAGE = Image.from_array(np.random.default_rng(0).integers(0, 4, (6, 9, 3)).astype(np.uint8))


@pytest.mark.parametrize("spec", ["rgb", "rgb,xy"])
def test_values_go_back_to_their_pixels(spec: str) -> None:
    mask = np.random.default_rng(1).random((6, 9)) < 0.7
    features = build_features(IMAGE, spec, mask)
    assert features.n_pixels == mask.sum()
    sample = features.on_grid(np.arange(features.x.shape[1]) + 1)
    assert ((sample > 0) == mask).all()
    own = features.shift[:, None] + features.scale[:, None] * features.x
    for y, x in np.argwhere(mask):
        np.testing.assert_allclose(own[:3, sample[y, x] - 1], IMAGE.pixels[y, x], atol=1e-12)
    planes = features.on_grid(features.x)
    assert planes.shape == (len(features.names), 6, 9)
    np.testing.assert_array_equal(planes[0][mask], features.x[0][sample[mask] - 1])


@given(x=hnp.arrays(np.float64, st.tuples(st.just(6), st.just(2)), elements=st.sampled_from([0.0, 1.0, 2.0])))
def test_distinct_samples_are_counted_up_to_a_limit(x: np.ndarray) -> None:
    features = build_features(Image.from_array(x.reshape(2, 3, 2)), "bands", standard=False)
    distinct = len(np.unique(x, axis=0))
    for most in (1, 3, 9):
        assert features.n_distinct(most) == min(distinct, most)
