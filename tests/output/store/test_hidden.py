"""Hidden files: found again by the next run, never taken from a process that lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emseg.output.store import hidden
from emseg.output.store.hidden import Hidden, alone, discard_all, hidden_names, sweep

ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
from emseg.output.store.hidden import Hidden
with Hidden(sys.argv[1]) as files:
    files.write(sys.argv[1], b"of another process")
    print("ready", flush=True)
    time.sleep(60)
"""

pytestmark = pytest.mark.skipif(hidden.fcntl is None, reason="this system has no such locks")


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.fixture
def report(tmp_path: Path) -> str:
    return str(tmp_path / "photo.json")


@pytest.fixture
def other(report: str) -> subprocess.Popen[bytes]:
    """Another process with a hidden file of the same report."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, report], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_shown_or_gone(tmp_path: Path, report: str) -> None:
    with Hidden(report) as files:
        files.write(report, b"shown")
        files.write(str(tmp_path / "other"), b"gone")
        assert len(names(tmp_path)) == 2
        assert all(name.startswith(".emseg-") for name in names(tmp_path))
        files.show(report)
    assert names(tmp_path) == ["photo.json"]
    assert Path(report).read_bytes() == b"shown"


def test_names_depend_on_the_report_alone() -> None:
    first = [name for _, name in zip(range(3), hidden_names("a/photo.json"), strict=False)]
    assert len(set(first)) == 3
    assert first == [
        f"a/{os.path.basename(name)}" for _, name in zip(range(3), hidden_names("photo.json"), strict=False)
    ]
    assert next(hidden_names("a/photo2.json")) not in first


def test_what_a_killed_process_left_is_swept(tmp_path: Path, report: str, other: subprocess.Popen[bytes]) -> None:
    end(other)
    assert len(names(tmp_path)) == 1
    sweep(report.replace("photo", "another"), 3)
    assert len(names(tmp_path)) == 1
    sweep(report, 3)
    assert names(tmp_path) == []


def test_what_a_living_process_holds_stays(tmp_path: Path, report: str, other: subprocess.Popen[bytes]) -> None:
    held = names(tmp_path)
    sweep(report, 3)
    with Hidden(report) as files:
        files.write(report, b"mine")
        assert len(names(tmp_path)) == 2
        files.show(report)
    assert names(tmp_path) == sorted([*held, "photo.json"])
    assert (tmp_path / held[0]).read_bytes() == b"of another process"
    end(other)


def test_a_name_that_is_taken_is_left(tmp_path: Path, report: str) -> None:
    taken = next(hidden_names(report))
    os.symlink("/etc/hostname", taken)
    with Hidden(report) as files:
        files.write(report, b"mine")
        files.show(report)
    assert os.readlink(taken) == "/etc/hostname"


def test_too_many_is_an_error(tmp_path: Path, report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "MOST", 2)
    for name in hidden_names(report):
        os.mkdir(name)
    with pytest.raises(OSError, match="too many hidden files"), Hidden(report) as files:
        files.write(report, b"mine")


def test_all_of_a_process_are_discarded_at_once(tmp_path: Path, report: str) -> None:
    with Hidden(report) as one, Hidden(str(tmp_path / "b.json")) as two:
        one.write(report, b"1")
        two.write(str(tmp_path / "b.json"), b"2")
        discard_all()
        assert names(tmp_path) == []


def test_one_at_a_time_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one waits; in the end, patience is at an end, and the work is done all the same."""
    monkeypatch.setattr(hidden, "PATIENCE", 0.2)
    with alone(str(tmp_path)):
        start = time.monotonic()
        with alone(str(tmp_path)):
            assert time.monotonic() - start >= 0.2
    start = time.monotonic()
    with alone(str(tmp_path)), alone(str(tmp_path / "nowhere")):
        pass
    assert names(tmp_path) == []
