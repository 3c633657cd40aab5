"""The options that every command of many inputs has."""

from __future__ import annotations

import re
from typing import Any

import click

from emseg.cli.shared_options import _checked, _option
from emseg.output.store.names import STDIO, STEM


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


def _page(value: str) -> int | str:
    if value == "all":
        return value
    if not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value) > 0):
        raise ValueError(f"{value!r} is no page; give a whole number of 1 or more, or all")
    return int(value)


def _amount(value: str) -> int | None:
    if not value:
        return None
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)([kKMGT]?)B?", value, re.ASCII)
    amount = int(float(found[1]) * 1000 ** "_KMGT".index(found[2].upper() or "_")) if found else 0
    if amount < 1:
        raise ValueError(f"{value!r} is no amount; give a number, as 500M or 8G")
    return amount


MANY = (
    _option("--page", metavar="N|all", default="1", callback=_checked(_page),
            help="Page, frame or array of files that hold several; all: each of them, as photo.p1, photo.p2, …"),
    _option("--max-pixels", metavar="N", default="", callback=_checked(_amount),
            help="Refuse larger images; 500M unless given."),
    _option("--max-memory", metavar="BYTES", default="", callback=_checked(_amount),
            help="Refuse images that need more, as 8G; unless given, four fifths of what is free."),

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
