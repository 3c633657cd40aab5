"""A comparison of three algorithms, of which one does not run."""

from __future__ import annotations

from typing import Any

from .segmented import Row

PIXELS = 200
TRACES = {
    "em": [Row(i, e_steps=i + 1, log_likelihood=-1000 - 100 / 2**i, seconds=0.1 * i) for i in range(6)],
    "squarem": [Row(i, e_steps=3 * i + 1, log_likelihood=-1000 - 100 / 8**i) for i in range(3)],
    "px": [],
}


def entry(name: str, status: str = "converged: no step would raise it") -> dict[str, Any]:
    rows = TRACES[name]
    if not rows:
        return {"algorithm": name, "e_steps": None, "gap_per_pixel": None, "status": "skipped: needs student"}
    last = rows[-1].log_likelihood
    return {
        "algorithm": name,
        "e_steps": rows[-1].e_steps,
        "iterations": len(rows) - 1,
        "seconds": rows[-1].seconds,
        "log_likelihood_per_pixel": last / PIXELS,
        "gap_per_pixel": (-1000 - last) / PIXELS,
        "status": status,
    }


REPORT: dict[str, Any] = {
    "input": {"path": "in/photo.png"},
    "size": [20, 10],
    "pixels": PIXELS,
    "distinct": 77,
    "features": {"spec": "lab"},
    "K": 3,
    "options": {"start": "random", "covariance": "full", "seed": 5, "tol": 1e-3},
    "best": {"log_likelihood": -1000.0},
    "algorithms": [entry("px"), entry("em"), entry("squarem")],
    "outputs": {"photo.compare.csv": "0"},
}
