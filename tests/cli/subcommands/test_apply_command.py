"""`emseg apply` as a user runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli

pytestmark = pytest.mark.long


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main([*map(str, arguments)], "emseg", standalone_mode=False))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model, with the pictures a.png, from which it is, and b.png."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in "ab":
        Image.fromarray(rng.integers(0, 255, (12, 16, 3), np.uint8)).save(f"{name}.png")
    assert run("segment", "a.png", "-k", 2, "-q", "--save", "model", "-o", "fit") == 0
    return "fit/a.emseg.json"


def test_labels_overlay_and_report(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("apply", model, "a.png", "b.png", "-o", "out", "--save", "posterior") == 0
    ends = (".json", ".labels.png", ".overlay.png", ".posterior.tif")
    assert sorted(os.listdir("out")) == [name + end for name in "ab" for end in ends]
    assert Path("out/a.labels.png").read_bytes() == Path("fit/a.labels.png").read_bytes()
    report = json.loads(Path("out/a.json").read_bytes())
    assert report["model"] == model
    assert report["status"].startswith("applied")
    out, err = capsys.readouterr()
    assert "applied as it was fitted" in out
    assert err == ""


def test_resume_knows_the_model(model: str) -> None:
    how = ("apply", model, "a.png", "b.png", "-q", "-o", "out", "--resume", "--jobs", 2)
    assert run(*how) == 0
    before = os.stat("out/a.json").st_mtime_ns
    assert run(*how) == 0
    assert os.stat("out/a.json").st_mtime_ns == before
    text = Path(model).read_text()
    Path(model).write_text(text + "\n")
    assert run(*how) == 0
    assert os.stat("out/a.json").st_mtime_ns != before


def test_to_standard_output(model: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("apply", model, "a.png", "-o", "-") == 0
    assert capfdbinary.readouterr().out == Path("fit/a.labels.png").read_bytes()


@pytest.mark.parametrize("text", ["", "{}", '{"format": "emseg-model", "version": 1}', "[" * 100_000])
def test_a_bad_model_is_one_line(model: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.json").write_text(text)
    assert run("apply", "bad.json", "a.png", "b.png", "-o", "out") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("emseg: bad.json: not a usable model")
    assert err.count("\n") == 1
    assert not Path("out").exists()


def test_a_grey_image_fails_alone_and_is_named(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (5, 5)).save("grey.png")
    assert run("apply", model, "grey.png", "a.png", "-q", "-o", "out") == 1
    err = capsys.readouterr().err
    assert err.startswith(
        "emseg: grey.png: the model's features do not go with it (lab does not fit a grey image); give"
    )
    assert "--features" not in err  # which apply has not
    assert sorted(os.listdir("out")) == ["a.json", "a.labels.png", "a.overlay.png"]


def test_nothing_to_do_is_a_usage_error(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("apply", model) == 2
    assert run("apply", "nowhere.json", "a.png") == 2
    assert run("apply", model, "a.png", "--save", "model") == 2
    assert capsys.readouterr().err.count("\n") == 3
