"""The options of the commands as Markdown and as the text of a docstring, made from their declarations.

`python -m emseg.options.reference > emseg/guide/options.md` writes the page of the guide; a test holds them equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from textwrap import fill

from emseg.errors import for_command_line, for_python
from emseg.options.by_command import options_of
from emseg.options.declaration import Option
from emseg.options.kinds.basic_kinds import Flag

FIRST = "segment"
PYTHON_ONLY = ("fit", "impute")
OTHERS = ("apply", "compare", "denoise", "inpaint", "evaluate")
AT_ONCE = 15  # options in a sentence
HEAD = "| option | in Python | meaning | default |\n|---|---|---|---|"
OPENING = """# Options

`emseg COMMAND --help` shows the same options; `-h` is short for `--help`. The second column is the keyword of the
Python function: `emseg.segment` for `emseg segment`, and so on.
"""


def page() -> str:
    """The page of the guide: all options of `segment`, and of every other command those that are not the same."""
    sections = [f"{OPENING}\n## `emseg {FIRST}`\n\n{markdown(options_of(FIRST), FIRST)}"]
    known = {_row(option, FIRST) for option in options_of(FIRST)}
    for command in OTHERS:
        own = [option for option in options_of(command) if _row(option, command) not in known]
        shared = [option for option in options_of(command) if option not in own]
        same = [f"`{option.flags[0] if option.flags else option.name}`" for option in shared]
        section = f"## `emseg {command}`\n"
        section += f"\n{markdown(own, command)}" if own else ""
        section += f"\n{_listed(same)}"
        sections.append(section)
    sections += [
        f"## `emseg.{command}`, which only Python has\n\n{markdown(options_of(command), command)}"
        for command in PYTHON_ONLY
    ]
    return "\n".join(sections)


def markdown(options: Iterable[Option], command: str) -> str:
    """Tables of options of a command, one under each heading of its help text.

    Every row has the option as the command line spells it, the keyword of the Python function, the meaning with what it
    may be, and the default.

    Parameters
    ----------
    options : iterable of Option
        By groups, as `options_of` gives them.
    command : str
        A name of `emseg.options.by_command.MODULES`.
    """
    tables = []
    for group, found in groupby(options, key=lambda option: option.group):
        tables.append("\n".join((f"### {group}\n\n{HEAD}", *(_row(option, command) for option in found))))
    return "\n\n".join(tables) + "\n"


def with_options(docstring: str, command: str) -> str:
    """The docstring of a function with an entry for each option that its `**options` stand for.

    Parameters
    ----------
    docstring : str
        In numpydoc's form, indented by four spaces. Options that it lists as parameters are not repeated.
    command : str
        A name of `emseg.options.by_command.MODULES`.
    """
    entries = []
    for option in options_of(command):
        if option.python and f"\n    {option.name} : " not in docstring:
            head = f"    {option.name} : {option.kind.given}, default {option.default_of(command)!r}\n"
            text = for_python(option.help_of(command)) + option.choices()
            entries.append(head + fill(text, 100, initial_indent=" " * 8, subsequent_indent=" " * 8) + "\n")
    return re.sub(r"(?<=\n)    \*\*options\n(        .*\n)+", lambda found: found[0] + "".join(entries), docstring)


def _listed(options: list[str]) -> str:
    """Sentences that say which options are those of the first command, each with not too many of them."""
    parts = [options[at : at + AT_ONCE] for at in range(0, len(options), AT_ONCE)]
    listed = [f"{', '.join(most)} and {last}" if most else last for *most, last in parts]
    first, *others = [fill(text, 120, break_on_hyphens=False, break_long_words=False) for text in listed]
    return "".join((f"{first} are those of `{FIRST}`.\n", *(f"So are {text}.\n" for text in others)))


def _row(option: Option, command: str) -> str:
    python = command in PYTHON_ONLY
    spelled = "" if python else ", ".join(f"`{flag}`" for flag in option.flags)
    if spelled and not isinstance(option.kind, Flag) and option.kind.metavar.strip():
        spelled = f"{spelled[:-1]} {option.kind.metavar}`"
    text = (for_python if python else for_command_line)(option.help_of(command)) + option.choices("`")
    default = option.default_of(command)
    shown = "" if default is False or default in (None, "", ()) or default == {} else f"`{default}`"
    cells = (spelled, f"`{option.name}`" if option.python else "", text, shown)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    print(page(), end="")
