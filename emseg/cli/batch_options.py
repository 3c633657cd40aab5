"""The options that every command of many inputs has."""

from __future__ import annotations

from typing import Any

import click

from emseg.cli.options import _checked, _option
from emseg.output.names import STDIO, STEM


def _shard(value: str) -> tuple[int, int] | None:
    if not value:
        return None
    part, slash, parts = value.partition("/")
    if not (slash and all(number.isascii() and number.isdigit() for number in (part, parts))):
        raise ValueError(f"{value!r} is not of the form i/n, as 1/2")
    if not 1 <= int(part) <= int(parts):
        raise ValueError(f"{value!r} is no part; give 1/{parts} to {parts}/{parts}")
    return int(part), int(parts)


def _list(value: Any) -> Any:
    from os.path import exists, isdir

    if value is not None and value != STDIO and (isdir(value) or not exists(value)):
        raise ValueError(f"{value!r} is no file")
    return value


MANY = (
    _option("-r", "--recursive", is_flag=True,
            help="Look into folders of folders, and keep the tree below the output folder."),
    _option("--files-from", metavar="FILE", callback=_checked(_list),
            help="Read further inputs from FILE, a line each; - is standard input."),
    _option("-0", "--null", is_flag=True, help="Names in that list end with NUL, as those of find -print0 do."),
    _option("--name", metavar="TEMPLATE", default=STEM,
            help="What the names of results begin with; {stem}, {name}, {suffix} and {folder} of the input, {k}."),
    _option("-j", "--jobs", type=click.IntRange(0), metavar="N", default=1,
            help="Work on N inputs at once, each in a process; 0: as many as there are processors."),
    _option("--resume", is_flag=True,
            help="Skip inputs whose results are there, of the same input by the same options."),
    _option("--shard", metavar="i/n", default="", callback=_checked(_shard),
            help="Do only the i-th of n equal parts of the inputs."),
    _option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
)  # fmt: skip
