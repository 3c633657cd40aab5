"""How a job ends: with a report, or with an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from emseg.output.store.names import Job

DONE, BEFORE, BAD = "done", "done before", "failed"


class Done(NamedTuple):
    """The report of a job, and a function that gives its description for people."""

    report: Mapping[str, Any]
    text: Callable[[], str]


#: Does one job. The second argument says whether it is the only one, so that its progress may be shown.
Work = Callable[[Job, bool], Done]


class Outcome(NamedTuple):
    """How a job ended: its exit code; DONE, BEFORE or BAD; the line for stderr; and the text for standard output."""

    code: int
    state: str
    line: str = ""
    out: str = ""
