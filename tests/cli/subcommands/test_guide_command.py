"""`emseg guide` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.cli.subcommands.guide_command import topics

GUIDE = Path(emseg.__file__).parent / "guide"


def run(*arguments: str) -> int:
    return attempt(lambda: cli.main(["guide", *arguments], "emseg", standalone_mode=False))


def test_without_a_topic_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    listed = capsys.readouterr().out
    assert topics()
    assert all(f"| {topic} |" in listed for topic in topics())


@pytest.mark.parametrize("topic", topics())
def test_a_page_is_shown_as_it_is(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(topic) == 0
    assert capsys.readouterr().out == (GUIDE / f"{topic}.md").read_text("utf-8")


@pytest.mark.parametrize(("wrong", "remedy"), [("feilds", "did you mean fields?"), ("../secret", "there are")])
def test_a_page_that_is_not_there(wrong: str, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wrong) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert remedy in line
