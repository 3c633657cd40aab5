"""The chart, read back: parsed as XML, its paths measured against its own axes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.output.charts.svg import PANEL, Axis, Line, Panel, chart_svg

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def parse(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def groups(svg: bytes) -> dict[str, ElementTree.Element]:
    """The groups of the lines of a chart of one panel, by the name that is written at their ends."""
    return {
        str(group.findtext(f"{SVG}text")): group for group in parse(svg).iter(f"{SVG}g") if group.get("class") == "line"
    }


def points(group: ElementTree.Element) -> np.ndarray:
    path = group.find(f"{SVG}path")
    assert path is not None
    return np.array(NUMBER.findall(path.get("d", "")), float).reshape(-1, 2)


def ticks(svg: bytes, axis: int, log: bool) -> np.ndarray:
    """Values written at an axis and where they stand, (n, 2); logarithms of values on a logarithmic axis."""
    found = []
    powers = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    for text in parse(svg).iter(f"{SVG}text"):
        written = (text.text or "").replace("−", "-").replace("\u202f", "")
        if text.get("text-anchor") != ("middle", "end")[axis] or not re.match(r"[-\d.]", written):
            continue
        power = re.fullmatch(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", written)
        value = 10.0 ** int(power[1].translate(powers)) if power else float(written)
        at = float(text.get("xy"[axis], "")) - 4 * axis
        found.append((np.log(value) if log else value, at))
    return np.array(found)


@pytest.mark.parametrize(("log_x", "log_y"), [(False, False), (True, False), (False, True), (True, True)])
def test_paths_lie_where_the_ticks_say(log_x: bool, log_y: bool) -> None:
    x, y = np.arange(1.0, 90), 3.0 * 0.8 ** np.arange(89)
    svg = chart_svg("t", "s", [Panel("p", "x", [Line("em", x, y)], log_x, log_y)])
    drawn = points(groups(svg)["em"])
    for axis, log, data in ((0, log_x, x), (1, log_y, y)):
        marks = ticks(svg, axis, log)
        assert len(marks) >= 3
        slope, offset = np.polyfit(marks[:, 0], marks[:, 1], 1)
        if len(drawn) == len(data):
            assert drawn[:, axis] == pytest.approx(slope * (np.log(data) if log else data) + offset, abs=0.2)
        ends = np.array([data[0], data[-1]])
        assert drawn[[0, -1], axis] == pytest.approx(slope * (np.log(ends) if log else ends) + offset, abs=0.2)


def test_what_is_below_the_least_value_lies_on_the_axis() -> None:
    line = Line("a", [1, 2, 3, 4], [1.0, 1e-4, 0.0, -1.0])
    svg = chart_svg("t", "s", [Panel("p", "x", [line], log_y=True, least_y=1e-6)])
    heights = points(groups(svg)["a"])[:, 1]
    assert heights[2] == heights[3] == heights.max()
    assert heights[1] == pytest.approx(heights[0] + PANEL[1] * 4 / 6, abs=0.2)


@given(st.floats(-1e6, 1e6, allow_subnormal=False), st.floats(1e-6, 1e6, allow_subnormal=False))
def test_ticks_are_round_few_and_inside(low: float, extent: float) -> None:
    axis = Axis(low, low + max(extent, 1e-6 * abs(low)), 0.0, 100.0)
    found = list(axis.ticks())
    assert 2 <= len(found) <= 7
    slack = 1e-6 * (axis.high - axis.low)
    assert all(axis.low - slack <= value <= axis.high + slack for value in found)
    assert len(set(axis.ticks().values())) == len(found)


@given(st.floats(-12, 3), st.floats(0.5, 15))
def test_logarithmic_ticks_stay_inside(first: float, decades: float) -> None:
    axis = Axis(10**first, 10 ** (first + decades), 0.0, 100.0, log=True)
    found = axis.ticks()
    assert 1 <= len(found) <= 12
    assert all(axis.low * 0.99 <= value <= axis.high * 1.01 for value in found)


@pytest.mark.parametrize(("value", "text"), [(1e-8, "10⁻⁸"), (1.0, "1"), (100.0, "100"), (1e6, "10⁶")])
def test_powers_are_written_as_people_do(value: float, text: str) -> None:
    ticks = Axis(value / 1.5, value * 1.5, 0, 1, log=True).ticks()
    assert list(ticks) == [pytest.approx(value)]
    assert list(ticks.values()) == [text]


def test_every_line_has_its_own_look() -> None:
    lines = [Line(f"a{i}", [1, 2], [i, i + 1]) for i in range(20)]
    found = groups(chart_svg("t", "s", [Panel("p", "x", lines)]))
    paths = [group.find(f"{SVG}path") for group in found.values()]
    assert len({(path.get("stroke"), path.get("stroke-dasharray")) for path in paths if path is not None}) == 20


def test_a_line_looks_the_same_in_every_panel() -> None:
    a, b = Line("a", [1, 2], [1, 2]), Line("b", [1, 2], [2, 3])
    svg = chart_svg("t", "s", [Panel("p", "x", [a, b]), Panel("q", "x", [b, a])])
    found = [group for group in parse(svg).iter(f"{SVG}g") if group.get("class") == "line"]
    looks = {(group.findtext(f"{SVG}text"), group[0].get("stroke")) for group in found}
    assert len(found) == 4
    assert len(looks) == 2


@pytest.mark.parametrize("name", ["<script>&\"'.png", "a\x00b\x1b[31m", "\udcff.png", "]]>", "x\u2028y", "日本.png"])
def test_hostile_names_stay_text(name: str) -> None:
    svg = chart_svg(name, name, [Panel(name, name, [Line(name, [1, 2], [1, 2], name)])])
    tree = parse(svg)
    assert tree.find(f"{SVG}script") is None
    shown = tree.findtext(f"{SVG}title")
    assert shown == "".join(c if c.isprintable() else "\ufffd" for c in name)


@pytest.mark.parametrize("y", [[5.0], [5.0, 5.0], [0.0, 0.0]])
def test_flat_and_short_lines_are_drawn(y: list[float]) -> None:
    for log in (False, True):
        lines = [Line("a", list(range(1, len(y) + 1)), y)]
        svg = chart_svg("t", "s", [Panel("p", "x", lines, log, log, 1e-9 if log else None)])
        assert points(groups(svg)["a"]).shape[0] >= 1
        assert b"nan" not in svg


def test_it_needs_nothing_from_elsewhere() -> None:
    svg = chart_svg("t", "s", [Panel("p", "x", [Line("a", [1, 2], [1, 2])])]).decode()
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in svg
    assert "href" not in svg
