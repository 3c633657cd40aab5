"""A comparison of algorithms for people and programs: the table, the traces as CSV, the picture as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log10
from os.path import basename, dirname
from typing import Any

from emseg.errors import shown
from emseg.output.tables.convergence_log import COLUMNS, values

HEAD = ("algorithm", "E-steps", "iterations", "seconds", "log-likelihood", "gap to best", "status")
STARTS = {"kmeans++": "one k-means++ start", "random": "one random start", "search": "the start that segment finds"}
SPREAD = 8  # from the shortest to the longest trace, beyond which E-steps are on a logarithmic axis
LEAST = 1e-12  # nats per pixel: below is rounding


def comparison_text(report: Mapping[str, Any], where: str = "") -> str:
    """Describe a comparison for people: those that came to the best optimum first, the quickest of them on top.

    Parameters
    ----------
    report : mapping
    where : str
        Path of the report file; the last line names it with the other files.
    """
    entries = sorted(report["algorithms"], key=lambda entry: _rank(entry, report["options"]["tol"]))
    table = [HEAD, *(_cells(entry) for entry in entries)]
    fits = [row for row in table if row[1]]
    widths = [max(len(row[i]) for row in (table if i == 0 else fits)) for i in range(len(HEAD) - 1)]
    lines = [_subject(report), f"  {_setting(report)}; nats per pixel"]
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


def comparison_svg(report: Mapping[str, Any], traces: Mapping[str, Sequence[Any]]) -> bytes:
    """Two panels against E-steps: the log-likelihood, and how far it is from the best that was found."""
    from emseg.output.charts.svg import Line, Panel, chart_svg

    n, best, tol = report["pixels"], report["best"]["log_likelihood"], report["options"]["tol"]
    notes = {entry["algorithm"]: entry for entry in report["algorithms"]}
    climbs, gaps = [], []
    for name, trace in traces.items():
        rows = [row for row in trace if isfinite(row.log_likelihood)]
        if rows:
            steps, note = [row.e_steps for row in rows], _note(notes[name])
            climbs.append(Line(name, steps, [row.log_likelihood / n for row in rows], note))
            gaps.append(Line(name, steps, [(best - row.log_likelihood) / n for row in rows], note))
    ends = [line.x[-1] for line in gaps]
    wide = max(ends) > SPREAD * min(ends)
    least = 10.0 ** int(log10(max(tol, 10 * LEAST)) - 1.001)  # nobody was asked to come closer than tol
    panels = (
        Panel("Log-likelihood per pixel", "E-steps", climbs, log_x=wide),
        Panel("Distance to the best optimum, nats per pixel", "E-steps", gaps, log_x=wide, log_y=True, least_y=least),
    )
    return chart_svg(_subject(report), _setting(report), panels)


def _subject(report: Mapping[str, Any]) -> str:
    k, count = report["K"], sum(entry["e_steps"] is not None for entry in report["algorithms"])
    return (
        f"{shown(basename(report['input']['path']))}: {k} component{'s' * (k != 1)},"
        f" {count} algorithm{'s' * (count != 1)} from {STARTS[report['options']['start']]}"
    )


def _setting(report: Mapping[str, Any]) -> str:
    width, height = report["size"]
    options = report["options"]
    return (
        f"{width} × {height} pixels, {report['distinct']} distinct samples of {report['features']['spec']},"
        f" {options['covariance']} covariances, seed {options['seed']}"
    )


def _rank(entry: Mapping[str, Any], tol: float) -> tuple[float, ...]:
    if entry["e_steps"] is None:
        return (2,)
    gap = entry["gap_per_pixel"]
    return (0, entry["e_steps"]) if gap <= 10 * tol else (1, gap)


def _cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    status, gap = shown(entry["status"]), entry["gap_per_pixel"]
    if entry["e_steps"] is None:
        return (entry["algorithm"], *[""] * 5, status)
    return (
        entry["algorithm"],
        f"{entry['e_steps']:g}",
        str(entry["iterations"]),
        f"{entry['seconds']:.3f}",
        f"{entry['log_likelihood_per_pixel']:.6f}",
        f"{gap:.1e}" if abs(gap) >= LEAST else "0",
        status.partition(":")[0],
    )


def _note(entry: Mapping[str, Any]) -> str:
    _, e_steps, iterations, seconds, log_likelihood, gap, status = _cells(entry)
    return (
        f"{entry['algorithm']}: {e_steps} E-steps, {iterations} iterations, {seconds} s;"
        f" log-likelihood {log_likelihood} per pixel, {gap} from the best; {status}"
    )
