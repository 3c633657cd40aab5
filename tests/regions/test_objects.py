"""Objects on a ground: holes and specks, several kinds of them, and what is cut."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emseg.regions.objects import find_objects


def picture() -> NDArray[np.uint8]:
    """Two touching discs of class 2 with a hole of 9 pixels, a disc of class 3 in a rim of 2, and two specks."""
    y, x = np.mgrid[:60, :120]
    labels = np.ones(y.shape, np.uint8)
    labels[(np.hypot(y - 20, x - 20) < 12) | (np.hypot(y - 20, x - 41) < 12)] = 2
    labels[19:22, 19:22] = 1
    labels[np.hypot(y - 30, x - 80) < 14] = 2
    labels[np.hypot(y - 30, x - 80) < 9] = 3
    labels[50:53, 10:12] = 2
    labels[50, 60] = 3
    return labels


def found(groups: tuple[tuple[int, ...], ...], smallest: int | str = 20, neck: float | None = 0.85) -> tuple:
    labels = picture()
    return find_objects(labels, labels[None].astype(float), groups, smallest, neck, None)


def test_objects_of_one_class() -> None:
    ids, facts = found(((2,),))
    assert facts == {"count": 3, "least": 20, "specks": 1, "touching": 2}
    assert ids[20, 20] == 1
    assert ids[20, 41] == 2
    assert ids[30, 80] == 0
    assert (ids[50:53, 10:12] == 0).all()
    assert found(((2,),), neck=None)[1] == {"count": 2, "least": 20, "specks": 1}


def test_classes_of_one_group_make_objects_together() -> None:
    ids, facts = found(((2, 3),))
    assert facts["count"] == 3
    assert np.count_nonzero(ids == ids[30, 80]) == np.count_nonzero(
        np.hypot(*(np.mgrid[:60, :120] - [[[30]], [[80]]])) < 14
    )


def test_classes_of_several_groups_make_objects_apart() -> None:
    ids, facts = found(((2,), (3,)))
    assert facts["count"] == 4
    assert 0 < ids[30, 80] != ids[30, 92] > 0


def test_specks_stay_where_they_are_wanted() -> None:
    ids, facts = found(((2, 3),), smallest=1)
    assert ids[50, 60] != ids[51, 11] != ids[30, 80]
    assert (ids[50, 60], ids[51, 11], facts["specks"]) == (4, 3, 0)
    assert found(((2, 3),), smallest="auto")[1] == {"count": 3, "least": 17, "specks": 2, "touching": 2}


@pytest.mark.parametrize("neck", [None, 0.85])
def test_no_objects_at_all(neck: float | None) -> None:
    labels = np.ones((8, 9), np.uint8)
    labels[0] = 0
    for groups in (((2,),), ((),)):
        ids, facts = find_objects(labels, labels[None].astype(float), groups, "auto", neck, None)
        assert facts["count"] == ids.max() == 0
    everything, _ = find_objects(labels, labels[None].astype(float), ((1,),), "auto", neck, None)
    assert ((everything == 1) == (labels == 1)).all()
    nothing, _ = find_objects(labels * 0, labels[None].astype(float), ((1,),), "auto", neck, None)
    assert nothing.max() == 0


def test_what_has_no_data_has_no_number() -> None:
    labels = picture()
    labels[:, 30] = 0
    ids, _ = find_objects(labels, labels[None].astype(float), ((2, 3),), 20, None, None)
    assert (ids[labels == 0] == 0).all()
    assert ids.max() == 3
