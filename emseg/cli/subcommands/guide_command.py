"""`emseg guide`: the documentation that comes with the package, on the terminal."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib.resources import files

import click

from emseg.cli.click_options import GroupedCommand, Words, options
from emseg.cli.error_lines import say
from emseg.cli.terminal import spelled
from emseg.errors import UsageError, shown

HELP = """Show a page of the guide; without TOPIC, the list of pages.

\b
Examples:
  emseg guide
  emseg guide fields
"""
INDEX = "index"


def topics() -> list[str]:
    """The names of all pages but the index, in alphabetical order."""
    names = [entry.name for entry in files("emseg").joinpath("guide").iterdir()]
    return sorted(name[:-3] for name in names if name.endswith(".md") and name != f"{INDEX}.md")


def page(topic: str) -> str:
    """The Markdown text of a page.

    Raises
    ------
    UsageError
        If there is no such page.
    """
    known = topics()
    if topic not in (INDEX, *known):
        near = get_close_matches(topic, known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"the guide has no page {shown(topic)!r}; {remedy}")
    return files("emseg").joinpath("guide", f"{topic}.md").read_text("utf-8")


@click.command("guide", cls=GroupedCommand, help=HELP)
@click.argument("topic", metavar="[TOPIC]", default=INDEX, type=Words(topics))
@options("guide")
def command(topic: str, debug: bool) -> None:
    """Print the page; on a terminal, through a pager."""
    text = page(topic)
    if sys.stdout.isatty():
        click.echo_via_pager(spelled(text, sys.stdout))
    else:
        say(text, nl=False)
