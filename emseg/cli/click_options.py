"""From the declarations of options to those of click, and a help text that shows them by groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emseg.cli.error_lines import say
from emseg.errors import for_command_line
from emseg.options.by_command import options_of
from emseg.options.declaration import Option
from emseg.options.kinds.basic_kinds import Choice, Flag, Kind, Names
from emseg.options.kinds.text_kinds import Settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])
FEW = 6  # names whose meaning the help text has room for; the guide has that of all


class Value(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.2
    """What a kind of option takes, for click."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.name = kind, kind.metavar.lower()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value that a text stands for; a default is one already."""
        if not isinstance(value, str):
            return value
        try:
            return self.kind.parse(value)
        except ValueError as error:
            wanted = self.kind.wanted.replace("'", "")
            self.fail(str(error) or f"give {wanted}, not {value!r}", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What a shell offers for the beginning of a value."""
        from emseg.cli.completion import offered

        return offered(self.kind, incomplete)


class Helpful:
    """A command whose help any standard output can take; what cannot be printed is an error like others."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, as click has it but for the way it prints."""
        found: click.Option | None = super().get_help_option(ctx)  # type: ignore[misc]
        if found is not None:
            found.callback = _show_help
        return found


def _show_help(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        say(ctx.get_help())
        ctx.exit()


class GroupedCommand(Helpful, click.Command):
    """A command whose help shows the options of its name under the headings of their groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, and `--help` at the end of the last one."""
        groups: dict[str, list[tuple[str, str]]] = {}
        headings = {option.name: option.group for option in options_of(str(self.name))}
        heading = "Options"
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record:
                heading = headings.get(str(param.name), heading)
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=26)


def options(command: str) -> Callable[[Command], Command]:
    """Decorate a function with all options that a command is declared to have."""

    def decorate(function: Command) -> Command:
        for option in reversed(options_of(command)):
            if option.flags:
                function = _click_option(option, command)(function)
        return function

    return decorate


def _click_option(option: Option, command: str) -> Callable[[Command], Command]:
    default, text = option.default_of(command), for_command_line(option.help_of(command))
    names = (*option.flags, option.name)
    if isinstance(option.kind, Flag):
        return click.option(*names, is_flag=True, default=default, help=text)
    metavar = option.kind.metavar.strip()
    if 0 < len(option.kind.meaning) <= FEW:
        text += option.choices()
    elif option.kind.names and metavar:  # which hides the names
        text += (
            f" {'Some' if isinstance(option.kind, Names) else 'One'} of {', '.join(filter(None, option.kind.names))}."
        )
    arguments: dict[str, Any] = {"metavar": metavar or None, "help": text}
    if isinstance(option.kind, Settings):
        return click.option(*names, type=Value(option.kind), multiple=True, callback=_together, **arguments)
    kind: click.Choice[str] | Value = Value(option.kind)
    if isinstance(option.kind, Choice) and "" not in option.kind.names:
        kind = click.Choice(option.kind.names)  # which shells complete
    shown = default not in (None, "", ())
    return click.option(*names, type=kind, default=default, show_default=shown, **arguments)


def _together(ctx: click.Context, param: click.Parameter, value: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return dict(value)
