from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from emseg.em.convergence import Status
from emseg.output.pictures.palette import palette
from emseg.output.tables.summary import summary_text

REPORT: dict[str, Any] = {
    "input": {"path": "in/photo.png"},
    "size": [640, 480],
    "K": 3,
    "features": {"spec": "lab,xy:0.5"},
    "noise": None,
    "pixel_counts": [100, 0, 300],
    "status": Status.CONVERGED.value,
    "iterations": 7,
    "log_likelihood_per_pixel": -10.1234,
    "outputs": {"photo.labels.png": "0", "photo.log.csv": "1"},
}
MEANS = np.array([[0, 16, 255], [1, 2, 3], [255, 254, 253]], np.uint8)


def visible(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def hexadecimal(rgb: Any) -> str:
    return "#" + bytes(rgb.tolist()).hex()


def test_what_is_said() -> None:
    assert summary_text(REPORT, MEANS, False, "out/photo.json") == (
        "in/photo.png: 640 × 480 pixels in 2 classes by lab,xy:0.5\n"
        "  converged after 7 iterations, log-likelihood -10.1234 per pixel\n"
        "  class            share                            mean colour\n"
        "      1  #0072b2   25.0%  ██████                    #0010ff\n"
        "      2  #e69f00    0.0%                            #010203\n"
        "      3  #009e73   75.0%  ██████████████████        #fffefd\n"
        "  → out: photo.labels.png, photo.log.csv, photo.json"
    )


def test_connected_regions_are_told_from_classes() -> None:
    first = summary_text(REPORT | {"regions": {"count": 1}}, MEANS, False).splitlines()[0]
    assert first == "in/photo.png: 640 × 480 pixels in 1 region of 2 classes by lab,xy:0.5"


def test_colour_only_adds_swatches() -> None:
    plain, bright = (summary_text(REPORT, MEANS, colour, "photo.json").splitlines() for colour in (False, True))
    assert not any("\x1b" in line for line in plain)
    for i, line in enumerate(bright[3:6]):
        blocks = re.findall(r"\x1b\[48;2;(\d+);(\d+);(\d+)m {3}\x1b\[0m (#\w{6})", line)
        expected = [palette(3)[i + 1], MEANS[i]]
        assert [[int(c) for c in block[:3]] for block in blocks] == [colour.tolist() for colour in expected]
        assert [block[3] for block in blocks] == [hexadecimal(colour) for colour in expected]
        assert visible(line).replace("    #", "#").split() == plain[3 + i].split()
    assert bright[:2] + bright[6:] == plain[:2] + plain[6:]


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("k", [1, 3, 12, 300])
def test_columns_are_aligned(k: int, colour: bool) -> None:
    rng = np.random.default_rng(k)
    report = REPORT | {"K": k, "pixel_counts": rng.integers(0, 2, k).cumsum().tolist()}
    means = rng.integers(0, 256, (k, 3)).astype(np.uint8)
    header, *lines = visible(summary_text(report, means, colour)).splitlines()[2:]
    assert len(lines) == k
    assert {len(line) for line in lines} == {len(lines[0])}
    assert {line.index("%") for line in lines} == {header.index("share") + 4}
    assert {line.index(str(i)) + len(str(i)) for i, line in enumerate(lines, 1)} == {header.index("class") + 5}
    assert {line.rindex("#") - 4 * colour for line in lines} == {header.index("mean colour")}


@pytest.mark.parametrize("k", [1, 300])
def test_no_pixels_and_no_mean_colours(k: int) -> None:
    text = summary_text(REPORT | {"K": k, "pixel_counts": [0] * k}, None, True)
    assert f"in {k} class" in text
    assert ("classes" in text) == (k > 1)
    assert "mean colour" not in text
    assert text.count("0.0%") == k
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(
    ("share", "bar"), [(0, ""), (0.0001, ""), (0.01, "▎"), (0.5, "█" * 12), (0.999, "█" * 24), (1, "█" * 24)]
)
def test_bars_have_the_length_of_the_share(share: float, bar: str) -> None:
    report = REPORT | {"K": 2, "pixel_counts": [round(1e6 * share), round(1e6 * (1 - share))]}
    line = summary_text(report, None, False).splitlines()[3]
    assert line.partition("%")[2].strip() == bar


@pytest.mark.parametrize("status", [Status.MAX_ITER, Status.DEGENERATE])
def test_a_fit_that_went_wrong_says_what_to_do(status: Status) -> None:
    lines = summary_text(REPORT | {"status": status.value, "iterations": 1}, MEANS, False).splitlines()
    assert lines[-1].strip() == status.value
    assert "after 1 iteration," in lines[1]


@pytest.mark.parametrize("status", [Status.CONVERGED, Status.STALLED])
def test_a_fit_that_went_well_needs_no_words(status: Status) -> None:
    assert len(summary_text(REPORT | {"status": status.value}, MEANS, False).splitlines()) == 6


def test_odd_names_stay_on_their_line() -> None:
    name = "a\nb\udcff\x1b[2J" + "x" * 200 + ".png"
    report = REPORT | {"input": {"path": name}, "outputs": {name: ""}}
    text = summary_text(report, MEANS, False, "out\n/" + name)
    assert len(text.splitlines()) == 7
    assert "\x1b" not in text
    text.encode()


def test_no_trace_no_likelihood() -> None:
    assert "nan per pixel" in summary_text(REPORT | {"log_likelihood_per_pixel": float("nan")}, MEANS, False)


def test_noise_is_the_last_label() -> None:
    report = REPORT | {"noise": {"label": 4, "weight": 0.1, "log_density": -3.0, "pixels": 100}}
    means = np.concatenate([MEANS, MEANS[:1]])
    lines = summary_text(report, means, False).splitlines()
    assert "in 2 classes" in lines[0]
    assert lines[-1].split()[0] == "4"
    assert lines[-1].endswith("noise")
    assert "20.0%" in lines[-1]
