"""What stderr shows while work goes on: a table with -v, on a terminal a line that moves, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from emseg.cli.terminal import moving
from emseg.errors import shown
from emseg.execution.steps import told_to

if TYPE_CHECKING:
    from emseg.cli.live_line import LiveLine
    from emseg.em.fit import Row

COLUMNS = "iteration        objective   log-likelihood       delta  E-steps  seconds"
#: The line on the terminal, if there is one.
_LINES: list[LiveLine] = []


@contextmanager
def watch(name: str, quiet: bool, alone: bool = True) -> Iterator[None]:
    """Show the work on an input that goes on inside; of several inputs, the line of `counted` shows one at a time."""
    name = "standard input" if name == "-" else shown(name)
    own = _new_line(name) if alone and not quiet and moving(sys.stderr) else None
    line = own or next((line for line in _LINES if line.alive and not alone), None)
    if line is None:
        yield
        return
    line.name = name
    try:
        with told_to(line):
            yield
    finally:
        if own:
            _LINES.remove(own)
            own.close()


@contextmanager
def table(name: str, verbose: bool) -> Iterator[Callable[[Row], object] | None]:
    """Give a callback that shows the iterations of the fit of `name` as a table, or None if that is not wanted."""
    yield partial(show_row, name) if verbose else None


@contextmanager
def counted(total: int, copied: bool = False) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Show on a terminal how many of several inputs are done.

    It gives a context manager. Whatever is printed after an input is printed inside of it, so that the line stays
    whole. Where this process is `copied`, it has one thread, and `tick` must be called while it waits.
    """
    line = _new_line("", total, threaded=not copied)

    @contextmanager
    def step() -> Iterator[None]:
        with line.paused():
            yield
        line.next_input()

    try:
        yield step
    finally:
        _LINES.remove(line)
        line.close()


def tick() -> None:
    """Let a line move that does not by itself."""
    for line in _LINES:
        line.tick()


def _new_line(name: str, total: int = 0, threaded: bool = True) -> LiveLine:
    from emseg.cli.live_line import LiveLine  # most runs show nothing

    line = LiveLine(sys.stderr, name, total, threaded)
    _LINES.append(line)
    return line


def show_row(name: str, row: Row) -> None:
    """Show an iteration of the fit of `name` as a row of a table."""
    with _LINES[-1].paused() if _LINES else nullcontext():
        if row.iteration == 0:
            print(f"{shown(name)}\n{COLUMNS}", file=sys.stderr)
        print(
            f"{row.iteration:9d} {row.objective:16.3f} {row.log_likelihood:16.3f} {row.delta:11.3e}"
            f" {row.e_steps:8g} {row.seconds:8.3f}",
            file=sys.stderr,
        )
