"""One large image by several processes: Ctrl-C and the death of one of them leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
CHILDREN = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CHILDREN.exists(), reason="needs the list of a process's children"),
]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "large.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (700, 800), np.uint8)).save(path)
    return path


def arguments(pid: int) -> str:
    """The command line of a process; that of its parent until the new program has been loaded."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children if "import serve" in arguments(int(pid))]


@pytest.fixture
def busy(photo: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """The command at work, and the processes that it has started: halted, so that it cannot be done too early."""
    command = [sys.executable, "-m", "emseg", "denoise", str(photo), "--sigma", "20", "--workers", "2", "-o"]
    with subprocess.Popen([*command, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        pids: list[int] = []
        while len(pids) < 2 and process.poll() is None:
            for pid in set(workers_of(process)) - set(pids):
                os.kill(pid, signal.SIGSTOP)
                pids.append(pid)
            time.sleep(0.01)
        yield process, pids
        for pid in (*pids, process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def ended(pid: int) -> bool:
    """Waits for it; a minute is far more than a process that was killed takes to end."""
    for _ in range(6000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        if state.rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_ctrl_c(busy: tuple[subprocess.Popen[str], list[int]], tmp_path: Path) -> None:
    process, pids = busy
    assert len(pids) == 2
    process.send_signal(signal.SIGINT)
    process.wait(timeout=300)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)  # so that they see the end of their input
    assert process.communicate(timeout=300)[1] == "emseg: interrupted\n"
    assert process.returncode == 130
    assert all(ended(pid) for pid in pids)
    assert not list(tmp_path.iterdir())


def test_a_process_that_is_killed(busy: tuple[subprocess.Popen[str], list[int]], tmp_path: Path, photo: Path) -> None:
    process, pids = busy
    os.kill(pids[0], signal.SIGKILL)
    os.kill(pids[1], signal.SIGCONT)  # whose part may be asked for first
    said = process.communicate(timeout=300)[1]
    assert said.startswith(f"emseg: {photo}: a process that worked on the image ended early (killed by signal 9)")
    assert said.count("\n") == 1
    assert process.returncode == 1
    assert all(ended(pid) for pid in pids)
    assert not list(tmp_path.iterdir())
