"""Measure everything that has a target, and print Markdown tables that can be pasted into the README.

How the numbers are obtained:

- *CPU time* is user plus system time of a whole process, from its start to its end, as `wait4` reports it: Python's
  start, imports, reading, fitting, labelling and writing. Ours is the command users type, ``emseg segment IMAGE -k 4 -o
  DIR``; the peers are `peer_sklearn.py` and `peer_opencv.py`, which do the same job in the fewest lines. "fit + predict
  alone" leaves out the peer's start-up, imports, reading, colour conversion and writing, and nothing of ours.
- Runs *alternate* (A B A B …), so that a slow spell of the machine hits both; a number is the median of its runs. A
  peer that takes minutes runs once. *Memory* is the largest resident set of any of the runs.
- BLAS has *one thread* on both sides. Under "Haswell" OpenBLAS is told to use its kernels for that older processor.
- *Images* are scikit-image's packaged photographs, enlarged (bicubic), with Gaussian noise of standard deviation 3, as
  JPEG files of quality 90; see `images.py`. *Likelihoods* of both sides are computed by one function; see `fits.py`.
- A *ratio* is the peer's median over ours. Where a row covers several images, its measured value is the range over
  them, and the worst decides whether the target is met.

Missed targets are printed as missed, and the exit code is 0 all the same.

All of it ends within 45 minutes: a group that takes longer than ten, or would end later, is stopped, and says so in the
table; `--only GROUP` gives it all the time it wants. What was measured is printed, too, after Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.benchmarks import (
    end_to_end,
    hard,
    iteration,
    likelihood,
    memory,
    mrf,
    natural,
    opencv,
    restore,
    restore_large,
    speed,
    startup,
    tissue,
)
from tests.benchmarks.measure import BenchmarkError
from tests.benchmarks.report import Report, Row, machine

GROUPS: dict[str, Callable[[bool], Report]] = {
    "startup": startup.measure,
    "end_to_end": end_to_end.measure,
    "memory": memory.measure,
    "iteration": iteration.measure,
    "speed": speed.measure,
    "likelihood": likelihood.measure,
    "hard": hard.measure,
    "mrf": mrf.measure,
    "natural": natural.measure,
    "tissue": tissue.measure,
    "restore": restore.measure,
    "restore_large": restore_large.measure,
    "opencv": opencv.measure,
}


ALL, EACH = 45 * 60.0, 10 * 60.0  # seconds, of all groups and of each


class OutOfTimeError(Exception):
    """A group took longer than it may."""


def _out_of_time(number: int, frame: Any) -> None:
    raise OutOfTimeError


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError after so many seconds, where the system has a clock that interrupts; not at all if 0."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def measured(name: str, measure: Callable[[bool], Report], quick: bool, seconds: float) -> Report:
    """What a group found, or a row that says why it found nothing."""
    try:
        if seconds < 0:
            raise OutOfTimeError
        with within(seconds):
            return measure(quick)
    except OutOfTimeError:
        why = f"stopped after {seconds / 60:.0f} minutes; --only {name}" if seconds > 0 else f"no time; --only {name}"
    except BenchmarkError as error:
        why = f"could not be measured: {error}"
    return Report([Row(name, why, "", None)])


def main() -> None:
    """Run the groups asked for; details are printed as they come, the targets at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure emseg against its peers.")
    parser.add_argument("--only", choices=GROUPS, action="append", help="this group alone; may be given several times")
    parser.add_argument("--quick", action="store_true", help="every run once, and nothing that takes minutes")
    parser.add_argument("--photos", metavar="DIR", help="photographs with truths of the same name, for natural")
    asked = parser.parse_args()
    groups = GROUPS | {"natural": partial(natural.measure, folder=asked.photos)}
    targets: list[Row] = []
    signal.signal(signal.SIGTERM, _stop)
    begin = time.monotonic()
    try:
        print(machine(), flush=True)
        for name in asked.only or GROUPS:
            left = begin + ALL - time.monotonic()
            seconds = 0.0 if asked.only else min(EACH, left) if left > 1 else -1.0
            report = measured(name, groups[name], asked.quick, seconds)
            targets += report.targets
            for table in report.details:
                print(f"\n{table}", flush=True)
    except KeyboardInterrupt:
        print("\nInterrupted: what was measured so far follows.", file=sys.stderr)
    print(f"\n{Row.table(targets)}")


if __name__ == "__main__":
    main()
