"""A 12 MP file from start to end, in seconds, and against what no program can avoid."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.images import image
from tests.benchmarks.measure import alternate, python, segment
from tests.benchmarks.report import Report, Row, Table


def measure(quick: bool) -> Report:
    """CPU seconds of RGB and Lab runs, and their ratio to decoding, packing and encoding alone."""
    times = 1 if quick else 5
    source = image("coffee", 12)
    with tempfile.TemporaryDirectory() as folder:
        wanted = {f"emseg {features}": (segment(source, Path(folder), features), times) for features in ("rgb", "lab")}
        runs = alternate({"decode + pack + encode": (python("bare_io", source, folder), times), **wanted})
    bare, *ours = runs.values()
    targets = [
        Row.at_most("12 MP end to end", [run.cpu for run in ours], 0.8, " CPU s"),
        Row.at_most("12 MP end to end, over decode + pack + encode", [run.cpu / bare.cpu for run in ours], 3, "×"),
    ]
    lines = [(name, f"{run.cpu:.3f}", f"{run.wall:.3f}", f"{run.peak:.0f}") for name, run in runs.items()]
    return Report(targets, [Table("A 12 MP JPEG, whole process:", ("process", "CPU s", "wall s", "MB"), lines)])
