from __future__ import annotations

import sys
from dataclasses import replace

import pytest

import emseg.cli.progress
from emseg.cli.progress import COLUMNS, watch
from emseg.em.fit import Row

ROW = Row(0, -1234.5, -1230.25, -1230.25, 0.0, 0.125, 7, 0.5)


class Terminal:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True


def test_verbose_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    with watch("a.png", quiet=False, verbose=True) as on_iteration:
        assert on_iteration
        assert capsys.readouterr().err == ""  # an input that cannot be read has no table
        on_iteration(ROW)
        on_iteration(replace(ROW, iteration=1))
    name, head, row, after = capsys.readouterr().err.splitlines()
    assert name == "a.png"
    assert head == COLUMNS
    assert row.split() == ["0", "-1234.500", "-1230.250", "1.250e-01", "7", "0.500"]
    assert len(row) == len(head) == len(after)


def test_nobody_looks() -> None:
    with watch("a.png", quiet=False, verbose=False) as on_iteration:
        assert on_iteration is None


def test_quiet_silences_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with watch("a.png", quiet=True, verbose=False) as on_iteration:
        assert on_iteration is None


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (1e9, False)])
def test_a_terminal_gets_a_bar_once_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, patience: float, shown: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(emseg.cli.progress, "PATIENCE", patience)
    with watch("a.png", quiet=False, verbose=False) as on_iteration:
        assert on_iteration
        on_iteration(ROW)
    assert ("a.png" in terminal.text) is shown
