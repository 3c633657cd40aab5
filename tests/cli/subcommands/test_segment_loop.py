"""How `emseg segment` goes through its inputs, whatever is done with each."""

from __future__ import annotations

from typing import Any

import pytest

import emseg.cli.subcommands.segment_command
from emseg.cli.batch.outcome import Done
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import ImageError, UsageError
from emseg.output.store.names import Job

BAD: dict[str, BaseException] = {
    "bad.png": ImageError("bad.png: not an image"),
    "odd.png": UsageError("--features: lab does not fit"),
    "bug.png": ZeroDivisionError("x / 0"),
    "stop.png": KeyboardInterrupt(),
}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the inputs that were segmented, instead of segmenting them."""
    names: list[str] = []

    def fake(*how: Any) -> Done:
        job: Job = how[-2]
        if job.source in BAD:
            raise BAD[job.source]
        names.append(job.source)
        return Done({}, str)

    monkeypatch.setattr(emseg.cli.subcommands.segment_command, "_segment", fake)
    return names


def run(*inputs: str) -> int:
    return attempt(lambda: cli.main(["segment", *inputs], "emseg", standalone_mode=False))


@pytest.mark.parametrize(
    ("inputs", "code", "good", "lines"),
    [
        (["a.png", "b.png"], 0, ["a.png", "b.png"], []),
        (["bad.png"], 1, [], ["bad.png: not an image"]),
        (["a.png", "bad.png", "b.png"], 1, ["a.png", "b.png"], ["bad.png: not an image", "1 of 3 inputs failed"]),
        (["odd.png"], 2, [], ["odd.png: --features: lab does not fit"]),
        (["odd.png", "b.png"], 1, ["b.png"], ["odd.png: --features: lab does not fit", "1 of 2 inputs failed"]),
        (["a.png", "stop.png", "b.png"], 130, ["a.png"], ["interrupted"]),
        (
            ["x/a.png", "a.png"],
            2,
            [],
            [
                "a.png: its result a.labels.png is also that of x/a.png; use a folder for each (-o), "
                "--recursive, or --name {name}"
            ],
        ),
        (
            ["bug.png", "b.png"],
            1,
            ["b.png"],
            [
                "bug.png: internal error (ZeroDivisionError: x / 0); run again with --debug to see where",
                "1 of 2 inputs failed",
            ],
        ),
    ],
)
def test_a_failing_input_does_not_stop_the_others(
    inputs: list[str], code: int, good: list[str], lines: list[str], done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*inputs) == code
    assert done == good
    assert capsys.readouterr().err.splitlines() == [f"emseg: {line}" for line in lines]
