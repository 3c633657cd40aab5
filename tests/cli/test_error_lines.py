from __future__ import annotations

import os
import warnings
from collections.abc import Callable

import click
import pytest

from emseg.cli.error_lines import attempt, warnings_as_lines
from emseg.errors import DataError, ImageError, UsageError


def raiser(error: BaseException) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ImageError("a.png: is not an image"), 1, "emseg: a.png: is not an image"),
        (DataError("a.png: two\nlines"), 1, "emseg: a.png: two lines"),
        (UsageError("--features: unknown name"), 2, "emseg: --features: unknown name"),
        (KeyboardInterrupt(), 130, "emseg: interrupted"),
        (click.Abort(), 130, "emseg: interrupted"),
        (click.UsageError("No such option."), 2, "emseg: No such option"),
        (FileNotFoundError(2, "No such file", "b.png"), 1, "emseg: a.png: b.png: No such file"),
        (OSError("odd"), 1, "emseg: a.png: odd"),
        (MemoryError(), 1, "emseg: a.png: not enough memory; use a smaller image or fewer components (-k)"),
        (
            ZeroDivisionError("x / 0"),
            1,
            "emseg: a.png: internal error (ZeroDivisionError: x / 0); run again with --debug to see where",
        ),
    ],
)
def test_every_error_is_one_line_and_a_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attempt(raiser(error), "a.png") == code
    assert capsys.readouterr() == ("", line + "\n")


def test_debug_adds_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert attempt(raiser(ImageError("a.png: no")), debug=True) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("\nemseg: a.png: no\n")


def test_the_result_is_the_code() -> None:
    assert attempt(lambda: 3) == 3
    assert attempt(lambda: None) == 0
    assert attempt(lambda: "text") == 0


def test_a_reader_that_left_is_no_news(capfd: pytest.CaptureFixture[str]) -> None:
    keep = os.dup(1)
    try:
        assert attempt(raiser(BrokenPipeError(32, "Broken pipe"))) == 141
    finally:
        os.dup2(keep, 1)
    assert capfd.readouterr() == ("", "")


def test_what_libraries_warn_of_is_a_line(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    for quiet, expected in ((False, "emseg: UserWarning: two lines\n"), (True, "")):
        warnings_as_lines(quiet)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning(UserWarning("two\nlines"), UserWarning, "x.py", 1)
        assert capfd.readouterr().err == expected
