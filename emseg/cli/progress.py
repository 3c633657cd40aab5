"""What stderr shows while a fit runs: a table with -v, a bar on a terminal if the fit takes long, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emseg.em.fit import Row

PATIENCE = 0.5  # seconds before a bar appears; most fits are done by then, and tqdm is never loaded
COLUMNS = "iteration        objective   log-likelihood       delta  E-steps  seconds"


@contextmanager
def watch(name: str, *, quiet: bool, verbose: bool) -> Iterator[Callable[[Row], object] | None]:
    """Give a callback that shows the iterations of the fit of `name`, or None if nothing is to be shown."""
    if verbose:
        yield partial(_show_row, name)
    elif quiet or not sys.stderr.isatty():
        yield None
    else:
        bar = _Bar(name)
        try:
            yield bar
        finally:
            bar.close()


@contextmanager
def counted(total: int, quiet: bool) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Show on a terminal how many of several inputs are done.

    It gives a context manager. Whatever is printed after an input is printed inside of it, so that the bar stays whole.
    """
    if total < 2 or quiet or not sys.stderr.isatty():
        yield nullcontext
        return
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no thread of its own: processes are to be copied
    bar = tqdm(total=total, unit=" images", leave=False, file=sys.stderr, dynamic_ncols=True)

    @contextmanager
    def step() -> Iterator[None]:
        bar.clear()
        yield
        bar.update()
        bar.refresh()

    try:
        yield step
    finally:
        bar.close()


def _show_row(name: str, row: Row) -> None:
    if row.iteration == 0:
        print(f"{name}\n{COLUMNS}", file=sys.stderr)
    print(
        f"{row.iteration:9d} {row.objective:16.3f} {row.log_likelihood:16.3f} {row.delta:11.3e}"
        f" {row.e_steps:8g} {row.seconds:8.3f}",
        file=sys.stderr,
    )


class _Bar:
    def __init__(self, name: str) -> None:
        self.name = name
        self.start = perf_counter()
        self.bar: Any = None

    def __call__(self, row: Row) -> None:
        if self.bar is None:
            if perf_counter() - self.start < PATIENCE:
                return
            from tqdm import tqdm

            self.bar = tqdm(desc=self.name, unit=" iterations", leave=False, file=sys.stderr)
        self.bar.set_postfix_str(f"log-likelihood {row.log_likelihood:.7g}", refresh=False)
        self.bar.update(row.iteration - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


@contextmanager
def share(name: str, quiet: bool) -> Iterator[Callable[[float], object] | None]:
    """Give a callback that shows on a terminal how much of the work on `name` is done, or None."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
    with tqdm(total=1.0, desc=name, leave=False, file=sys.stderr, delay=PATIENCE, bar_format=form) as bar:
        yield lambda done: bar.update(done - bar.n)
