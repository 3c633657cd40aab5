"""OpenCV's EM, once, for context: it takes a minute for a quarter of a megapixel."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks.images import image
from tests.benchmarks.measure import alternate, python, segment
from tests.benchmarks.report import Report, Row, Table


def measure(quick: bool) -> Report:
    """Ratio of whole processes at 0.25 MP, RGB; left out if it has to be quick."""
    if quick:
        return Report([])
    source = image("coffee", 0.25)
    with tempfile.TemporaryDirectory() as folder:
        runs = alternate(
            {
                "emseg": (segment(source, Path(folder), "rgb"), 5),
                "OpenCV": (python("peer_opencv", source, Path(folder, "peer.png")), 1),
            }
        )
    ours, peer = runs.values()
    targets = [Row.at_least("0.25 MP against OpenCV's ml.EM, whole process", [peer.cpu / ours.cpu], None)]
    lines = [(name, f"{run.cpu:.2f}", f"{run.wall:.2f}", f"{run.peak:.0f}") for name, run in runs.items()]
    return Report(targets, [Table("0.25 MP RGB, k = 4:", ("process", "CPU s", "wall s", "MB"), lines)])
