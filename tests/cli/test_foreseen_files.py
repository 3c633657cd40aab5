"""A dry run names what the run writes, for each kind of result and each kind of input."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.output.registry import KINDS, saveable

pytestmark = pytest.mark.long

PLANE = np.random.default_rng(0).normal([[60] * 8 + [180] * 8] * 12, 5).round().clip(0, 255).astype(np.uint8)
VOLUME = np.stack([PLANE, PLANE[::-1], PLANE])


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main([*map(str, arguments)], "emseg", standalone_mode=False))


def written(folder: Path, kind: str) -> list[str]:
    """The arguments that name an input of a kind."""
    if kind == "picture":
        Image.fromarray(PLANE).save(folder / "in.png")
        return ["in.png"]
    if kind == "volume in TIFF":
        tifffile.imwrite(folder / "in.tif", VOLUME, photometric="minisblack", metadata={"axes": "ZYX"})
        return ["in.tif"]
    if kind == "pages taken as slices":
        tifffile.imwrite(folder / "in.tif", VOLUME, photometric="minisblack", metadata=None)
        return ["in.tif", "--axes", "ZYX"]
    if kind == "pages":
        tifffile.imwrite(folder / "in.tif", VOLUME, photometric="minisblack", metadata=None)
        return ["in.tif", "--page", "all"]
    if kind == "NumPy":
        np.save(folder / "in.npy", VOLUME)
        return ["in.npy", "--axes", "ZYX"]
    if kind == "stack":
        for name in "ab":
            tifffile.imwrite(folder / f"{name}.tif", VOLUME, photometric="minisblack", metadata={"axes": "ZYX"})
        return ["--stack", "a.tif", "b.tif"]
    assert kind == "NIfTI"
    nibabel.save(nibabel.Nifti1Image(VOLUME.T, np.eye(4)), folder / "in.nii.gz")
    return ["in.nii.gz"]


INPUTS = ["picture", "volume in TIFF", "pages taken as slices", "pages", "NumPy", "stack", "NIfTI"]


def planned_and_written(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[set, set]:
    assert run(*arguments, "-o", "out", "--dry-run", "--json") == 0
    assert not (folder / "out").exists()
    lines = capsys.readouterr().out.splitlines()
    assert run(*arguments, "-o", "out", "-q") == 0
    return {path for line in lines for path in json.loads(line)["would_write"]}, {
        path.relative_to(folder).as_posix() for path in (folder / "out").iterdir()
    }


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("save", ["", "labels-tiff", "all"])
def test_a_dry_run_of_segment(
    kind: str, save: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--save", save, "--regions", 2, "--bias-field", "--partial-volume"] if save else []
    planned, found = planned_and_written(tmp_path, capsys, "segment", *written(tmp_path, kind), "-k", 2, *more)
    assert planned | ({"out/annotations.coco.json"} if save == "all" and kind == "pages" else set()) == found


@pytest.mark.parametrize("save", [name for name in saveable() if not KINDS[name].package and not KINDS[name].needs])
def test_a_dry_run_of_each_kind(
    save: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = written(tmp_path, "volume in TIFF")
    planned, found = planned_and_written(tmp_path, capsys, "segment", *arguments, "-k", 2, "--save", save)
    assert planned == found


@pytest.mark.parametrize("kind", INPUTS)
def test_a_dry_run_of_apply(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = written(tmp_path, kind)
    assert run("segment", *arguments, "-k", 2, "--save", "model", "-q", "-o", "fit") == 0
    (model, *_) = sorted((tmp_path / "fit").glob("*.emseg.json"))
    planned, found = planned_and_written(tmp_path, capsys, "apply", model, *arguments)
    assert planned == found


@pytest.mark.parametrize("kind", ["picture", "volume in TIFF", "NumPy", "NIfTI"])
def test_a_dry_run_of_denoise_and_inpaint(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = written(tmp_path, kind)
    planned, found = planned_and_written(tmp_path, capsys, "denoise", *arguments, "--fast", "--sigma", 5)
    assert planned == found


def test_a_file_in_the_place_of_the_labels_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = written(tmp_path, "volume in TIFF")
    (tmp_path / "in.labels.tif").write_text("mine")
    monkeypatch.setattr("emseg.commands.segment.segment", None)
    assert run("segment", *arguments, "-k", 2) == 1
    assert "in.labels.tif" in capsys.readouterr().err
    assert (tmp_path / "in.labels.tif").read_text() == "mine"


def test_degrees_of_an_image_without_a_place_are_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyproj")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("emseg.commands.segment.segment", None)
    assert run("segment", *written(tmp_path, "picture"), "-k", 2, "--save", "geojson-wgs84") == 1
    assert "in.png: tells no place on the ground" in capsys.readouterr().err
