"""What follows from the options of a segmentation."""

from __future__ import annotations

import dataclasses

import pytest

from emseg.options.declarations.segmentation import SegmentOptions


@pytest.mark.parametrize(("k", "ends"), [(4, (4, 4)), ("2:7", (2, 7)), ("auto", (1, 9))])
def test_ends_of_the_range(k: int | str, ends: tuple[int, int]) -> None:
    assert SegmentOptions(k=k).k_range == ends


@pytest.mark.parametrize(
    ("regions", "merge", "shortest"),
    [
        (0, "auto", False),
        (0, "default", False),
        (50, "default", False),
        (50, 0.5, False),
        (50, "auto", True),
        ("auto", "default", True),
        ("auto", 0.5, False),
        ("auto", "auto", True),
    ],
)
def test_whether_the_description_is_shortened(regions: int | str, merge: float | str, shortest: bool) -> None:
    assert SegmentOptions(regions=regions, merge=merge).shortest is shortest


def test_a_file_is_no_search() -> None:
    assert all(SegmentOptions(init=init).searches for init in ("auto", "kmeans++", "random"))
    assert not SegmentOptions(init="model.json").searches


def test_options_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SegmentOptions().k = 3  # type: ignore[misc]
