"""`emseg segment` as a user runs it: whole, on a sample."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.output.registry import KINDS, saveable

pytestmark = pytest.mark.long

DEFAULT = ["photo.json", "photo.labels.png", "photo.log.csv", "photo.overlay.png"]


@pytest.fixture
def photo(tmp_path: Path, samples: Path) -> Path:
    """A small picture, in a folder of its own."""
    with Image.open(samples / "astronaut.png") as picture:
        picture.convert("RGB").resize((60, 40)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main(["segment", *map(str, arguments)], "emseg", standalone_mode=False))


def made(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_four_files_and_a_summary(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 3, "-o", tmp_path / "out") == 0
    assert list(made(tmp_path / "out")) == DEFAULT
    out, err = capsys.readouterr()
    assert out
    assert err == ""
    labels = np.asarray(Image.open(tmp_path / "out" / "photo.labels.png"))
    assert np.array_equal(labels, emseg.segment(photo, k=3).labels)


def test_same_seed_same_bytes(photo: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        assert run(photo, "-k", 3, "--seed", 7, "--init", "random", "-q", "-o", tmp_path / folder) == 0
    a, b = made(tmp_path / "a"), made(tmp_path / "b")
    assert a["photo.labels.png"] == b["photo.labels.png"]
    assert a["photo.overlay.png"] == b["photo.overlay.png"]
    reports = [json.loads(files["photo.json"]) for files in (a, b)]
    assert [report["means"] for report in reports] == [reports[0]["means"]] * 2


def test_save_all(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-k", 2, "-q", "--save", "all", "-o", tmp_path / "out") == 0
    extra = [f"photo{KINDS[kind].suffix}" for kind in saveable() if not (KINDS[kind].needs or KINDS[kind].package)]
    assert sorted(made(tmp_path / "out")) == sorted([*DEFAULT, *extra])


def test_save_all_with_what_options_bring(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "-k", 2, "-q", "--bias-field", "--save", "all", "-o", tmp_path / "out") == 0
    assert "photo.bias.tif" in made(tmp_path / "out")


@pytest.mark.parametrize(("kind", "option"), [("bias", "--bias-field"), ("fractions", "--partial-volume")])
def test_what_is_not_there_is_not_written(
    kind: str, option: str, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "-k", 2, "--save", kind, "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"emseg: --save {kind}: there is nothing to write; add {option}"
    )


def test_json_is_one_line_per_input(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "twin.png").write_bytes(photo.read_bytes())
    assert run(photo, tmp_path / "twin.png", "-k", 2, "--json", "-o", tmp_path / "out") == 0
    out, err = capsys.readouterr()
    assert err == ""
    for line, name in zip(out.splitlines(), ("photo", "twin"), strict=True):
        assert json.loads(line) == json.loads((tmp_path / "out" / f"{name}.json").read_text("utf-8"))


def test_quiet_says_nothing(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 2, "-q", "-o", tmp_path / "out") == 0
    assert capsys.readouterr() == ("", "")


def test_verbose_shows_the_rows_of_the_log(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "-k", 2, "-v", "-o", tmp_path / "out") == 0
    rows = capsys.readouterr().err.splitlines()[2:]
    log = (tmp_path / "out" / "photo.log.csv").read_text("utf-8").splitlines()[1:]
    assert [int(row.split()[0]) for row in rows] == [int(row.split(",")[0]) for row in log]


def test_a_mask_leaves_label_0(photo: Path, tmp_path: Path) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[:, 30:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert run(photo, "-k", 2, "-q", "--mask", tmp_path / "mask.png", "-o", tmp_path / "out") == 0
    labels = np.asarray(Image.open(tmp_path / "out" / "photo.labels.png"))
    assert np.array_equal(labels == 0, mask == 0)


def test_what_emseg_did_not_write_stays(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photo.labels.png").write_text("mine")
    assert run(photo, "-k", 2, "-q", "-o", tmp_path) == 1
    assert "photo.labels.png" in capsys.readouterr().err
    assert made(tmp_path)["photo.labels.png"] == b"mine"
    assert not (tmp_path / "photo.json").exists()
    assert run(photo, "-k", 2, "-q", "--overwrite", "-o", tmp_path) == 0
    assert run(photo, "-k", 3, "-q", "-o", tmp_path) == 0  # its own files it replaces
    assert json.loads((tmp_path / "photo.json").read_bytes())["K"] == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert run(photo, "-k", 2, "-o", tmp_path / "locked") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_the_overlay_shows_the_regions_that_were_asked_for(tmp_path: Path) -> None:
    """Two squares of one class: one hue in the plain overlay, two with regions."""
    picture = np.full((30, 60), 40, np.uint8)
    picture[8:22, 8:22] = picture[8:22, 38:52] = 200
    Image.fromarray(picture).save(tmp_path / "photo.png")

    def hues(*options: object) -> set[tuple[int, ...]]:
        assert run(tmp_path / "photo.png", "-k", 2, "-q", "-o", tmp_path / "out", *options) == 0
        with Image.open(tmp_path / "out" / "photo.overlay.png") as overlay:
            shown = np.asarray(overlay.convert("RGB"))
        return {tuple(shown[15, x].tolist()) for x in (15, 45)}

    assert len(hues()) == 1
    assert len(hues("--regions", 10)) == 2


def test_what_does_not_go_together_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before any input is looked at: there is one line for all of them."""
    arguments = ["nowhere.png", "none.png", "--mrf", "icm", "--truncated", "0,9"]
    assert run(*arguments, "-o", tmp_path) == 2
    assert capsys.readouterr().err == "emseg: --mrf icm: does not go with --truncated; leave one of them out\n"


@pytest.mark.parametrize("more", [[], ["-q"]])
def test_an_option_without_effect_is_told(
    photo: Path, tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--beta", "2", *more, "-o", tmp_path) == 0
    said = "emseg: --beta 2.0 does nothing without --mrf; add --mrf auto, or leave it out\n"
    assert capsys.readouterr().err == ("" if more else said)
    report = json.loads((tmp_path / "photo.json").read_text())
    assert report["warnings"] == ["beta=2.0 does nothing without mrf; add mrf='auto', or leave it out"]


def test_a_volume_in_tiff_has_labels_in_tiff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tifffile

    volume = np.zeros((3, 20, 24), np.uint16)
    volume[:, :, 12:] = 900
    tifffile.imwrite(tmp_path / "v.tif", volume + 7, imagej=True, metadata={"axes": "ZYX"})
    for arguments in (["segment", "v.tif"], ["segment", "v.npy", "--axes", "YZX", "--name", "n"]):
        np.save(tmp_path / "v.npy", volume.swapaxes(0, 1))
        arguments = [arguments[0], str(tmp_path / arguments[1]), *arguments[2:], "-k", "2", "-o", str(tmp_path)]
        assert attempt(lambda texts=arguments: cli.main(texts, "emseg", standalone_mode=False)) == 0
    assert "24 × 20 × 3 voxels" in capsys.readouterr().out
    for name in ("v.labels.tif", "n.labels.tif"):
        np.testing.assert_array_equal(tifffile.imread(tmp_path / name), 1 + (volume > 0))
