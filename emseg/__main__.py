"""`python -m emseg` is the command `emseg`."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def process() -> NoReturn:
    """`main` as a process of its own, which ends with it: nothing else of Python's is to run after it."""
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise  # with a message, which Python prints
        leave(end.code or 0)
    leave(0)


def leave(code: int) -> NoReturn:
    """End the process at once: taking down hundreds of modules one by one takes a tenth of a small job's time."""
    import atexit
    import threading

    if any(not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()):
        sys.exit(code)  # which waits for them
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    os._exit(code)


def main() -> None:
    """Run the command line; from here on a signal ends it in order, even while the rest is loaded."""
    gc.set_threshold(1_000_000)  # loading modules makes many objects and no garbage
    from emseg.cli.signals import install

    install()
    complete()
    from emseg.cli.main import main as run
    from emseg.cli.terminal import prepare_streams

    prepare_streams()

    run()


def complete() -> None:
    """Open what the shell has closed of the three standard streams: else a file of ours would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # This takes the lowest number that is free. What is printed to a closed standard output must fail as it
            # would have done; errors have nobody to tell them to.
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


if __name__ == "__main__":
    process()
