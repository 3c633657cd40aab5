"""The convergence log as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

COLUMNS = ("iteration", "objective", "log_likelihood", "elbo", "kl", "delta", "e_steps", "seconds")


def log_csv(rows: Iterable[Any]) -> bytes:
    """One line a row of the trace, numbers in full precision; nats, summed over pixels."""
    lines = [",".join(COLUMNS), *(",".join(str(getattr(row, name)) for name in COLUMNS) for row in rows)]
    return ("\n".join(lines) + "\n").encode()
