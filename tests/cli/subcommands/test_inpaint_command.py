"""`emseg inpaint` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.image.read import read_image

pytestmark = pytest.mark.long

HOLES = np.random.default_rng(0).random((30, 40)) < 0.3


@pytest.fixture
def photo(tmp_path: Path, samples: Path) -> Path:
    """A small picture with holes, its mask beside it."""
    with Image.open(samples / "astronaut.png") as picture:
        pixels = np.array(picture.convert("RGB").resize((40, 30)))
    pixels[HOLES] = 0
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.uint8(255) * HOLES).save(tmp_path / "masks" / "photo.png")
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main(["inpaint", *map(str, arguments)], "emseg", standalone_mode=False))


def test_a_picture_and_a_report(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(photo, "--mask", tmp_path / "masks" / "photo.png", "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["photo.inpainted.json", "photo.inpainted.png"]
    assert f"{HOLES.mean():.1%} of them filled in" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "photo.inpainted.json").read_text("utf-8"))
    assert report["missing"] == HOLES.sum()
    before, after = (np.asarray(Image.open(path)) for path in (photo, tmp_path / "out" / "photo.inpainted.png"))
    assert (after[~HOLES] == before[~HOLES]).all()
    assert after[HOLES].mean() > 40


def test_a_folder_of_masks_and_uncertainty(photo: Path, tmp_path: Path) -> None:
    assert run(photo, "--mask-dir", tmp_path / "masks", "--uncertainty", "-q", "-o", tmp_path / "out") == 0
    found = read_image(tmp_path / "out" / "photo.uncertainty.tif").pixels
    assert found.dtype == np.float32
    assert ((found > 0) == HOLES[:, :, None]).all()


def test_masks_in_folders_of_the_same_names(photo: Path, tmp_path: Path) -> None:
    for name, holes in (("a", HOLES), ("b", ~HOLES)):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "x.png").write_bytes(photo.read_bytes())
        (tmp_path / "masks" / "in" / name).mkdir(parents=True)
        Image.fromarray(holes).save(tmp_path / "masks" / "in" / name / "x.pbm")
    (tmp_path / "masks" / "x.png").write_bytes((tmp_path / "masks" / "photo.png").read_bytes())
    assert run(tmp_path / "in", "-r", "--mask-dir", tmp_path / "masks", "-q", "-o", tmp_path / "out") == 0
    for name, holes in (("a", HOLES), ("b", ~HOLES)):
        assert json.loads((tmp_path / "out" / name / "x.inpainted.json").read_text("utf-8"))["missing"] == holes.sum()


def test_an_input_without_a_mask_fails_alone(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.png").write_bytes(photo.read_bytes())
    assert run(tmp_path / "other.png", "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out") == 1
    assert run(tmp_path / "other.png", photo, "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out", "-n") == 1
    assert capsys.readouterr().err.count("other.png there") == 2
    assert not (tmp_path / "out").exists()


def test_the_index_of_a_palette_is_the_value_of_a_mask(photo: Path, tmp_path: Path) -> None:
    labels = Image.fromarray(np.where(HOLES, 2, 1).astype(np.uint8), "P")
    labels.putpalette([0, 0, 0, 0, 200, 0, 200, 200, 200] + [0] * 759)
    labels.save(tmp_path / "labels.png")
    assert run(photo, "--mask", tmp_path / "labels.png", "--mask-value", 2, "-q", "-o", tmp_path / "out") == 0
    report = json.loads((tmp_path / "out" / "photo.inpainted.json").read_text("utf-8"))
    assert report["missing"] == HOLES.sum()


def test_a_dry_run_names_what_the_run_writes(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "float.npy", np.asarray(Image.open(photo), np.float32))
    for source in (photo, tmp_path / "float.npy"):
        arguments = (source, "--mask", tmp_path / "masks" / "photo.png", "--uncertainty", "-o", tmp_path / "out")
        assert run(*arguments, "--dry-run", "--json") == 0
        planned = json.loads(capsys.readouterr().out)["would_write"]
        assert not any(Path(path).exists() for path in planned)
        assert run(*arguments, "-q") == 0
        assert all(Path(path).exists() for path in planned)


def test_resume_sees_another_mask(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (photo, "--mask-dir", tmp_path / "masks", "--resume", "-o", tmp_path / "out")
    assert [run(*arguments), run(*arguments)] == [0, 0]
    assert capsys.readouterr().out.count("done before") == 1
    Image.fromarray(np.uint8(255) * HOLES[::-1]).save(tmp_path / "masks" / "photo.png")
    assert run(*arguments) == 0
    assert "done before" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "nothing says"),
        (["--mask", "nowhere.png"], 2, "is no file"),
        (["--mask", "alpha"], 1, "has no alpha"),
        (["--mask", "alpha", "--mask-dir", "."], 2, "do not go together"),
        (["--mask-dir", "."], 1, "no mask in"),
        (["--mask", "alpha", "--mask-value", "3"], 2, "value of a mask"),
        (["--mask-value", "nan"], 2, "finite"),
    ],
)
def test_nonsense_is_one_line(
    photo: Path, arguments: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path / "masks")
    (tmp_path / "masks" / "photo.png").rename(tmp_path / "masks" / "other.png")
    assert run(photo, *arguments, "-o", tmp_path / "out") == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_standard_output_takes_the_picture_alone(
    photo: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(photo, "--mask-dir", tmp_path / "masks", "--uncertainty", "-o", "-") == 2
    assert "leave out --uncertainty" in capfd.readouterr().err
