from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from emseg.regions.measures.runs import runs_of


@pytest.mark.parametrize("shape", [(30, 40), (1, 9), (9, 1), (7, 8, 9)])
def test_areas_centres_and_ends(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 4, shape).astype(np.int32)
    runs = runs_of(ids, 3)
    assert runs.areas.tolist() == [np.count_nonzero(ids == i) for i in (1, 2, 3)]
    np.testing.assert_allclose(runs.centres, np.array(ndimage.center_of_mass(ids > 0, ids, (1, 2, 3))))
    assert int(runs.lengths.sum()) == np.count_nonzero(ids)
    owners, rows, first, last = runs.row_ends()
    assert (np.diff(owners) >= 0).all()
    for owner, row, begin, end in zip(owners.tolist(), rows.tolist(), first.tolist(), last.tolist(), strict=True):
        columns = np.flatnonzero(ids[tuple(row)] == owner + 1)
        assert (begin, end) == (columns[0], columns[-1])


def test_no_regions() -> None:
    runs = runs_of(np.zeros((3, 4), np.int32), 0)
    assert runs.areas.size == runs.row_ends()[0].size == 0
