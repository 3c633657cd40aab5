"""Run commands as whole processes and measure what they use.

This module, and whoever imports it to start runs, stays small on purpose: on Linux the peak memory of a child process
begins at that of its parent.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
SAME = {**ONE_THREAD, "PYTHONDONTWRITEBYTECODE": ""}
HASWELL = {"OPENBLAS_CORETYPE": "Haswell"}
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class BenchmarkError(Exception):
    """A command that was to be measured failed; the message is its last line."""


@dataclass(frozen=True)
class Run:
    """What one process used, or the median of several.

    Attributes
    ----------
    cpu, wall : float
        Seconds; cpu is user plus system time, children included.
    peak : float
        Largest resident set in units of 10⁶ bytes.
    said : dict
        The JSON object the process printed, if it printed one.
    """

    cpu: float
    wall: float
    peak: float
    said: dict[str, Any] = field(default_factory=dict)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command from the repository's root with one BLAS thread, and wait for it.

    Modules are compiled once, as they are where a package was installed, whatever the environment says of that.

    Raises
    ------
    BenchmarkError
        If it does not exit with 0.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=out, stderr=err, cwd=ROOT, env={**os.environ, **SAME, **(environment or {})}
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            lines = err.read().decode(errors="replace").split("\n")
            raise BenchmarkError(next((line for line in reversed(lines) if line.strip()), f"exit {process.returncode}"))
        out.seek(0)
        text = out.read().decode().strip()
    said = json.loads(text) if text.startswith("{") else {}
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * _PEAK_UNIT / 1e6, said)


APART = """
import json, sys
from tests.benchmarks.measure import run
found = run(sys.argv[1:])
print(json.dumps([found.cpu, found.wall, found.peak]))
"""


def run_apart(command: Sequence[str]) -> Run:
    """The same from a process that is not small: another one starts the command, and what it says is lost."""
    told = subprocess.run(
        [sys.executable, "-c", APART, *command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return Run(*json.loads(told.stdout))


def alternate(
    commands: Mapping[str, tuple[Sequence[str], int]], environment: Mapping[str, str] | None = None
) -> dict[str, Run]:
    """Run commands in turn, each as often as wanted, and return the median run of each.

    Parameters
    ----------
    commands : mapping
        From a name to the command and how often it runs.
    environment : mapping, optional
        Added to that of every run.
    """
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(max(times for _, times in commands.values())):
        for name, (command, times) in commands.items():
            if turn < times:
                runs[name].append(run(command, environment))
                print(f"{name}: {runs[name][-1].cpu:.3f} CPU s", file=sys.stderr, flush=True)
    return {name: median(found) for name, found in runs.items()}


def median(runs: Sequence[Run]) -> Run:
    """Median times, median of each number printed, and the largest peak."""
    said = {
        key: statistics.median(run.said[key] for run in runs) if isinstance(value, int | float) else value
        for key, value in runs[0].said.items()
    }
    cpu, wall = (statistics.median(getattr(run, name) for run in runs) for name in ("cpu", "wall"))
    return Run(cpu, wall, max(run.peak for run in runs), said)


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module of this interpreter; `emseg` or the name of a script in this folder."""
    full = module if module == "emseg" else f"tests.benchmarks.{module}"
    return [sys.executable, "-m", full, *map(str, arguments)]


def segment(image: Path, folder: Path, features: str) -> list[str]:
    """The command users type."""
    return python("emseg", "segment", image, "-k", 4, "-o", folder, "--features", features, "--overwrite")
