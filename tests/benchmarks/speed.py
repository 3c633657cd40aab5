"""Whole runs of `emseg segment` against whole runs of scikit-learn, at three image sizes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import nan
from pathlib import Path
from typing import Any

from tests.benchmarks.images import image
from tests.benchmarks.measure import HASWELL, Run, alternate, python, segment
from tests.benchmarks.report import Report, Row, Table

TARGETS = {0.25: 30, 1: 80, 12: 200}
PHOTOGRAPHS = {0.25: ("coffee", "astronaut"), 1: ("coffee", "astronaut"), 12: ("coffee",)}
OURS, PEER = 5, {0.25: 3, 1: 3, 12: 1}  # how often each runs
HEAD = (
    "image",
    "emseg CPU s (wall)",
    "MB",
    "E-steps",
    "mean ln p",
    "scikit-learn CPU s",
    "its fit + predict",
    "MB",
    "E-steps",
    "mean ln p",
    "whole / alone",
)


@dataclass(frozen=True)
class Pair:
    """One image done by both."""

    name: str
    ours: Run
    peer: Run
    report: Mapping[str, Any]

    @property
    def whole(self) -> float:
        """Whole process over whole process."""
        return self.peer.cpu / self.ours.cpu

    @property
    def alone(self) -> float:
        """The peer's fit and predict alone over our whole process."""
        return self._fit_and_predict / self.ours.cpu

    @property
    def _fit_and_predict(self) -> float:
        return float(self.peer.said["fit"] + self.peer.said["predict"])

    def line(self, remark: str) -> tuple[str, ...]:
        """A row of the table of details."""
        ours, peer = self.ours, self.peer
        return (
            self.name + remark,
            f"{ours.cpu:.3f} ({ours.wall:.3f})",
            f"{ours.peak:.0f}",
            f"{self.report['e_steps']}",
            f"{self.report['log_likelihood_per_pixel']:.4f}",
            f"{peer.cpu:.2f}",
            f"{self._fit_and_predict:.2f}",
            f"{peer.peak:.0f}",
            f"{peer.said.get('iterations', nan):.0f}",
            f"{peer.said.get('log_likelihood', nan):.4f}",
            f"{self.whole:.3g}× / {self.alone:.3g}×",
        )


def measure(quick: bool) -> Report:
    """Ratios for RGB and Lab; under Haswell without the largest size."""
    targets: list[Row] = []
    lines: list[tuple[str, ...]] = []
    for kernel, environment in {"": {}, ", Haswell": HASWELL}.items():
        for size, target in TARGETS.items():
            if kernel and size == 12:
                continue
            pairs = list(_pairs(size, environment, quick))
            scaled = ", peer scaled from 1 MP" if quick and size == 12 else ""
            what = f"{size} MP fit + labels, all our I/O included{kernel}{scaled}: against scikit-learn's"
            targets.append(Row.at_least(f"{what} whole process", [pair.whole for pair in pairs], target))
            targets.append(Row.at_least(f"{what} fit + predict alone", [pair.alone for pair in pairs], target))
            lines += [pair.line(kernel) for pair in pairs]
    caption = (
        "Whole runs, k = 4, full covariance. Both write a label map; ours also the overlay, the log and the report:"
    )
    return Report(targets, [Table(caption, HEAD, lines)])


def _pairs(size: float, environment: Mapping[str, str], quick: bool) -> Iterator[Pair]:
    """Both on every photograph of a size, in RGB and Lab."""
    scale = 12 if quick and size == 12 else 1
    for photograph, features in product(PHOTOGRAPHS[size], ("rgb", "lab")):
        source, name = image(photograph, size), f"{photograph} {size} MP {features}"
        with tempfile.TemporaryDirectory() as folder:
            smaller = image(photograph, size / scale)
            peer = python("peer_sklearn", smaller, features, "kmeans", Path(folder, "peer.png"))
            runs = alternate(
                {
                    f"emseg {name}": (segment(source, Path(folder), features), 1 if quick else OURS),
                    f"scikit-learn {name}": (peer, 1 if quick else PEER[size]),
                },
                environment,
            )
            own, other = runs.values()
            yield Pair(
                name, own, _scaled(other, scale), json.loads(Path(folder, f"{source.stem}.json").read_text("utf-8"))
            )


def _scaled(run: Run, factor: int) -> Run:
    """A run as if its image had been larger: stages that handle pixels grow in proportion, the rest is unknown."""
    if factor == 1:
        return run
    said = {stage: factor * run.said[stage] for stage in ("load", "fit", "predict", "write")}
    return replace(run, cpu=run.cpu + (1 - 1 / factor) * sum(said.values()), peak=nan, said=said)
