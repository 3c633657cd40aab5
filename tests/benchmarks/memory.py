"""Peak memory of `emseg segment` on large files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.images import image
from tests.benchmarks.measure import alternate, segment
from tests.benchmarks.report import Report, Row, Table

TARGETS = {12: 300, 48: 700}


def measure(quick: bool) -> Report:
    """Largest resident set for RGB and Lab."""
    targets, lines = [], []
    for size, target in TARGETS.items():
        source = image("coffee", size)
        with tempfile.TemporaryDirectory() as folder:
            commands = {
                f"emseg {size} MP {features}": (segment(source, Path(folder), features), 1 if quick else 3)
                for features in ("rgb", "lab")
            }
            runs = alternate(commands)
        targets.append(Row.at_most(f"peak memory, {size} MP", [run.peak for run in runs.values()], target, " MB"))
        lines += [(name, f"{run.peak:.0f}", f"{run.cpu:.3f}", f"{run.wall:.3f}") for name, run in runs.items()]
    return Report(targets, [Table("Peak memory, k = 4:", ("process", "MB", "CPU s", "wall s"), lines)])
