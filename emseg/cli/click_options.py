"""From the declarations of options to those of click, and a help text that shows them by groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from emseg.cli.error_lines import Helpful
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


class Files(click.ParamType):  # type: ignore[type-arg]
    """An argument that is a file, or whatever else the command makes of it."""

    name = "file"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Files, by the shell."""
        from emseg.cli.completion import by_shell

        return [by_shell("file", incomplete)]


class Words(click.ParamType):  # type: ignore[type-arg]
    """An argument that is one of some words; which, is asked only when a shell wants to know."""

    name = "text"

    def __init__(self, words: Callable[[], Iterable[str]]) -> None:
        self.words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that begin like this."""
        from emseg.cli.completion import starting

        return starting(self.words(), incomplete)


class GroupedCommand(Helpful, click.Command):
    """A command whose help shows the options of its name under the headings of their groups."""

    def make_parser(self, ctx: click.Context) -> Any:
        """A parser that takes `-k` for a short option at once.

        That of click looks among the long ones first, and loads two modules, 1.3 ms, to say which of them was meant.
        """
        parser: Any = super().make_parser(ctx)
        as_usual = getattr(parser, "_process_opts", None)
        if as_usual is not None:

            def process(word: str, state: Any) -> None:
                (parser._match_short_opt if word in parser._short_opt else as_usual)(word, state)

            parser._process_opts = process
        return parser

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
