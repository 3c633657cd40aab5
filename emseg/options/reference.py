"""The options of a command as Markdown and as the text of a docstring, made from their declarations."""

from __future__ import annotations

import re
from itertools import groupby

from emseg.errors import for_command_line, for_python
from emseg.options.by_command import options_of
from emseg.options.declaration import Option
from emseg.options.kinds import Choice, Flag, Kind, Names

HEAD = "| option | in Python | meaning | default |\n|---|---|---|---|"


def markdown(command: str) -> str:
    """Tables of a command's options, one under each heading of its help text.

    Every row has the option as the command line spells it, the keyword of the Python function, the meaning with what it
    may be, and the default.

    Parameters
    ----------
    command : str
        A name of `emseg.options.by_command.MODULES`.
    """
    tables = []
    for group, options in groupby(options_of(command), key=lambda option: option.group):
        rows = (_row(option, command) for option in options)
        tables.append("\n".join((f"### {group}\n\n{HEAD}", *rows)))
    return "\n\n".join(tables) + "\n"


def numpydoc(command: str) -> str:
    """The options that the Python function of a command has, as the section of a docstring lists parameters."""
    entries = []
    for option in (option for option in options_of(command) if option.python):
        head = f"{option.name} : {option.kind.given}, default {option.default_of(command)!r}"
        text = for_python(option.help_of(command))
        entries.append(f"{head}\n    {text}{_choices(option.kind, text)}")
    return "\n".join(entries)


def _row(option: Option, command: str) -> str:
    spelled = ", ".join(f"`{flag}`" for flag in option.flags)
    if spelled and not isinstance(option.kind, Flag) and option.kind.metavar.strip():
        spelled = f"{spelled[:-1]} {option.kind.metavar}`"
    text = for_command_line(option.help_of(command))
    default = option.default_of(command)
    shown = "" if default is False or default in (None, "", ()) or default == {} else f"`{default}`"
    cells = (spelled, f"`{option.name}`" if option.python else "", text + _choices(option.kind, text, "`"), shown)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _choices(kind: Kind, text: str, quote: str = "") -> str:
    """The names that an option offers, unless the text says them."""
    names = [name for name in kind.names if name] if isinstance(kind, Choice | Names) else []
    if all(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) for name in names):
        return ""
    meaning = kind.meaning if isinstance(kind, Choice) else {}
    quoted = {name: f"{quote}{name}{quote}" for name in names}
    if not meaning:
        return f" One of {', '.join(quoted.values())}."
    return " " + "; ".join(f"{quoted[name]}: {meaning[name]}" for name in names) + "."
