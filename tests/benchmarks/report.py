"""Tables in Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """A caption over a Markdown table."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __str__(self) -> str:
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return f"{self.caption}\n\n" + "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


@dataclass(frozen=True)
class Row:
    """One target: what it is about, what was measured, what was wanted, and whether it is met (None: not judged)."""

    what: str
    measured: str
    target: str
    met: bool | None

    @staticmethod
    def table(rows: Sequence[Row]) -> Table:
        """All targets."""
        verdict = {True: "yes", False: "**missed**", None: "–"}
        lines = [(row.what, row.measured, row.target, verdict[row.met]) for row in rows]
        return Table("Targets:", ("what", "measured", "target", "met?"), lines)

    @classmethod
    def at_least(cls, what: str, ratios: Sequence[float], target: float | None, remark: str = "") -> Row:
        """A row about ratios, of which the smallest counts."""
        wanted = "–" if target is None else f"≥ {target:g}×"
        return cls(what, span(ratios) + "×" + remark, wanted, None if target is None else min(ratios) >= target)

    @classmethod
    def at_most(cls, what: str, values: Sequence[float], target: float, unit: str) -> Row:
        """A row about quantities, of which the largest counts."""
        return cls(what, f"{span(values)}{unit}", f"≤ {target:g}{unit}", max(values) <= target)


@dataclass(frozen=True)
class Report:
    """What a group of measurements found."""

    targets: list[Row]
    details: list[Table] = field(default_factory=list)


def span(values: Sequence[float]) -> str:
    """Smallest to largest, three digits each."""
    low, high = _three_digits(min(values)), _three_digits(max(values))
    return low if low == high else f"{low} to {high}"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> str:
    """Where this was measured: processor, cores, versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn"))
    return f"Measured on {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}."


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
