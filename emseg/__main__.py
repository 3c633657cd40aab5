"""`python -m emseg` is the command `emseg`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; from here on a signal ends it in order, even while the rest is loaded."""
    from emseg.cli.signals import install

    install()
    complete()
    from emseg.cli.main import main as run

    run()


def complete() -> None:
    """Open what the shell has closed of the three standard streams: else a file of ours would take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


if __name__ == "__main__":
    main()
