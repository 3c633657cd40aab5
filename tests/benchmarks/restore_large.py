"""A large colour photograph without its noise: time by the clock, CPU time, and the memory of all processes together.

Wall time is that of the machine as it is: run this alone.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.images import image
from tests.benchmarks.measure import ONE_THREAD, ROOT, BenchmarkError, python
from tests.benchmarks.report import Report, Row, Table

SIGMA = 25  # of the noise to be taken out; how much there is makes no difference to the time
PAUSE = 0.2  # seconds between two looks at the memory
WALL, MEMORY = 600, 3000


def measure(quick: bool) -> Report:
    """12 megapixels; with `quick` one, of which nothing is asked."""
    megapixels = 1 if quick else 12
    wall, cpu, peak = _watched(image("coffee", megapixels))
    what = f"denoising {megapixels} MP in colour"
    targets = []
    if not quick:
        targets = [
            Row.at_most(f"{what}, wall", [wall], WALL, " s"),
            Row.at_most(f"{what}, memory of all processes", [peak], MEMORY, " MB"),
        ]
    line = (what, str(os.cpu_count()), f"{wall:.0f}", f"{cpu:.0f}", f"{peak:.0f}")
    return Report(targets, [Table("A large photograph:", ("work", "processors", "wall s", "CPU s", "MB"), [line])])


def _watched(source: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds, and the largest sum of what all processes had in memory, in units of 10⁶ bytes."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise BenchmarkError("the memory of several processes can be watched on Linux only")
    peak, before = 0.0, _used()
    with tempfile.TemporaryDirectory() as folder:
        command = [*python("emseg", "denoise", source, "--sigma", SIGMA, "-o", folder)]
        begin = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **ONE_THREAD}, stdout=sys.stderr) as process:
            while process.poll() is None:
                peak = max(peak, sum(map(_memory, _family(process.pid))))
                time.sleep(PAUSE)
        wall = time.perf_counter() - begin
    if process.returncode:
        raise BenchmarkError(f"exit {process.returncode}")
    return wall, _used() - before, peak


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    try:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _family(int(child))
    except OSError:  # it has ended
        return


def _memory(pid: int) -> float:
    """Proportional set size, so that pages which several processes share count once."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
