"""What is printed: texts on standard output, and every error as one line on stderr, with an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import click

from emseg.cli.terminal import spelled
from emseg.errors import EmsegError, OutputError, for_command_line

FAILED, USAGE, INTERRUPTED, READER_LEFT = 1, 2, 130, 141  # the last two are what shells report for those signals


def attempt(work: Callable[[], object], name: str = "", debug: bool = False) -> int:
    """Run `work` and return an exit code: its result if that is one, else 0, or that of the error it raised.

    Parameters
    ----------
    work : callable
        The work to do.
    name : str, optional
        The input being worked on, for messages that would not name it themselves.
    debug : bool
        Show tracebacks.
    """
    try:
        result = work()
        with to_stdout():  # a reader that has gone shows here, not while the interpreter ends
            pass
    except Exception as error:  # the outermost place: no traceback reaches a user who did not ask for one
        if debug:
            import traceback

            traceback.print_exc()
        return _tell(error, name)
    except KeyboardInterrupt as error:
        return _tell(error, "")
    return result if isinstance(result, int) else 0


def explain(error: BaseException, name: str = "") -> tuple[int, str]:
    """The exit code of an error, and one line that tells the user about it; an empty line if nobody reads it.

    Parameters
    ----------
    error : exception
    name : str
        The input being worked on, for messages that would not name it themselves.
    """
    code, name = FAILED, f"{name}: " if name else ""
    match error:
        case EmsegError():
            text, code = for_command_line(error.message), error.exit_code
        case click.ClickException():
            text, code = _usage(error), error.exit_code
        case KeyboardInterrupt() | click.Abort():
            text, code = "interrupted", INTERRUPTED
        case BrokenPipeError():
            return READER_LEFT, ""
        case MemoryError():
            text = f"{name}not enough memory; use a smaller image or fewer components (-k)"
        case OSError(filename=None):
            text = f"{name}{error}"
        case OSError():
            text = f"{name}{error.filename}: {error.strerror}"
        case _:
            text = f"{name}internal error ({type(error).__name__}: {error}); run again with --debug to see where"
    return code, "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))


def tell(line: str) -> None:
    """Print a line of our own on stderr; a stderr that cannot be written is no reason to stop."""
    with suppress(OSError, ValueError):
        click.echo(spelled(f"emseg: {line}", sys.stderr), err=True)


def say(text: str, nl: bool = True) -> None:
    """Print a text on standard output, and a line end; what its encoding lacks is spelled out.

    Raises
    ------
    OutputError, BrokenPipeError
        As `to_stdout`.
    """
    with to_stdout():
        click.echo(spelled(text, sys.stdout), nl=nl)


def warn(lines: Iterable[str], quiet: bool) -> None:
    """Print lines that name options by `emseg.errors.option`, unless the user wants errors only."""
    for line in () if quiet else lines:
        tell(for_command_line(line))


def warnings_as_lines(quiet: bool) -> None:
    """From now on, what libraries warn of is a line like any other; or nothing, if errors only are wanted."""
    import warnings

    def show(message: Warning | str, category: type[Warning], *place: object) -> None:
        if not quiet:
            tell(" ".join(f"{category.__name__}: {message}".split()))

    warnings.showwarning = show  # type: ignore[assignment]


class Helpful:
    """A command whose help any standard output can take; what cannot be printed is an error like others."""

    _own_help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, as click has it but for the way it prints. That one asks for a translation, which takes 1 ms."""
        names = self.get_help_option_names(ctx)  # type: ignore[attr-defined]
        if names and self._own_help is None:
            help = "Show this message and exit."
            self._own_help = click.Option(
                [*names], is_flag=True, is_eager=True, expose_value=False, help=help, callback=_show_help
            )
        return self._own_help


def _show_help(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        say(ctx.get_help())
        ctx.exit()


@contextmanager
def to_stdout() -> Iterator[None]:
    """Print inside of this; an error then says that standard output cannot be written.

    Raises
    ------
    OutputError
        If standard output cannot be written. BrokenPipeError stays what it is: the reader has gone.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        hush()
        raise OutputError(f"standard output: cannot be written ({error.strerror}); check where it goes") from error


def hush() -> None:
    """Discard the rest of standard output; else Python would complain at its end that it cannot write it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _tell(error: BaseException, name: str) -> int:
    """Tell the user about an error; return the exit code."""
    code, line = explain(error, name)
    if code == READER_LEFT:
        hush()
    else:
        tell(line)
    return code


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context else ""
    if isinstance(error, click.NoSuchOption):  # versions of click word it in different ways
        near = " or ".join(error.possibilities or ())
        return f"No such option {error.option_name!r}" + f"; did you mean {near}?" * bool(near) + hint
    return error.format_message().rstrip(".") + hint
