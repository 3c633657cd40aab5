"""Units in the names of columns, and what the numbers then are."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.image.place.pixel_size import PixelSize
from emseg.regions.measures.runs import runs_of
from emseg.regions.measures.shape_columns import shape_columns, touches_border

PLANE = np.zeros((40, 60), np.int32)
PLANE[10:20, 20:50] = 1
VOLUME = np.zeros((20, 30, 40), np.int32)
VOLUME[5:15, 5:25, 5:35] = 1


def columns(ids: np.ndarray, size: PixelSize | None) -> dict[str, float]:
    return {name: float(values[0]) for name, values in shape_columns(ids, runs_of(ids, 1), size).items()}


def test_pixels() -> None:
    found = columns(PLANE, None)
    assert list(found) == [
        *("perimeter_px", "major_axis_px", "minor_axis_px", "eccentricity", "orientation_deg", "solidity"),
    ]
    assert found["solidity"] == 1
    assert found["perimeter_px"] == 2 * 29 + 2 * 9
    assert abs(found["orientation_deg"]) == pytest.approx(90)
    assert found["major_axis_px"] == pytest.approx(4 * ((30**2 - 1) / 12) ** 0.5)


def test_square_pixels_in_micrometres() -> None:
    plain, found = columns(PLANE, None), columns(PLANE, PixelSize((0.325, 0.325), "µm"))
    assert plain.items() <= found.items()
    assert found["area_um2"] == pytest.approx(300 * 0.325**2)
    for name in ("perimeter", "major_axis", "minor_axis"):
        assert found[f"{name}_um"] == pytest.approx(0.325 * plain[f"{name}_px"])


def test_oblong_pixels_in_metres() -> None:
    found = columns(PLANE, PixelSize((30.0, 10.0), "m"))
    assert found["area_m2"] == 300 * 300
    assert found["major_axis_m"] == pytest.approx(300, rel=0.2)
    assert found["eccentricity"] < 0.2  # 300 m by 300 m on the ground
    assert found["perimeter_m"] == pytest.approx(1200, rel=0.15)


def test_volumes_in_millimetres() -> None:
    found = columns(VOLUME, PixelSize((2.0, 1.0, 1.0), "mm"))
    assert "eccentricity" not in found
    assert found["volume_mm3"] == 10 * 20 * 30 * 2
    assert found["solidity"] == 1
    assert found["surface_mm2"] == pytest.approx(2 * (20 * 20 + 20 * 30 + 20 * 30), rel=0.15)
    axes = [found[f"{name}_axis_mm"] for name in ("major", "middle", "minor")]
    assert axes == pytest.approx([2 * (5 * (n**2 - 1) / 12) ** 0.5 * side for n, side in ((30, 1), (20, 1), (10, 2))])


@pytest.mark.parametrize("size", [PixelSize((1e-4, 1e-4), "degree"), PixelSize((1.0, 1.0, 1.0), "mm"), None])
def test_what_is_no_length_has_no_column(size: PixelSize | None) -> None:
    assert columns(PLANE, size) == columns(PLANE, None)


def test_borders() -> None:
    first, sides = np.array([[0, 3, 2, 9], [2, 0, 2, 1]]), np.array([[2, 2, 2, 1], [2, 5, 2, 3]])
    assert touches_border(first, sides, (10, 8)).tolist() == [1, 1, 0, 1]
    assert touches_border(first * 0, sides * 0 + 1, (1, 8)).tolist() == [1, 1, 1, 1]
    assert touches_border(first * 0 + [[0], [2]], sides * 0 + 1, (1, 8)).tolist() == [0] * 4
