"""How a job ends: with a report, or with an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emseg.output.store.names import Job
from emseg.records import NamedRecord

DONE, BEFORE, BAD = "done", "done before", "failed"


class Done(NamedRecord):
    """The report of a job, a function that gives its description for people, and what they should know besides.

    `notices` are lines that do not name the input; options in them are marked by `emseg.errors.option`.
    """

    report: Mapping[str, Any]
    text: Callable[[], str]
    notices: tuple[str, ...] = ()


#: Does one job. The second argument says whether it is the only one, so that its progress may be shown.
Work = Callable[[Job, bool], Done]


class Outcome(NamedRecord):
    """How a job ended: exit code; DONE, BEFORE or BAD; line of the error; text for standard output; lines to note.

    `lost` says that its process ended before it could tell; its results may be whole all the same.
    """

    code: int
    state: str
    line: str = ""
    out: str = ""
    notices: tuple[str, ...] = ()
    lost: bool = False
