"""Progress: a table with -v; on a terminal a line that moves; elsewhere nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from emseg.cli import live_line, progress
from emseg.cli.progress import COLUMNS, counted, table, tick, watch
from emseg.em.fit import Row
from emseg.execution import steps

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
ROW = Row(0, -1234.5, -1230.25, -1230.25, 0.0, 0.125, 7, 0.5)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal for stderr, on which a line is drawn at once and at every change."""
    found = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=found))  # pytest changes sys.stderr after this
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(live_line, "PATIENCE", 0.0)
    monkeypatch.setattr(live_line, "INTERVAL", 1e-6)
    return found


def test_verbose_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    with table("a.png", verbose=True) as on_iteration:
        assert on_iteration
        assert capsys.readouterr().err == ""  # an input that cannot be read has no table
        on_iteration(ROW)
        on_iteration(replace(ROW, iteration=1))
    name, head, row, after = capsys.readouterr().err.splitlines()
    assert name == "a.png"
    assert head == COLUMNS
    assert row.split() == ["0", "-1234.500", "-1230.250", "1.250e-01", "7", "0.500"]
    assert len(row) == len(head) == len(after)


def test_no_table_unless_wanted() -> None:
    with table("a.png", verbose=False) as on_iteration:
        assert on_iteration is None


def test_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with watch("a.png", quiet=False):
        steps.step("fitting")
    assert capsys.readouterr() == ("", "")


def test_quiet_and_dumb_terminals_get_no_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with watch("a.png", quiet=True):
        steps.step("fitting")
    monkeypatch.setenv("TERM", "dumb")
    with watch("a.png", quiet=False):
        steps.step("fitting")
    assert terminal.getvalue() == ""


def test_a_terminal_shows_steps_iterations_and_shares(terminal: Terminal) -> None:
    with watch("a.png", quiet=False):
        steps.step("fitting")
        steps.iteration(12)
        steps.step("removing noise")
        steps.part(0.5)
    text = terminal.getvalue()
    for part in ("a.png: fitting  0:00", "a.png: fitting, iteration 12  0:00", "a.png: removing noise  50%|"):
        assert part in text
    assert "iteration 12 50" not in text
    assert text.endswith("\r")  # nothing is left
    assert text.split("\r")[-2].strip() == ""
    steps.step("nobody listens any more")
    assert terminal.getvalue() == text


def test_short_work_shows_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_line, "PATIENCE", 1e9)
    with watch("a.png", quiet=False):
        steps.step("fitting")
    assert terminal.getvalue() == ""


def test_a_table_and_a_line_do_not_mix(terminal: Terminal) -> None:
    with watch("a.png", quiet=False), table("a.png", verbose=True) as on_iteration:
        steps.step("fitting")
        assert on_iteration
        on_iteration(ROW)
    assert f"\ra.png\n{COLUMNS}\n        0 " in terminal.getvalue()  # after the line was cleared


def test_several_inputs_are_counted_and_each_says_what_it_is_at(terminal: Terminal) -> None:
    with counted(2) as done:
        for name in ("a.png", "b.png"):
            with watch(name, quiet=False, alone=False):
                steps.step("fitting")
            with done():
                print("a message", file=terminal)
    text = terminal.getvalue()
    for part in ("\r0/2: a.png: fitting  0:00", "\r1/2: b.png: fitting  0:00", "\r2/2  0:00"):
        assert part in text
    assert text.count("\ra message\n") == 2  # on lines of their own
    assert text.endswith("\r")


def test_where_other_processes_work_the_line_moves_by_ticks(terminal: Terminal) -> None:
    with counted(2, copied=True):
        assert terminal.getvalue() == ""
        tick()
        tick()
        with watch("a.png", quiet=False, alone=False):
            steps.step("not here")
    assert terminal.getvalue().count("\r0/2  0:00") == 2
    assert "not here" not in terminal.getvalue()


def test_an_error_leaves_nothing_of_the_line(terminal: Terminal) -> None:
    def fail() -> None:
        with watch("a.png", quiet=False):
            steps.step("fitting")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert terminal.getvalue().endswith(" \r")


@pytest.mark.parametrize(
    ("text", "most", "shown"), [("abcdef", 6, "abcdef"), ("abcdef", 4, "~def"), ("日本語", 5, "~本語")]
)
def test_long_lines_lose_their_beginning(text: str, most: int, shown: str) -> None:
    assert live_line.cut(text, most) == shown
    assert live_line.width(shown) <= most


SLOW = """
import sys, time
from emseg.cli import live_line
live_line.PATIENCE, live_line.INTERVAL = 0.0, 0.01
from emseg.execution import steps
real = steps.step
def slow(name):
    real(name)
    time.sleep(0.1)
steps.step = slow
from emseg.__main__ import process
sys.argv[0] = "emseg"
process()
"""


def on_terminal(folder: Path, script: str, *arguments: str) -> str:
    """What a command shows on a pseudo-terminal; it must succeed."""
    from pty import openpty

    ours, theirs = openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"}
    command = [sys.executable, "-c", script, *arguments]
    process = subprocess.Popen(command, env=env, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 1 << 16):
            text += part
    except OSError:  # which is how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0, text
    return text.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="needs pseudo-terminals, as Linux has them")
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("segment p.png -k 2 --mrf auto", ("smoothing labels", "labelling", "writing p.labels.png")),
        ("segment p.png -k 2 --regions auto", ("measuring texture", "looking for a start", "finding regions")),
        ("segment p.png q.png -k 2 --mrf auto", ("0/2: p.png", "1/2: q.png: smoothing labels")),
        ("denoise p.png", ("p.png: measuring noise", "p.png: removing noise")),
        ("compare p.png -k 2 --algorithms em,squarem", ("fitting by em", "fitting by squarem")),
    ],
)
def test_a_step_that_takes_long_moves(command: str, shown: tuple[str, ...], tmp_path: Path) -> None:
    """While a step sleeps, the line is drawn again and again, whatever the step says."""
    noise = np.random.default_rng(0).integers(0, 255, (24, 32), dtype=np.uint8)
    for name in ("p.png", "q.png"):
        Image.fromarray(noise).save(tmp_path / name)
    text = on_terminal(tmp_path, SLOW, *command.split(), "-o", "out")
    for part in shown:
        assert part in text
    drawn = text.split("\r")
    assert len(drawn) > 20
    assert not [line for line in drawn if len(line) > 120 and "\n" not in line]
    assert "\x1b" not in text
    quiet = on_terminal(tmp_path, SLOW, *command.split(), "-o", "out", "-q")
    assert quiet == ""
