"""Signals end a process in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAIT = """
import signal, sys, time
if "nohup" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
from emseg.cli.signals import CLEANERS, install
install(quiet="quiet" in sys.argv)
CLEANERS.append(lambda: print("first in", flush=True))
CLEANERS.append(lambda: print("last in", flush=True))
from emseg.output.store.staging import StagedFiles
with StagedFiles(sys.argv[1]) as files:
    files.write(sys.argv[1], b"half")
    print("ready", flush=True)
    time.sleep(1 if "nohup" in sys.argv else 60)
"""

pytestmark = [pytest.mark.long, pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs the signals of Unix")]


def ended(tmp_path: Path, number: int, *how: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", WAIT, str(tmp_path / "photo.json"), *how]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert list(tmp_path.iterdir()) == []
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("number", "line"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated"), (signal.SIGHUP, "terminated")],
)
def test_one_line_and_nothing_left(tmp_path: Path, number: int, line: str) -> None:
    assert ended(tmp_path, number) == (128 + number, "last in\nfirst in\n", f"emseg: {line}\n")


def test_without_a_word(tmp_path: Path) -> None:
    assert ended(tmp_path, signal.SIGTERM, "quiet") == (143, "last in\nfirst in\n", "")


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    assert ended(tmp_path, signal.SIGHUP, "nohup") == (0, "", "")
