"""Several processes: what one does not survive, the others do not notice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emseg.cli import signals
from emseg.cli.batch.outcome import BAD, DONE, Outcome
from emseg.cli.batch.worker_pool import spread
from emseg.output.store.names import Job

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform != "linux", reason="copies this process")]


def jobs(*names: str) -> list[Job]:
    return [Job(name, {}, f"{name}.json") for name in names]


def task(job: Job) -> Outcome:
    """Do what the job's name says."""
    match job.source:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "asked to end":
            os.kill(os.getpid(), signal.SIGTERM)
        case "hidden":
            Path(".emseg-hidden").touch()
    return Outcome(0, DONE, out=job.source)


def ended(names: list[str], count: int) -> dict[str, Outcome]:
    return {job.source: outcome for job, outcome in spread(jobs(*names), count, task)}


def test_every_job_is_done_once() -> None:
    names = [str(i) for i in range(20)]
    for count in (1, 2, 5):
        found = list(spread(jobs(*names), count, task))
        assert sorted(job.source for job, _ in found) == sorted(names)
        assert all(outcome == Outcome(0, DONE, out=job.source) for job, outcome in found)


@pytest.mark.parametrize(
    ("name", "how"), [("killed", "killed by SIGKILL"), ("exit", "exit code 3"), ("asked to end", "exit code 143")]
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_process_that_dies_is_one_failed_input(name: str, how: str, count: int) -> None:
    found = ended(["a", name, "b", "c", "d"], count)
    outcome = found.pop(name)
    assert (outcome.code, outcome.state, outcome.lost) == (1, BAD, True)
    assert outcome.line == f"{name}: its process ended early ({how}); if memory is short, give fewer --jobs"
    assert found == {other: Outcome(0, DONE, out=other) for other in "abcd"}


def test_all_processes_may_die() -> None:
    found = [outcome.state for _, outcome in spread(jobs(*["killed"] * 7), 2, task)]
    assert found == [BAD] * 7


def sleep(job: Job) -> Outcome:
    Path(job.source).write_text(str(os.getpid()))
    if job.source != "first":
        time.sleep(60)
    return Outcome(0, DONE)


def gone(pid: int) -> bool:
    """Whether a process ends within some seconds; one that has ended and is not yet waited for counts."""
    for _ in range(500):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_no_process_outlives_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(signals.CLEANERS)
    loop = spread(jobs("first", "second"), 2, sleep)
    next(loop)
    while not Path("second").exists() or not Path("second").read_text():
        time.sleep(0.01)
    loop.close()
    assert gone(int(Path("second").read_text()))
    assert before == signals.CLEANERS


def test_no_process_outlives_the_one_that_started_it(tmp_path: Path) -> None:
    """Killed with no chance to clean up, it leaves processes that notice by themselves."""
    pid = os.fork()
    if pid == 0:
        os.chdir(tmp_path)
        for _ in spread(jobs("first", "second"), 2, sleep):
            while not Path("second").exists() or not Path("second").read_text():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert gone(int((tmp_path / "second").read_text()))


STRUCK = """
import os, signal
from emseg.cli import signals
from emseg.cli.batch.outcome import DONE, Outcome
from emseg.cli.batch.worker_pool import spread
from emseg.output.store.names import Job

signals.install()
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGINT))
jobs = [Job(name, {}, name) for name in "abc"]
print(sorted(outcome.out for _, outcome in spread(jobs, 2, lambda job: Outcome(0, DONE, out=job.source))))
"""


def test_ctrl_c_while_a_process_starts_does_not_reach_it() -> None:
    """It is for the process that starts it, whose handlers the new one has for a moment."""
    done = subprocess.run([sys.executable, "-c", STRUCK], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "['a', 'b', 'c']\n", "")
