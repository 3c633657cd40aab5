"""`emseg evaluate` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.cli.subcommands.evaluate_command import MEANING
from emseg.regions.scores import score


def run(*arguments: object) -> int:
    return attempt(lambda: cli.main(["evaluate", *map(str, arguments)], "emseg", standalone_mode=False))


@pytest.fixture
def maps(tmp_path: Path) -> tuple[Path, Path]:
    labels = (np.arange(30).reshape(5, 6) // 7).astype(np.uint8)
    for name, plane in (("labels", labels), ("truth", labels // 2)):
        PIL.Image.fromarray(plane).save(tmp_path / f"{name}.png")
    return tmp_path / "labels.png", tmp_path / "truth.png"


def test_a_table_for_people(maps: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*maps) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "5 labels, 30 pixels" in lines[0]
    scores, table = lines[1 : 1 + len(MEANING)], lines[1 + len(MEANING) :]
    assert [line.split()[0] for line in scores] == list(MEANING)
    assert table[0] == "  pixels by label (rows) and true label (columns)"
    assert sum(int(cell) for row in table[2:] for cell in row.split()[1:]) == 30


def test_json_for_programs(maps: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*maps, maps[0], "--ignore", 2, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    labels, truth = (np.asarray(PIL.Image.open(path)) for path in maps)
    assert found["scores"] == score(labels, [truth, labels], 2)
    assert found["truths"] == [str(maps[1]), str(maps[0])]
    assert set(MEANING) <= set(found["scores"])


def test_errors_are_one_line(maps: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(maps[0]) == 2
    PIL.Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "small.png")
    assert run(maps[0], tmp_path / "small.png") == 1
    assert capsys.readouterr().err.count("\n") == 2
