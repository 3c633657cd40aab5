"""Any value for any option of any command: results, or one line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import COMMANDS, cli

pytestmark = pytest.mark.long

INPUTS = ("photo.png", "flat.png", "none.png", "model.json", "-")
COMMON = (*INPUTS, "0", "1", "2", "-1", "3:2", "2:3", "auto", "nan", "inf", "1e9", "all", "lab,xy", "a=b", "1/2", "")
# What a command line may hold: no NUL, and bytes that are no text.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.just("\udcff"), max_size=8)
VALUES = st.sampled_from(COMMON) | TEXT | st.integers(-5, 10**18).map(str) | st.floats().map(str)
FOLDERS = st.sampled_from(["-", "out", "out/deep", ".", "photo.png", "photo.png/x", "\n", "a" * 300])
ALONE = {"help", "debug", "version"}  # which are meant to print more


def parameters(name: str) -> list[click.Option]:
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    return [param for param in command.params if isinstance(param, click.Option) and param.name not in ALONE]


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    name = draw(st.sampled_from(sorted(name for name in COMMANDS if parameters(name))))
    words = [name]
    for option in draw(st.lists(st.sampled_from(parameters(name)), max_size=3)):
        words.append(draw(st.sampled_from(option.opts)))
        if not option.is_flag:
            words.append(draw(FOLDERS if option.name == "output" else VALUES))
    return [
        *words,
        *draw(st.lists(st.sampled_from(["photo.png", "flat.png", "none.png", "-", "model.json"]), max_size=2)),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder, here = tmp_path_factory.mktemp("fuzz"), os.getcwd()
    os.chdir(folder)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (5, 6, 3), np.uint8)).save("photo.png")
    Image.new("L", (4, 3)).save("flat.png")
    arguments = ["segment", "photo.png", "-k", "2", "-q", "--save", "model", "-o", "model"]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 0
    os.replace("model/photo.emseg.json", "model.json")
    yield folder
    os.chdir(here)


def judge(words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"photo.png\n")))
    code = attempt(lambda: cli.main(words, "emseg", standalone_mode=False))
    _, err = capfd.readouterr()
    assert code in (0, 1, 2)
    assert "internal error" not in err
    assert "Traceback" not in err
    lines = err.splitlines()
    if not {"-v", "--verbose"} & set(words):
        assert all(line.startswith("emseg: ") and line.isprintable() for line in lines), err
        assert lines or code == 0
    assert Path("photo.png").stat().st_size > 100


@given(words=command_lines())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_some_command_lines(words: list[str], folder: Path, monkeypatch: Any, capfd: Any) -> None:
    judge(words, monkeypatch, capfd)


@pytest.mark.slow
@given(words=command_lines())
@settings(max_examples=4000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_many_command_lines(words: list[str], folder: Path, monkeypatch: Any, capfd: Any) -> None:
    judge(words, monkeypatch, capfd)
