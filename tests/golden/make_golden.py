"""Make the golden values: run every option set on every image, and store what comes out.

`python -m tests.golden.make_golden --code FOLDER [SET …]` takes the code of emseg from a checkout of the version to
keep. With names of sets or images, it replaces their values alone.
`--check` stores nothing and prints what differs from the stored values; with OPENBLAS_CORETYPE set to Haswell,
SkylakeX or Prescott it shows which option sets depend on the processor.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.golden import compare, inputs, store
from tests.golden.option_sets import SETS
from tests.golden.runs import Outcome, run


def outcomes(names: Sequence[str], images: Sequence[str]) -> dict[store.Key, Outcome]:
    """Run those option sets on those images."""
    found = {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        inputs.prepare(folder)
        for name in names:
            for image in images:
                found[name, image] = run(name, image, folder, folder / name)
    return found


def show(found: dict[store.Key, Outcome]) -> int:
    """Print how far each outcome is from the golden one; return the number of differences."""
    golden, total = store.load(), 0
    for (name, image), outcome in found.items():
        before = golden[name, image]
        messages = list(compare.differences(name, before, outcome))
        total += len(messages)
        if outcome.code == before.code == 0:
            shares = [compare.agreement(kind, grid, outcome.maps[kind]) for kind, grid in before.maps.items()]
            off = abs(outcome.report["log_likelihood"] / before.report["log_likelihood"] - 1)
            if min(shares) < 1 or off > 1e-7:
                messages.insert(0, f"agreement {min(shares):.4%}, log-likelihood off by {off:.1e}")
        for message in messages:
            print(f"{name:16} {image:10} {message}")
    return total


def main() -> None:
    """Read the arguments, and store or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--code", default="", help="checkout from which emseg is imported")
    parser.add_argument("--check", action="store_true", help="compare with the stored values instead of storing")
    parser.add_argument("--shrink", action="store_true", help="make the small images again, too")
    parser.add_argument("--image", action="append", help="image to run on; all unless given")
    parser.add_argument("names", nargs="*", help="option sets; all unless given")
    given = parser.parse_args()
    if given.code:
        sys.path.insert(0, given.code)
    if given.shrink:
        inputs.shrink()
    import emseg

    begin = time.process_time()
    found = outcomes(given.names or list(SETS), given.image or inputs.names())
    print(f"emseg {emseg.__version__}: {len(found)} runs in {time.process_time() - begin:.0f} s of CPU")
    if given.check:
        sys.exit(bool(show(found)))
    store.save(emseg.__version__, (store.load() if given.names or given.image else {}) | found)
    print(f"maps: {store.MAPS.stat().st_size:,} bytes; reports: {store.REPORTS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
