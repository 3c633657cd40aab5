"""Results that would be in each other's place, or in that of an input: every file of every job is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os.path import islink, normcase, realpath, splitext
from typing import Any

from emseg.errors import UsageError, option, shown


def require_apart(
    jobs: Iterable[Any], inputs: Iterable[str], key: Callable[[str], str], otherwise: Mapping[str, str]
) -> None:
    """Raise UsageError if a file would be the result of two inputs, or a result would replace an input.

    Parameters
    ----------
    jobs : iterable of Job
    inputs : iterable of str
        Paths of all inputs.
    key : callable
        Gives a text that is equal for two paths of one file.
    otherwise : mapping
        How names may end instead, by kind.
    """
    taken = {place for path in inputs for place in (key(path), normcase(realpath(path)))}
    made: dict[str, str] = {}
    for job in jobs:
        for kind, path in (*job.files.items(), *([("report", job.report)] if job.report else [])):
            where_to = key(path)
            where, what = shown(path), shown(job.source)
            if where_to in made:
                other = shown(made[where_to])
                if normcase(realpath(job.source)) == normcase(realpath(made[where_to])) and not job.page:
                    raise UsageError(f"{what}: is named twice; name it once")
                raise UsageError(
                    f"{what}: its result {where} is also that of {other}; use a folder for each "
                    f"({option('output')}), {option('recursive', True)}, or {option('name', '{name}')}"
                )
            other = key(splitext(path)[0] + otherwise[kind]) if kind in otherwise else where_to
            if where_to in taken or other in taken or (islink(path) and normcase(realpath(path)) in taken):
                raise UsageError(
                    f"{what}: its result {where} would replace an input; use another folder ({option('output')})"
                )
            made[where_to] = job.source
