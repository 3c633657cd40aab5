"""Names of results by a template: `{stem}-{k}`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from os.path import basename
from string import Formatter
from typing import Any

from emseg.errors import UsageError, option, shown


def filled_in(template: str, known: Mapping[str, str]) -> str:
    """The template with the values of the names in braces.

    Raises
    ------
    UsageError
        For attributes and formats, unknown names, and what gives no name of a file.
    """
    named, text = option("name", shown(template)), ""
    for literal, field, spec, conversion in _parsed(template):
        if field is not None and (field not in known or spec or conversion):
            raise UsageError(f"{named}: there is no such field; use {', '.join(known)}, in braces")
        text += literal + (known[field] if field is not None else "")
    if not basename(text) or "\0" in text:
        raise UsageError(f"{named}: gives no name of a file; write, for one, {{stem}}")
    return text


@cache
def _parsed(template: str) -> tuple[Any, ...]:
    try:
        return tuple(Formatter().parse(template))
    except ValueError as error:
        named = option("name", shown(template))
        raise UsageError(f"{named}: {error}; write braces in pairs, as {{stem}}_{{k}}") from error
