"""How an option is declared: as a field of a frozen dataclass, which carries all that there is to say of it.

From the declaration come the option of the command line and its help, the check of the value, the entry in the report
and the reference. The keywords of the Python functions (`emseg.options.keywords`) are held equal to it by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, field
from typing import Any

from emseg.options.kinds.basic_kinds import Kind, Names
from emseg.records import NamedRecord

#: Headings that options stand under, in the help text and in the reference.
MODEL, NOISE, MASK, PIXELS, COMPARISON = "Model", "Noise", "Missing pixels", "Pixels", "Comparison"
FIT, FIELD, REGIONS = "Fit", "Markov random field", "Regions"
RESULTS, INPUTS, MANY, WORK, MESSAGES = "Results", "Inputs", "Many inputs", "Work", "Messages"
#: In the order in which they are shown.
GROUPS = (MODEL, NOISE, MASK, PIXELS, COMPARISON, FIT, FIELD, REGIONS, RESULTS, INPUTS, MANY, WORK, MESSAGES)


class Option(NamedRecord):
    """An option. A named tuple of plain values is quick to make, and the command line makes all of them at its start.

    Attributes
    ----------
    name : str
        Keyword of the Python function, and key in the report.
    kind : Kind
        What values it takes.
    default : object
        The value unless one is given. `defaults` has those that differ, by command.
    group : str
        Heading of the help text and the reference that it stands under.
    help : str
        What it does, in one or two sentences; other options in it are spelled by `emseg.errors.option`.
        `helps` has those that differ, by command.
    commands : tuple of str
        The commands that have it.
    flags : tuple of str
        How the command line spells it, the longest last; empty where only Python has it.
    defaults : mapping of str to object
    helps : mapping of str to str
    python : bool
        Whether Python functions have it, too.
    recorded : bool
        Whether reports list it: it decides what the result is.
    """

    name: str
    kind: Kind
    default: Any
    group: str
    help: str
    commands: tuple[str, ...]
    flags: tuple[str, ...]
    defaults: Mapping[str, Any]
    helps: Mapping[str, str]
    python: bool
    recorded: bool

    def default_of(self, command: str) -> Any:
        """The value that a command takes unless one is given."""
        return self.defaults.get(command, self.default)

    def help_of(self, command: str) -> str:
        """What it does in a command."""
        return self.helps.get(command, self.help)

    def choices(self, quote: str = "") -> str:
        """What it offers by name, as a text that follows its help; empty if it offers nothing by name."""
        names = [name for name in self.kind.names if name]
        if not names:
            return ""
        quoted = [f"{quote}{name}{quote}" for name in names]
        meaning = self.kind.meaning
        if not meaning:
            return f" {'Some' if isinstance(self.kind, Names) else 'One'} of {', '.join(quoted)}."
        return " " + "; ".join(f"{text}: {meaning[name]}" for text, name in zip(quoted, names, strict=True)) + "."


def declared(
    kind: Kind,
    default: Any,
    group: str,
    help: str,
    commands: str,
    *,
    flags: str | None = None,
    defaults: Mapping[str, Any] | None = None,
    helps: Mapping[str, str] | None = None,
    python: bool = True,
    recorded: bool = True,
) -> Any:
    """A field of a dataclass of options; for the arguments see `Option`.

    `commands` and `flags` are texts of names with spaces between them. Without flags, the command line spells the
    option like Python, with hyphens.
    """
    given = (kind, default, group, help, tuple(commands.split()), flags, defaults or {}, helps or {}, python, recorded)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata={"declared": given})
    return field(default=default, metadata={"declared": given})


def shell_only(kind: Kind, default: Any, group: str, help: str, commands: str, flags: str | None = None) -> Any:
    """An option that Python functions do not have, and that does not decide what is computed."""
    return declared(kind, default, group, help, commands, flags=flags, python=False, recorded=False)


def options_in(declarations: type) -> tuple[Option, ...]:
    """The options that a class declares, in its order; it need not be made a dataclass if it has no instances."""
    own = getattr(declarations, "__dataclass_fields__", vars(declarations))
    found = []
    for name, entry in own.items():
        if isinstance(entry, Field):
            kind, default, group, text, commands, flags, *rest = entry.metadata["declared"]
            spelled = (f"--{name.replace('_', '-')}",) if flags is None else tuple(flags.split())
            found.append(Option(name, kind, default, group, text, commands, spelled, *rest))
    return tuple(found)
