"""Samples grouped by what was observed of them, against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.conditional.missing_patterns import WORD, grouped


@pytest.mark.parametrize("d", [1, 3, WORD, WORD + 3])
def test_every_sample_is_with_those_of_its_pattern(d: int) -> None:
    rng = np.random.default_rng(d)
    x = rng.normal(size=(d, 200))
    x[:, :150][np.repeat(rng.random((d, 5)) < 0.4, 30, axis=1)] = np.nan
    x[:, 0] = np.nan
    wanted: dict[tuple[int, ...], list[int]] = {}
    for place in range(200):
        seen = tuple(np.flatnonzero(~np.isnan(x[:, place])).tolist())
        if seen:
            wanted.setdefault(seen, []).append(place)
    found = {tuple(seen.tolist()): which.tolist() for seen, which in grouped(x)}
    assert found == wanted


def test_whole_samples_have_no_groups() -> None:
    assert grouped(np.zeros((2, 5))) == []
