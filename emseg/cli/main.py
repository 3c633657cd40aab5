"""`emseg`: the group of commands. A command's module is loaded only when it runs, so that help is instant."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from emseg.cli.error_lines import Helpful, attempt, say, warnings_as_lines
from emseg.cli.processor_shares import one_thread
from emseg.version import __version__

COMMANDS = {
    "segment": "Segment images into K classes of similar pixels",
    "apply": "Label images with a saved model, without fitting",
    "denoise": "Take the noise out of images",
    "inpaint": "Fill in missing pixels",
    "compare": "Compare the variants of EM on one image, from one start",
    "evaluate": "Score a label map against true ones",
    "guide": "Show the documentation",
}
HELP_COMMAND = "help"  # not listed: it only says what the other ones are
HELP = """Segment images with mixture models and the EM algorithm.

\b
Examples:
  emseg segment photo.png -k 4            label map, overlay, log and report
  emseg segment *.tif -k 3 -o results     several images, into a folder
  emseg segment photo.png --features lab,xy:0.5 --save posterior,model
  emseg apply photo.emseg.json *.png      label other images with that model
  emseg compare photo.png -k 4            the variants of EM side by side
  emseg evaluate photo.labels.png truth.png
                                          how well two label maps agree

`emseg help COMMAND` and `emseg COMMAND --help` tell what a command does.
"""
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class LazyGroup(Helpful, click.Group):
    """A group whose commands live in `emseg.cli.subcommands` and are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, if there is one of that name."""
        if cmd_name not in COMMANDS and cmd_name != HELP_COMMAND:
            return None
        command: click.Command = import_module(f"emseg.cli.subcommands.{cmd_name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names; if there is none, an error that says what may be meant."""
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"No such command {args[0]!r}{_meant(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _meant(word: str) -> str:
    """What to say of a word that names no command."""
    from difflib import get_close_matches
    from os.path import exists

    near = get_close_matches(word.lower().lstrip("-"), [*COMMANDS, HELP_COMMAND], 1)
    if near:
        return f"; did you mean {near[0]}?"
    if exists(word):
        return f"; did you mean emseg segment {word}?"
    return f"; there are {', '.join(COMMANDS)}"


def _show_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        say(f"emseg {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, help=HELP, context_settings=SETTINGS)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Hold the commands; what the user reads is HELP."""


def _is_quiet(word: str) -> bool:
    """Whether a word of the command line may be the option that wants errors only, by itself or among other letters."""
    return word == "--quiet" or (word[:1] == "-" != word[1:2] and "q" in word)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    one_thread()
    arguments = sys.argv[1:] or ["--help"]
    warnings_as_lines(quiet=any(map(_is_quiet, arguments)))
    sys.exit(attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False), debug="--debug" in arguments))
