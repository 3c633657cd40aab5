"""How long help takes to appear."""

from __future__ import annotations

import sys

from tests.benchmarks.measure import alternate, python
from tests.benchmarks.report import Report, Row, Table

TARGET = 100  # ms


def measure(quick: bool) -> Report:
    """CPU and wall time of the two shortest commands."""
    times = 3 if quick else 15
    wanted = {f"emseg {option}": (python("emseg", option), times) for option in ("--help", "--version")}
    runs = alternate({"python -c pass": ([sys.executable, "-c", "pass"], times), **wanted})
    milliseconds = [1000 * value for name in wanted for value in (runs[name].cpu, runs[name].wall)]
    targets = [Row.at_most("emseg --help / --version, CPU and wall", milliseconds, TARGET, " ms")]
    lines = [(name, f"{1000 * run.cpu:.0f}", f"{1000 * run.wall:.0f}") for name, run in runs.items()]
    return Report(targets, [Table("Start-up:", ("command", "CPU ms", "wall ms"), lines)])
