"""Objects and ground: by the convexity of outlines, by brightness, and by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emseg.regions.foreground import convex_shares, foreground

pytestmark = pytest.mark.long

MEANS = np.array([[-1.0], [1.0]])


def discs(radius: int, step: int, shape: tuple[int, int] = (150, 180)) -> NDArray[np.bool_]:
    """Discs on a grid; they touch where 2 · radius exceeds the step."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(y % step - step // 2, x % step - step // 2) <= radius


@pytest.mark.parametrize(("radius", "step"), [(4, 20), (6, 14), (10, 30), (12, 22), (14, 27), (13, 24)])
@pytest.mark.parametrize("bright", [True, False])
def test_objects_bulge_also_where_they_touch_and_cover_most(radius: int, step: int, bright: bool) -> None:
    labels = ((discs(radius, step) == bright) + 1).astype(np.uint8)
    found = foreground(labels, MEANS, "auto")
    assert found.groups == ((2,) if bright else (1,),)
    assert found.brightness == ("bright" if bright else "dark")
    assert found.why == "their shapes are the more convex ones"


def test_cells_between_thin_walls_are_objects() -> None:
    y, x = np.mgrid[:140, :140]
    walls = (y % 28 < 2) | ((x + y // 28 * 14) % 28 < 2)
    assert foreground((walls + 1).astype(np.uint8), MEANS, "auto").groups == ((1,),)


def test_where_no_outline_is_convex_objects_are_the_smaller_part() -> None:
    labels = np.repeat(np.array([1, 1, 1, 2, 1, 1], np.uint8), 10)[None].repeat(50, 0)
    found = foreground(labels, MEANS, "auto")
    assert (found.groups, found.why) == (((2,),), "they cover less")
    assert foreground(3 - labels, MEANS, "auto").groups == ((1,),)


def test_a_ball_is_an_object_in_three_dimensions() -> None:
    z, y, x = np.mgrid[:30, :40, :40]
    ball = np.sqrt((z - 15) ** 2 + (y - 20) ** 2 + (x - 20) ** 2) < 11
    assert foreground((ball + 1).astype(np.uint8), MEANS, "auto").groups == ((2,),)
    assert foreground((2 - ball).astype(np.uint8), MEANS, "auto").groups == ((1,),)


def test_classes_are_parted_where_they_differ_most() -> None:
    labels = (discs(8, 30) + 1).astype(np.uint8)
    labels[discs(5, 30)] = 3
    assert foreground(labels, np.array([[0.0], [4.0], [5.0]]), "auto").groups == ((2, 3),)  # a rim
    labels = (discs(8, 30) * 2 + 1).astype(np.uint8)
    labels[:, :90][labels[:, :90] == 1] = 2  # an uneven ground
    assert foreground(labels, np.array([[0.0], [1.0], [5.0]]), "auto").groups == ((3,),)


def test_what_has_no_data_is_neither_object_nor_ground() -> None:
    inside, valid = discs(10, 30), np.ones((150, 180), np.bool_)
    valid[:, ::30] = valid[:, 15::30] = False
    whole, parted = convex_shares(inside, valid | True), convex_shares(inside & valid, valid)
    np.testing.assert_allclose(parted, whole, atol=0.1)
    assert convex_shares(inside & False, valid) == (0, 0)


def test_noise_is_no_object() -> None:
    labels = (discs(10, 30) + 1).astype(np.uint8)
    labels[::7, ::5] = 3
    assert foreground(labels, MEANS, "bright").groups == ((2,),)
    assert foreground(labels, MEANS, "dark").groups == ((1,),)
    assert foreground(labels, MEANS, "all").groups == ((1,), (2,))


def test_classes_by_name_and_a_single_class() -> None:
    labels = np.ones((5, 6), np.uint8)
    assert foreground(labels, MEANS, ((2,), (1, 3))).groups == ((2,), (1, 3))
    assert foreground(labels, MEANS[:1], "auto").groups == ((),) or foreground(labels, MEANS[:1], "auto").groups == (
        (1,),
    )


def test_the_middle_tells_in_large_images() -> None:
    labels = np.ones((1500, 1600), np.uint8)
    labels[:, :1200] = np.tile(discs(10, 30), (10, 7))[:1500, :1200] + 1
    assert foreground(labels, MEANS, "auto").groups == ((2,),)


def test_the_foreground_of_nuclei_is_found(shared_data: Path) -> None:
    found = []
    for path in sorted((shared_data / "nuclei" / "gt").glob("*.npz")):
        labels = ((np.load(path)["segs"][0] > 0) + 1).astype(np.uint8)
        found += [foreground(labels, MEANS, "auto").groups, foreground(3 - labels, MEANS, "auto").groups]
    assert found == [((2,),), ((1,),)] * (len(found) // 2)


@pytest.mark.parametrize("bright", [True, False])
def test_what_surrounds_the_rest_is_the_ground(bright: bool) -> None:
    """A cell whose rim alone differs, and crumbs: neither is convex, but both are surrounded."""
    y, x = np.mgrid[:200, :240]
    off = np.hypot(y - 100, x - 120)
    part = ((off < 60) & (off > 48)) | ((y % 23 < 3) & (x % 31 < 9) & (y > 8) & (y < 190) & (x > 20) & (x < 220))
    labels = ((part == bright) + 1).astype(np.uint8)
    found = foreground(labels, MEANS, "auto")
    assert found.groups == ((2,) if bright else (1,),)
    assert found.why == "the others surround them"
    labels[0] = labels[-1] = labels[:, 0] = labels[:, -1] = 0  # without data there, the border says nothing
    assert foreground(labels, MEANS, "auto").groups != found.groups


def test_the_cell_is_the_object_and_not_its_ground() -> None:
    import emseg

    path = Path(__file__).parents[2] / "sample_images" / "cell.png"
    for k in (2, 3):
        report = emseg.segment(path, k=k, regions=1, foreground="auto").report
        assert report["regions"]["foreground"] == [[k]]
