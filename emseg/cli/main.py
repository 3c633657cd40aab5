"""`emseg`: the group of commands. A command's module is loaded only when it runs, so that help is instant."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from emseg.cli.error_lines import attempt
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
HELP = """Segment images with mixture models and the EM algorithm.

\b
Examples:
  emseg segment photo.png -k 4              label map, overlay, log and report, here
  emseg segment *.tif -k 3 -o results       several images, into a folder
  emseg segment photo.png --features lab,xy:0.5 --save posterior,model
  emseg apply photo.emseg.json *.png        label other images with that model
  emseg compare photo.png -k 4              the variants of EM side by side: table, traces and a chart
  emseg evaluate photo.labels.png truth.png  how well two label maps agree

`emseg COMMAND --help` tells what a command does.
"""
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class LazyGroup(click.Group):
    """A group whose commands live in `emseg.cli.subcommands` and are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help text."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, if there is one of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"emseg.cli.subcommands.{cmd_name}_command").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, help=HELP, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="emseg", message="%(prog)s %(version)s")
def cli() -> None:
    """Hold the commands; what the user reads is HELP."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    one_thread()
    gc.set_threshold(1_000_000)  # loading modules makes many objects and no garbage
    arguments = sys.argv[1:] or ["--help"]
    sys.exit(attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False), debug="--debug" in arguments))
