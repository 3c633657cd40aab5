from __future__ import annotations

import csv
import io

import pytest

from emseg.output.tables.comparison_table import LEAST_GAP, comparison_csv, comparison_text

from ..comparisons import REPORT, TRACES, entry


def test_the_quickest_to_the_best_optimum_comes_first() -> None:
    lines = comparison_text(REPORT, "out/photo.compare.json").splitlines()
    assert lines[0] == "photo.png: 3 components, 2 algorithms from one random start"
    assert lines[1] == "  20 × 10 pixels, 77 distinct samples of lab, full covariances, seed 5; nats per pixel"
    assert [line.split()[0] for line in lines[2:6]] == ["algorithm", "squarem", "em", "px"]
    assert lines[-1] == "  → out: photo.compare.csv, photo.compare.json"


def test_a_quick_algorithm_that_ends_lower_comes_later() -> None:
    low = entry("em") | {"algorithm": "low", "e_steps": 1, "gap_per_pixel": 0.5}
    lower = low | {"algorithm": "lower", "gap_per_pixel": 0.7}
    report = REPORT | {"algorithms": [lower, low, entry("squarem")]}
    assert [line.split()[0] for line in comparison_text(report).splitlines()[3:]] == ["squarem", "low", "lower"]


@pytest.mark.parametrize(("gap", "written"), [(0.0, "0"), (LEAST_GAP / 2, "0"), (0.25, "2.5e-01")])
def test_a_gap_of_rounding_is_none(gap: float, written: str) -> None:
    report = REPORT | {"algorithms": [entry("em") | {"gap_per_pixel": gap}]}
    assert comparison_text(report).splitlines()[3].split()[5] == written


def test_columns_are_aligned() -> None:
    table = comparison_text(REPORT).splitlines()[2:5]
    assert len({line.index(word) for line, word in zip(table, ("status", "converged", "converged"), strict=True)}) == 1


def test_the_logs_of_all_in_one_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(TRACES).decode())))
    assert [row["algorithm"] for row in rows] == ["em"] * 6 + ["squarem"] * 3
    written = [(float(row["log_likelihood"]), int(row["e_steps"])) for row in rows]
    assert written == [(row.log_likelihood, row.e_steps) for trace in TRACES.values() for row in trace]
