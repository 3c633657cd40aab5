"""A comparison of algorithms as text and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import basename, dirname
from typing import Any

from emseg.errors import shown
from emseg.output.tables.convergence_log import COLUMNS, values

HEAD = ("algorithm", "E-steps", "iterations", "seconds", "log-likelihood", "gap to best", "status")
STARTS = {"kmeans++": "one k-means++ start", "random": "one random start", "search": "the start that segment finds"}
LEAST_GAP = 1e-12  # nats per pixel: what is below comes from rounding, as log-likelihoods per pixel are of order 10


def comparison_text(report: Mapping[str, Any], where: str = "") -> str:
    """Describe a comparison for people: those that came to the best optimum first, the quickest of them on top.

    Parameters
    ----------
    report : mapping
    where : str
        Path of the report file; the last line names it with the other files.
    """
    entries = sorted(report["algorithms"], key=lambda entry: _rank(entry, report["options"]["tol"]))
    table = [HEAD, *(cells(entry) for entry in entries)]
    fits = [row for row in table if row[1]]
    widths = [max(len(row[i]) for row in (table if i == 0 else fits)) for i in range(len(HEAD) - 1)]
    lines = [subject(report), f"  {setting(report)}; nats per pixel"]
    for row in table:
        name = row[0].ljust(widths[0])
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:], strict=True))
        lines.append(f"  {name}  {numbers}  {row[-1]}" if row[1] else f"  {name}  {row[-1]}")
    if where:
        folder = f"{dirname(where)}: " if dirname(where) else ""
        lines.append(f"  → {shown(folder + ', '.join([*report['outputs'], basename(where)]))}")
    return "\n".join(lines)


def comparison_csv(traces: Mapping[str, Sequence[Any]]) -> bytes:
    """Every row of every log, after the name of its algorithm; nats, summed over pixels."""
    rows = [",".join((name, *values(row))) for name, trace in traces.items() for row in trace]
    return "\n".join([",".join(("algorithm", *COLUMNS)), *rows, ""]).encode()


def subject(report: Mapping[str, Any]) -> str:
    """What was compared, in one line."""
    k, count = report["K"], sum(entry["e_steps"] is not None for entry in report["algorithms"])
    return (
        f"{shown(basename(report['input']['path']))}: {k} component{'s' * (k != 1)},"
        f" {count} algorithm{'s' * (count != 1)} from {STARTS[report['options']['start']]}"
    )


def setting(report: Mapping[str, Any]) -> str:
    """On what it was compared, in one line."""
    size, options = report["size"], report["options"]
    extent = f"{' × '.join(map(str, size))} {'pixels' if len(size) == 2 else 'voxels'}"
    return (
        f"{extent}, {report['distinct']} distinct samples of {report['features']['spec']},"
        f" {options['covariance']} covariances, seed {options['seed']}"
    )


def _rank(entry: Mapping[str, Any], tol: float) -> tuple[float, ...]:
    """Sorts those within 10 `tol` of the best by E-steps, then the others by their gap, then those that do not fit."""
    if entry["e_steps"] is None:
        return (2,)
    gap = entry["gap_per_pixel"]
    return (0, entry["e_steps"]) if gap <= 10 * tol else (1, gap)


def cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The row of an algorithm under `HEAD`; only its name and status if it did not run."""
    status, gap = shown(entry["status"]), entry["gap_per_pixel"]
    if entry["e_steps"] is None:
        return (entry["algorithm"], *[""] * 5, status)
    return (
        entry["algorithm"],
        f"{entry['e_steps']:g}",
        str(entry["iterations"]),
        f"{entry['seconds']:.3f}",
        f"{entry['log_likelihood_per_pixel']:.6f}",
        f"{gap:.1e}" if abs(gap) >= LEAST_GAP else "0",
        status.partition(":")[0],
    )
