"""Regions of the shortest description (`regions="auto"`), and the number of components by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import UsageError

pytestmark = pytest.mark.long


def picture(size: int = 96, noise: float = 8) -> tuple[np.ndarray, np.ndarray]:
    """Two discs of one colour, and a square with shading, on a ground."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size] / size
    truth = np.ones((size, size), int)
    truth[(x - 0.25) ** 2 + (y - 0.3) ** 2 < 0.03] = 2
    truth[(x - 0.75) ** 2 + (y - 0.3) ** 2 < 0.03] = 3
    truth[(abs(x - 0.5) < 0.3) & (abs(y - 0.75) < 0.15)] = 4
    colours = np.array([[0, 0, 0], [60, 90, 60], [190, 80, 60], [190, 80, 60], [80, 90, 190]], float)
    image = colours[truth] + 30 * (x - 0.5)[..., None] + rng.normal(0, noise, (size, size, 3))
    return np.clip(image.round(), 0, 255).astype(np.uint8), truth


@pytest.mark.parametrize("k", ["auto", 5])
def test_the_objects_of_an_image(k: str | int) -> None:
    image, truth = picture()
    found = emseg.segment(image, k=k, regions="auto")
    assert found.regions is not None
    scores = emseg.evaluate(found.regions.ids, [truth])["scores"]
    assert scores["covering"] > 0.95
    assert found.regions.count == 4
    facts = found.report["regions"]
    assert facts["merge"] == "auto"
    assert facts["independent_area"] > 1 <= facts["least"]


def test_neither_size_nor_noise_matters_much() -> None:
    for size, noise in ((96, 2), (96, 20), (240, 8)):
        image, truth = picture(size, noise)
        found = emseg.segment(image, k="auto", regions="auto")
        assert found.regions is not None
        assert found.regions.count <= 5
        assert emseg.evaluate(found.regions.ids, [truth])["scores"]["covering"] > 0.9, (size, noise)


def test_what_is_given_is_kept() -> None:
    image, _ = picture()
    plain, merged = (emseg.segment(image, k=6, regions=30, merge=merge) for merge in ("default", "auto"))
    assert plain.regions is not None
    assert merged.regions is not None
    assert plain.report["regions"]["merge"] == 0
    assert merged.report["regions"]["least"] == 30
    assert merged.regions.count < plain.regions.count
    unmerged = emseg.segment(image, k=6, regions="auto", merge=0)
    assert unmerged.report["regions"]["merge"] == 0
    assert unmerged.report["regions"]["least"] == max(round(unmerged.report["regions"]["independent_area"] / 2), 1)


def test_pixels_of_a_photograph_are_not_independent(samples: Path) -> None:
    image = np.asarray(PIL.Image.open(samples / "astronaut.png"))[::7, ::7]
    many = emseg.segment(image, k="auto", criterion="icl").report
    few = emseg.segment(image, k="auto").report
    assert few["selection"]["independent_area"] > 5
    assert few["K"] < many["K"]
    noise = np.random.default_rng(0).normal(0, 1, (80, 80)) + np.repeat([0, 9], 40)
    report = emseg.segment(noise, k="auto").report
    assert report["selection"]["independent_area"] == 1
    assert report["K"] == 2


def test_no_data_and_unknown_values_are_no_regions() -> None:
    image, truth = picture()
    mask = np.ones(truth.shape, np.uint8)
    mask[:20, :20] = 0
    found = emseg.segment(image, k="auto", regions="auto", mask=mask)
    assert found.regions is not None
    assert (found.regions.ids[mask == 0] == 0).all()
    assert (found.regions.ids[mask > 0] > 0).all()
    part = image.astype(np.float64)
    part[40:50, 40:60, 1] = np.nan
    for least in (30, "auto"):
        seen = emseg.segment(part, k=4, regions=least, missing="em")
        assert seen.regions is not None
        assert (seen.regions.ids > 0).all()
        assert all(np.isfinite(column).all() for column in seen.regions.table.values())


def test_volumes() -> None:
    rng = np.random.default_rng(0)
    volume = rng.normal(50, 5, (12, 24, 24))
    volume[3:9, 5:15, 5:15] += 60
    flat = emseg.Image(volume.reshape(-1, 24, 1), "gray", metadata={"volume": volume.shape})
    found = emseg.segment(flat, k="auto", regions="auto")
    assert found.regions is not None
    assert found.regions.count == 2


def test_the_command(tmp_path: Path) -> None:
    PIL.Image.fromarray(picture()[0]).save(tmp_path / "p.png")
    arguments = ["segment", str(tmp_path / "p.png"), "-k", "auto", "--regions", "auto", "-o", str(tmp_path / "o"), "-q"]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    assert (tmp_path / "o" / "p.regions.png").exists()
    for wrong in (["--regions", "some"], ["--regions", "-1"], ["--merge", "more"], ["--merge", "-1"]):
        assert attempt(lambda wrong=wrong: cli.main([*arguments, *wrong], "emseg", standalone_mode=False)) == 2
    with pytest.raises(UsageError, match="regions is 'some'; it must be a whole number of pixels"):
        emseg.segment(picture()[0], regions="some")
