"""Results as files, pictures and texts: the files are those of the command line, byte for byte."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

import emseg
from emseg.cli.main import cli
from emseg.errors import EmsegError, OutputError, UsageError

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
GREY = np.clip(RNG.normal(np.where(np.arange(40) < 20, 80, 150), 9, (30, 40)), 0, 255).astype(np.uint8)
HOLES = RNG.random(GREY.shape) < 0.1


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(GREY).save(path)
    return path


def run(*arguments: object) -> None:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output


def files(folder: Path) -> dict[str, bytes]:
    """What files hold, without what differs between two runs: seconds, and the recipe of a run of the command line."""
    found = {}
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        if path.suffix == ".csv" and "log" in path.name:
            data = b"\n".join(line.rpartition(b",")[0] for line in data.splitlines())
        if path.name in ("photo.json", "photo.denoised.json", "photo.inpainted.json"):
            facts = json.loads(data)
            for key in ("seconds", "recipe", "model"):
                facts.pop(key, None)
            for name in [name for name in facts["outputs"] if name.endswith("log.csv")]:
                del facts["outputs"][name]
            data = json.dumps(facts).encode()
        found[path.name] = data
    return found


def test_a_segmentation_writes_what_the_command_writes(photo: Path, tmp_path: Path) -> None:
    kinds = "labels-tiff,posterior,model"
    run("segment", photo, "-k", 2, "--regions", 5, "--save", kinds, "-o", tmp_path / "shell")
    result = emseg.segment(photo, k=2, regions=5)
    report = result.save(tmp_path / "python" / "new", save=kinds)
    assert files(tmp_path / "python" / "new") == files(tmp_path / "shell")
    assert set(report["outputs"]) == {path.name for path in (tmp_path / "shell").iterdir()} - {"photo.json"}
    run("apply", tmp_path / "shell" / "photo.emseg.json", photo, "-o", tmp_path / "applied")
    emseg.apply(result, photo).save(tmp_path / "by result")
    assert files(tmp_path / "by result") == files(tmp_path / "applied")


def test_restored_images_are_written_as_by_the_commands(photo: Path, tmp_path: Path) -> None:
    run("denoise", photo, "--fast", "-o", tmp_path / "shell")
    mask = tmp_path / "mask.png"
    PIL.Image.fromarray(HOLES).save(mask)
    run("inpaint", photo, "--mask", mask, "--uncertainty", "-o", tmp_path / "shell")
    emseg.denoise(photo, fast=True).save(tmp_path / "python")
    emseg.inpaint(photo, HOLES, uncertainty=True).save(tmp_path / "python")
    assert files(tmp_path / "python") == files(tmp_path / "shell")
    emseg.denoise(GREY.astype(float), sigma=3).save(tmp_path / "floats", name="grey")
    assert {path.name for path in (tmp_path / "floats").iterdir()} == {"grey.denoised.tif", "grey.denoised.json"}


def test_what_emseg_did_not_write_stays(tmp_path: Path) -> None:
    result = emseg.segment(GREY, k=2)
    result.save(tmp_path)
    result.save(str(tmp_path))  # its own files are replaced
    (tmp_path / "array.labels.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"array\.labels\.png: not written by emseg.*give overwrite=True"):
        result.save(tmp_path)
    assert (tmp_path / "array.labels.png").read_bytes() == b"mine"
    result.save(tmp_path, overwrite=True)
    assert (tmp_path / "array.labels.png").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("folder", "options", "message"),
    [
        ("", {"save": "everything"}, "save is 'everything'; it must be some of"),
        ("", {"save": ["bias"]}, "there is nothing to write; add bias_field=True"),
        ("", {"name": "../elsewhere"}, "would leave the output folder"),
        ("", {"overwrite": 1}, "overwrite is 1; it must be True or False"),
        ("photo.png", {}, "is a file; name a folder"),
    ],
)
def test_what_cannot_be_saved(photo: Path, folder: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        emseg.segment(photo, k=2).save(photo.parent / folder, **options)


def test_an_input_is_not_replaced(photo: Path) -> None:
    stored = photo.rename(photo.with_name("a.labels.png"))
    with pytest.raises(EmsegError, match="would replace an input"):
        emseg.segment(stored, k=2).save(photo.parent, name="a")


def test_pictures_are_the_files(photo: Path, tmp_path: Path) -> None:
    result = emseg.segment(photo, k=2)
    result.save(tmp_path / "out")
    with PIL.Image.open(tmp_path / "out" / "photo.overlay.png") as overlay:
        np.testing.assert_array_equal(result.overlay(), overlay.convert("RGB"))
    assert result.overlay().shape == (30, 40, 3)
    assert result._repr_png_() == (tmp_path / "out" / "photo.overlay.png").read_bytes()


@pytest.mark.parametrize("kind", ["segment", "denoise", "inpaint"])
def test_notebooks_show_a_picture_that_is_not_large(kind: str) -> None:
    wide = np.repeat(np.repeat(GREY, 40, axis=1), 2, axis=0)
    functions = {
        "segment": lambda: emseg.segment(wide, k=2),
        "denoise": lambda: emseg.denoise(wide.astype(np.float32), sigma=0),
        "inpaint": lambda: emseg.inpaint(GREY, HOLES),
    }
    with PIL.Image.open(io.BytesIO(functions[kind]()._repr_png_())) as picture:
        assert picture.format == "PNG"
        assert max(picture.size) <= 1024
        assert kind == "inpaint" or picture.width > 700


def test_texts_are_short(photo: Path) -> None:
    result = emseg.segment(photo, k=2, beta=2.0)
    text = repr(result).splitlines()
    assert len(text) == 5
    assert text[0] == "Segmentation of photo.png: 40 × 30 pixels, 2 classes by gray"
    assert text[1] == "  labels: uint8 (30, 40), 1…2"
    assert re.fullmatch(r"  shares: \d+\.\d%, \d+\.\d%", text[2])
    assert text[3].startswith("  fit: converged after ")
    assert text[4] == "  warnings: beta=2.0 does nothing without mrf; add mrf='auto', or leave it out"
    assert result.warnings == tuple(result.report["warnings"])
    masked = emseg.segment(np.ma.masked_array(GREY, HOLES), k=2, regions=4)
    assert f"; 0 in {HOLES.sum()} pixels without data" in repr(masked)
    assert " regions" in repr(masked)
    others = (
        emseg.apply(result, photo),
        emseg.denoise(GREY, sigma=3, fast=True),
        emseg.inpaint(GREY, HOLES),
        emseg.compare(GREY, k=2, algorithms="em,gem"),
        result.image,
        result.mixture,
        result.features,
    )
    for other in others:
        lines = repr(other).splitlines()
        assert len(lines) <= 5
        assert max(map(len, lines)) <= 110 + len(str(photo))
        assert getattr(other, "warnings", ()) == ()
