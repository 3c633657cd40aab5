"""`emseg help`, and words that name no command."""

from __future__ import annotations

from pathlib import Path

import pytest

from emseg.cli.error_lines import attempt
from emseg.cli.main import COMMANDS, cli


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = attempt(lambda: cli.main(list(arguments), "emseg", standalone_mode=False))
    return code, *capsys.readouterr()


@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_it_is_what_the_option_shows(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [name] if name else []
    found = run(capsys, "help", *words)
    assert found == run(capsys, *words, "--help")
    assert (found[0], found[2]) == (0, "")
    assert found[1].startswith(f"Usage: emseg {name}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["segmnt", "p.png"], "No such command 'segmnt'; did you mean segment?"),
        (["Denoise"], "did you mean denoise?"),
        (["help", "sgment"], "did you mean segment?"),
        (["hlep"], "did you mean help?"),
        (["nonsense"], "there are segment, apply, denoise"),
        ([Path(__file__).as_posix()], f"did you mean emseg segment {Path(__file__).as_posix()}?"),
        (["segment", "--fetures", "lab"], "did you mean --features"),
        (["segment", "--jbos", "2"], "--jobs"),
    ],
)
def test_a_wrong_word_gets_a_suggestion(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
