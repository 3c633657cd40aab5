"""A comparison of algorithms as an SVG chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log10
from typing import Any

from emseg.output.charts.svg import Line, Panel, chart_svg
from emseg.output.tables.comparison_table import LEAST_GAP, cells, setting, subject

SPREAD = 8  # ratio of the longest trace to the shortest, in E-steps, above which the axis is logarithmic; by eye


def comparison_svg(report: Mapping[str, Any], traces: Mapping[str, Sequence[Any]]) -> bytes:
    """Two panels against E-steps: the log-likelihood, and how far it is from the best that was found."""
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
    least = 10.0 ** int(log10(max(tol, 10 * LEAST_GAP)) - 1.001)  # nobody was asked to come closer than tol
    panels = (
        Panel("Log-likelihood per pixel", "E-steps", climbs, log_x=wide),
        Panel("Distance to the best optimum, nats per pixel", "E-steps", gaps, log_x=wide, log_y=True, least_y=least),
    )
    return chart_svg(subject(report), setting(report), panels)


def _note(entry: Mapping[str, Any]) -> str:
    """What a pointer that rests on the line of an algorithm shows."""
    _, e_steps, iterations, _, log_likelihood, gap, status = cells(entry)  # without seconds, which no run repeats
    return (
        f"{entry['algorithm']}: {e_steps} E-steps, {iterations} iterations;"
        f" log-likelihood {log_likelihood} per pixel, {gap} from the best; {status}"
    )
