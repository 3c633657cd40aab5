from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from emseg.output.charts.comparison import comparison_svg

from ..comparisons import REPORT, TRACES
from ..segmented import Row

SVG = "{http://www.w3.org/2000/svg}"


def lines(svg: bytes) -> list[ElementTree.Element]:
    return [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g") if group.get("class") == "line"]


def test_both_panels_show_every_algorithm_that_ran() -> None:
    found = [group.findtext(f"{SVG}text") for group in lines(comparison_svg(REPORT, TRACES))]
    assert sorted(filter(None, found)) == ["em", "em", "squarem", "squarem"]


def test_a_pointer_shows_the_numbers() -> None:
    notes = {group.findtext(f"{SVG}title") for group in lines(comparison_svg(REPORT, TRACES))}
    assert any(note and note.startswith("em: 6 E-steps, 5 iterations; log-likelihood") for note in notes)


@pytest.mark.parametrize(("steps", "logarithmic"), [(40, False), (60, True)])
def test_e_steps_are_logarithmic_where_traces_differ_much(steps: int, logarithmic: bool) -> None:
    """Of six E-steps, eight times as many are 48."""
    long = [Row(i, e_steps=i + 1, log_likelihood=-1000 - 100 / 2**i) for i in range(steps)]
    svg = comparison_svg(REPORT, {"em": TRACES["em"], "squarem": long})
    path = lines(svg)[0].find(f"{SVG}path")
    assert path is not None
    x = [float(point.split(",")[0]) for point in path.get("d", "")[1:].split()]
    even = math.isclose(x[2] - x[1], x[1] - x[0], rel_tol=0.1)
    assert even != logarithmic


def test_rows_without_a_likelihood_are_left_out() -> None:
    broken = [Row(0, e_steps=1, log_likelihood=math.nan), *TRACES["em"][1:]]
    svg = comparison_svg(REPORT, {"em": broken})
    assert b"nan" not in svg
    assert len(lines(svg)) == 2
