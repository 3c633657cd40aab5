"""`emseg help [COMMAND]`: what `emseg --help` and `emseg COMMAND --help` show."""

from __future__ import annotations

import click

from emseg.cli.click_options import Words
from emseg.cli.error_lines import say
from emseg.cli.main import COMMANDS


@click.command("help", help="Show what emseg does, or one of its commands.")
@click.argument("name", metavar="[COMMAND]", required=False, type=Words(lambda: COMMANDS))
@click.pass_context
def command(ctx: click.Context, name: str | None) -> None:
    """Print the help text."""
    above = ctx.parent
    assert above is not None
    group = above.command
    assert isinstance(group, click.Group)
    if name is None:
        say(above.get_help())
        return
    _, found, _ = group.resolve_command(above, [name])
    assert found is not None
    with click.Context(found, info_name=name, parent=above, **found.context_settings) as own:
        say(own.get_help())
