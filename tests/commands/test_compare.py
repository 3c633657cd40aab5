from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import emseg.commands.compare
import emseg.em.variants.em
from emseg.commands.compare import Comparison, compare
from emseg.em.algorithm import Info, State
from emseg.em.registry import ALGORITHMS
from emseg.errors import DataError, UsageError

Picture = tuple[np.ndarray, np.ndarray]
THREE = ("em", "anderson", "squarem")


@pytest.fixture(scope="module")
def found(picture: Picture) -> Comparison:
    return compare(picture[0], 3, algorithms=THREE)


def entries(result: Comparison) -> dict[str, dict[str, Any]]:
    return {entry["algorithm"]: entry for entry in result.report["algorithms"]}


def test_all_start_from_one_mixture(found: Comparison) -> None:
    assert tuple(found.traces) == THREE
    assert len({trace[0].log_likelihood for trace in found.traces.values()}) == 1
    assert {trace[0].e_steps for trace in found.traces.values()} == {1}


def test_the_table_tells_how_the_traces_end(found: Comparison) -> None:
    n = found.report["pixels"]
    for name, entry in entries(found).items():
        last = found.traces[name][-1]
        assert (entry["e_steps"], entry["iterations"]) == (last.e_steps, last.iteration)
        assert entry["log_likelihood"] == last.log_likelihood
        assert entry["log_likelihood_per_pixel"] == last.log_likelihood / n
        assert entry["status"].startswith("converged")


def test_gaps_are_measured_from_a_maximum_that_none_exceeds(found: Comparison) -> None:
    best, n = found.report["best"], found.report["pixels"]
    rows = [row for trace in found.traces.values() for row in trace]
    assert best["log_likelihood"] >= max(row.log_likelihood for row in rows)
    assert entries(found)[best["algorithm"]]["gap_per_pixel"] <= 1e-7
    for entry in entries(found).values():
        assert 0 <= entry["gap_per_pixel"] == (best["log_likelihood"] - entry["log_likelihood"]) / n


def test_who_else_is_compared_makes_no_difference(picture: Picture, found: Comparison) -> None:
    alone = compare(picture[0], 3, algorithms=("squarem",))
    assert [row.objective for row in alone.traces["squarem"]] == [row.objective for row in found.traces["squarem"]]


def test_every_algorithm_of_the_registry_has_its_line(picture: Picture) -> None:
    result = compare(picture[0], 3, max_iter=6)
    assert tuple(result.traces) == tuple(entries(result)) == tuple(ALGORITHMS)
    for name, entry in entries(result).items():
        assert bool(result.traces[name]) == (entry["e_steps"] is not None), name


def test_a_searched_start_is_higher_than_a_draw(picture: Picture) -> None:
    first = {
        start: compare(picture[0], 3, algorithms=("em",), start=start).traces["em"][0].log_likelihood
        for start in ("kmeans++", "random", "search")
    }
    # Two starts may be one and the same, and sums over 2400 pixels differ by their rounding.
    assert first["search"] >= max(first.values()) - 8 * np.finfo(np.float64).eps * abs(first["search"])
    assert first["kmeans++"] != first["random"]


def test_seeds_give_other_starts_and_the_same_again(picture: Picture) -> None:
    def first(seed: int) -> float:
        return compare(picture[0], 3, algorithms=("em",), seed=seed, max_iter=1).traces["em"][0].log_likelihood

    assert first(1) == first(1) != first(2)


@dataclass(frozen=True)
class Refuses(emseg.em.variants.em.EM):
    def init(self, *_: Any) -> tuple[State, Info]:
        raise UsageError("--family: only student has a scale")


@dataclass(frozen=True)
class Breaks(emseg.em.variants.em.EM):
    def init(self, *_: Any) -> tuple[State, Info]:
        raise np.linalg.LinAlgError


def swap(monkeypatch: pytest.MonkeyPatch, **kinds: Any) -> None:
    real = emseg.commands.compare.algorithm
    monkeypatch.setattr(
        emseg.commands.compare, "algorithm", lambda name: kinds[name]() if name in kinds else real(name)
    )


def test_one_that_does_not_apply_is_a_line(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    swap(monkeypatch, squarem=Refuses, anderson=Breaks)
    result = compare(picture[0], 3, algorithms=THREE)
    refused, broken = entries(result)["squarem"], entries(result)["anderson"]
    assert refused["status"] == "not applicable: --family: only student has a scale"
    assert broken["status"].startswith("degenerate")
    assert result.traces["squarem"] == result.traces["anderson"] == ()
    assert refused["gap_per_pixel"] is broken["gap_per_pixel"] is None
    assert result.report["best"]["algorithm"] == "em"


def test_none_that_applies_is_an_error(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    swap(monkeypatch, squarem=Refuses, anderson=Breaks)
    with pytest.raises(UsageError, match="only student"):
        compare(picture[0], 3, algorithms=("squarem",))
    with pytest.raises(DataError, match="without extent"):
        compare(picture[0], 3, algorithms=("anderson",))


def test_every_fit_is_watched_by_name(picture: Picture) -> None:
    seen: dict[str, list[Any]] = {}

    @contextmanager
    def watch(name: str) -> Iterator[Any]:
        yield seen.setdefault(name, []).append

    result = compare(picture[0], 3, algorithms=THREE, watch=watch)
    assert {name: tuple(rows) for name, rows in seen.items()} == result.traces


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": "auto"}, "one of kmeans\\+\\+, random, search"),
        ({"algorithms": ("magic",)}, "algorithms is .*magic.*; it must be some of em, map"),
        ({"algorithm": "em"}, "algorithm does not go with compare"),
        ({"init": "random"}, "init does not go with compare"),
        ({"nonsense": 1}, "unknown option 'nonsense'"),
        ({"tol": -1.0}, "tol is -1.0"),
    ],
)
def test_nonsense_is_refused(picture: Picture, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        compare(picture[0], 3, **options)


def test_pixels_that_carry_no_fit_are_refused() -> None:
    with pytest.raises(DataError, match="all pixels are equal"):
        compare(np.zeros((4, 4), np.uint8), 2)
    with pytest.raises(DataError, match="use k=2"):
        compare(np.array([[0, 9], [9, 0]], np.uint8), 3)
