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
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial

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


def main() -> None:
    """Run the groups asked for; details are printed as they come, the targets at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure emseg against its peers.")
    parser.add_argument("--only", choices=GROUPS, action="append", help="this group alone; may be given several times")
    parser.add_argument("--quick", action="store_true", help="every run once, and nothing that takes minutes")
    parser.add_argument("--photos", metavar="DIR", help="photographs with truths of the same name, for natural")
    asked = parser.parse_args()
    groups = GROUPS | {"natural": partial(natural.measure, folder=asked.photos)}
    targets: list[Row] = []
    print(machine(), flush=True)
    try:
        for name in asked.only or GROUPS:
            try:
                report = groups[name](asked.quick)
            except BenchmarkError as error:
                report = Report([Row(name, f"could not be measured: {error}", "", None)])
            targets += report.targets
            for table in report.details:
                print(f"\n{table}", flush=True)
    except KeyboardInterrupt:
        print("\nInterrupted: what was measured so far follows.", file=sys.stderr)
    print(f"\n{Row.table(targets)}")


if __name__ == "__main__":
    main()
