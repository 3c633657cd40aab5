"""Processes that share the work on one image: same results, errors that arrive, deaths that are told."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from emseg.errors import EmsegError, ImageError
from emseg.execution.processes import Processes
from emseg.image.read import read_image


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    with Processes(2) as pool:
        yield pool


def gone(pid: int) -> bool:
    """Whether a process has ended, within two seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":  # nobody has asked for its end
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_results_come_in_order(two: Processes) -> None:
    whole = np.arange(4000.0).reshape(40, 100)
    found = list(two.map(partial(np.subtract, 3), ((whole[i : i + 4, ::2],) for i in range(0, 40, 4))))
    assert (np.concatenate(found) == 3 - whole[:, ::2]).all()
    assert list(two.map(partial(np.subtract, 2), [(5,)])) == [-3]


def test_what_is_printed_is_no_result(two: Processes) -> None:
    assert list(two.map(print, [("not a result",), ("nor this",)])) == [None, None]


def test_parts_are_asked_for_when_they_are_needed(two: Processes) -> None:
    asked = []

    def parts() -> Iterator[tuple[int]]:
        for i in range(50):
            asked.append(i)
            yield (i,)

    results = two.map(abs, parts())
    assert next(results) == 0
    assert len(asked) < 10
    results.close()


def test_errors_are_those_of_the_work(two: Processes, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nothing\.png"):
        list(two.map(read_image, [(str(tmp_path / "nothing.png"),), (str(tmp_path / "nor.png"),)]))
    with pytest.raises(ValueError, match="domain"):
        list(two.map(math.sqrt, [(4.0,), (-4.0,), (9.0,)]))
    assert list(two.map(math.sqrt, [(4.0,), (9.0,)])) == [2, 3]


def test_other_processes_do_it_and_end() -> None:
    with Processes(2) as pool:
        pids = set(pool.map(os.getpid, [()] * 20))
    assert os.getpid() not in pids
    assert all(gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_a_death_is_told_in_one_line() -> None:
    with Processes(2) as pool, pytest.raises(EmsegError, match=r"killed by signal 9.*use workers=1") as caught:
        list(pool.map(signal.raise_signal, [(signal.SIGKILL,)] * 3))
    assert "\n" not in str(caught.value)


def test_nothing_is_left_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    import subprocess

    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal, time\n"
        "from emseg.execution.processes import Processes\n"
        "pool = Processes(2)\n"
        "print(next(pool.map(os.getpid, [()])), flush=True)\n"
        "list(pool.map(time.sleep, [(60,), (60,)]))\n"
    )
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)
