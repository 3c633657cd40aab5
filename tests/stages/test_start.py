"""`k="auto"` and ranges: the right number where there is one, the curve in the report, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError
from emseg.mixture.families.registry import family_of
from emseg.mixture.samples import Rows
from emseg.options.choices import CRITERIA
from emseg.stages.start import sound_start

pytestmark = pytest.mark.long

COLOURS = np.array([[40, 60, 50], [200, 90, 70], [90, 170, 200], [220, 210, 60]])


def scene(n: int, seed: int, size: int = 64) -> np.ndarray:
    """Stripes of n colours with noise, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    label = np.arange(size)[None, :] * n // size + np.zeros((size, 1), int)
    return np.clip((COLOURS[label] + rng.normal(0, 8, (size, size, 3))).round(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("criterion", [name for name in CRITERIA if name != "aic"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_number_of_colours_is_found(criterion: str, n: int) -> None:
    report = emseg.segment(scene(n, n), k="1:6", criterion=criterion, features="rgb").report
    assert report["K"] == n
    assert report["selection"]["criterion"] == criterion
    assert report["selection"]["chosen"] == n


def test_aic_takes_at_least_as_many_as_bic() -> None:
    few, many = (emseg.segment(scene(3, 0), k="1:6", criterion=name).report["K"] for name in ("bic", "aic"))
    assert 3 <= few <= many


def test_the_phantom_has_four_regions(samples: Path) -> None:
    found = emseg.segment(samples / "phantom.png", k="auto")
    with PIL.Image.open(samples / "truth" / "phantom.labels.png") as stored:
        np.testing.assert_array_equal(found.labels, np.asarray(stored))
    assert [row["k"] for row in found.report["selection"]["table"]] == list(range(1, 10))


@pytest.mark.parametrize("criterion", ["bic", "aic", "icl"])
def test_the_curve_is_near_what_fits_of_each_k_give(criterion: str) -> None:
    image = scene(3, 5)
    report = emseg.segment(image, k="2:5", criterion=criterion).report
    table = report["selection"]["table"]
    assert [row["k"] for row in table] == [2, 3, 4, 5]
    assert min(table, key=lambda row: row["value"])["k"] == report["selection"]["chosen"] == report["K"]
    for row in table[:2]:
        single = emseg.segment(image, k=row["k"]).report
        assert row["n_parameters"] == single["n_parameters"]
        assert row["log_likelihood"] == pytest.approx(single["log_likelihood"], rel=1e-3)
        assert row["value"] == pytest.approx(single[criterion], rel=1e-3)
    assert emseg.segment(image, k=3).report["selection"] is None


@pytest.mark.parametrize("criterion", ["icl", "mml", "elbo"])
def test_the_same_seed_gives_the_same_choice(criterion: str) -> None:
    first, second = (emseg.segment(scene(3, 1, 40), k="2:4", criterion=criterion, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.report["selection"] == second.report["selection"]


def test_a_range_of_one_is_that_number() -> None:
    report = emseg.segment(scene(3, 2), k="3:3").report
    assert report["K"] == 3
    assert len(report["selection"]["table"]) == 1


def test_auto_offers_no_more_than_there_are_values() -> None:
    image = np.tile(np.array([[0, 50, 200]], np.uint8), (6, 4))
    assert emseg.segment(image, k="auto").report["K"] <= 3
    with pytest.raises(DataError, match="3 distinct values cannot make 5 components; use k=3 or smaller"):
        emseg.segment(image, k="2:5")
    with pytest.raises(DataError, match="all pixels are equal"):
        emseg.segment(np.zeros((5, 5)), k="auto")


@pytest.mark.parametrize("k", ["5:2", "0:3", "four", "2:", ":4", "2:3:4", "2-4", "-1:3", "", "٢:٣"])
def test_what_is_no_range_is_refused(k: str) -> None:
    with pytest.raises(UsageError, match="a whole number of 1 or more, a range LO:HI as '2:9', or 'auto'"):
        emseg.segment(scene(2, 0, 16), k=k)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"criterion": "dic"}, "one of auto, icl, bic, aic, mml, elbo"),
        ({"init": __file__}, "sets the number of components; give it, not k='2:4'"),
    ],
)
def test_what_does_not_go_with_a_range(options: dict[str, Any], remedy: str) -> None:
    with pytest.raises(UsageError, match=remedy):
        emseg.segment(scene(2, 0, 16), k="2:4", **options)


def test_comparing_needs_one_number() -> None:
    from emseg.commands.compare import compare

    with pytest.raises(UsageError, match="compare takes one number of components"):
        compare(scene(2, 0, 16), k="2:4")


@pytest.mark.parametrize(("family", "remedy"), [("gamma", "use family='gaussian'"), ("gaussian", "give a floor above")])
def test_a_start_that_has_no_density_is_one_line(family: str, remedy: str) -> None:
    problem = Problem(Rows(np.ones((1, 3)), np.ones(3)), family_of(family))
    with pytest.raises(DataError, match=remedy), sound_start(problem):
        raise np.linalg.LinAlgError
