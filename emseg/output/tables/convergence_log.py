"""The convergence log as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emseg.output.segmented import Segmented

COLUMNS = ("iteration", "objective", "log_likelihood", "elbo", "kl", "delta", "e_steps", "seconds")


def log_file(result: Segmented) -> bytes:
    """The log of a segmentation."""
    return log_csv(result.trace)


def log_csv(rows: Iterable[Any]) -> bytes:
    """One line a row of the trace, numbers in full precision; nats, summed over pixels."""
    lines = [",".join(COLUMNS), *(",".join(values(row)) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def values(row: Any) -> list[str]:
    """The numbers of a row of the trace in the order of `COLUMNS`."""
    return [str(getattr(row, name)) for name in COLUMNS]
