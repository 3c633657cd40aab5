"""StagedFiles files: found again by the next run, never taken from a process that lives."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emseg.output.store import staging
from emseg.output.store.staging import StagedFiles, discard_all, folder_lock, remove_abandoned, staging_names

ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
from emseg.output.store.staging import StagedFiles
with StagedFiles(sys.argv[1]) as files:
    files.write(sys.argv[1], b"of another process")
    print("ready", flush=True)
    time.sleep(60)
"""

pytestmark = pytest.mark.skipif(staging.fcntl is None, reason="this system has no such locks")


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
    with StagedFiles(report) as files:
        files.write(report, b"shown")
        files.write(str(tmp_path / "other"), b"gone")
        assert len(names(tmp_path)) == 2
        assert all(name.startswith(".emseg-") for name in names(tmp_path))
        files.publish(report)
    assert names(tmp_path) == ["photo.json"]
    assert Path(report).read_bytes() == b"shown"


def test_names_depend_on_the_report_alone() -> None:
    first = [name for _, name in zip(range(3), staging_names("a/photo.json"), strict=False)]
    assert len(set(first)) == 3
    assert first == [
        f"a/{os.path.basename(name)}" for _, name in zip(range(3), staging_names("photo.json"), strict=False)
    ]
    assert next(staging_names("a/photo2.json")) not in first


def test_what_a_killed_process_left_is_swept(tmp_path: Path, report: str, other: subprocess.Popen[bytes]) -> None:
    end(other)
    assert len(names(tmp_path)) == 1
    remove_abandoned(report.replace("photo", "another"), 3)
    assert len(names(tmp_path)) == 1
    remove_abandoned(report, 3)
    assert names(tmp_path) == []


def test_what_a_living_process_holds_stays(tmp_path: Path, report: str, other: subprocess.Popen[bytes]) -> None:
    held = names(tmp_path)
    remove_abandoned(report, 3)
    with StagedFiles(report) as files:
        files.write(report, b"mine")
        assert len(names(tmp_path)) == 2
        files.publish(report)
    assert names(tmp_path) == sorted([*held, "photo.json"])
    assert (tmp_path / held[0]).read_bytes() == b"of another process"
    end(other)


def test_a_name_that_is_taken_is_left(tmp_path: Path, report: str) -> None:
    taken = next(staging_names(report))
    os.symlink("/etc/hostname", taken)
    with StagedFiles(report) as files:
        files.write(report, b"mine")
        files.publish(report)
    assert os.readlink(taken) == "/etc/hostname"


def test_too_many_is_an_error(tmp_path: Path, report: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_STAGED", 2)
    for name in staging_names(report):
        os.mkdir(name)
    with pytest.raises(OSError, match="too many hidden files"), StagedFiles(report) as files:
        files.write(report, b"mine")


def test_all_of_a_process_are_discarded_at_once(tmp_path: Path, report: str) -> None:
    with StagedFiles(report) as one, StagedFiles(str(tmp_path / "b.json")) as two:
        one.write(report, b"1")
        two.write(str(tmp_path / "b.json"), b"2")
        discard_all()
        assert names(tmp_path) == []


def test_one_at_a_time_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one waits; in the end, patience is at an end, and the work is done all the same."""
    monkeypatch.setattr(staging, "LOCK_SECONDS", 0.2)
    with folder_lock(str(tmp_path)):
        start = time.monotonic()
        with folder_lock(str(tmp_path)):
            assert time.monotonic() - start >= 0.2
    start = time.monotonic()
    with folder_lock(str(tmp_path)), folder_lock(str(tmp_path / "nowhere")):
        pass
    assert names(tmp_path) == []
