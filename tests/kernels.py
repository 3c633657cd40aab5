"""The numerical tests under every set of kernels that a processor may choose; a line for each.

usage: python -m tests.kernels [NAME…]        (as `make kernels` does; without names, all of CONFIGURATIONS)

Sums come in another order under each: OpenBLAS has its own matrix products for every processor and shares them among
threads, and NumPy has narrow and wide loops. What a test finds must not depend on that beyond rounding.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMERICAL = ("em", "mixture", "mrf", "features", "numerics", "regions", "restore", "stages", "commands")
CORES = ("SkylakeX", "Haswell", "Zen", "Sandybridge", "Prescott")

#: Multiplies and decomposes matrices of both precisions: what a kernel that the processor lacks would die of.
TRIAL = "import numpy as np\nfor t in 'fd':\n    a = np.eye(300, dtype=t) + .1\n    np.linalg.svd(a @ a.T)"
#: Names of the loops that NumPy could use here beyond those that it cannot do without.
WIDE = """
try:
    import numpy._core._multiarray_umath as core
except ImportError:
    import numpy.core._multiarray_umath as core
print(*(name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)))
"""


@dataclass(frozen=True)
class Configuration:
    """What the numerical tests are run under.

    Attributes
    ----------
    core : str
        OpenBLAS's name of the processor whose kernels it is to use; empty for its own choice.
    threads : int
        Of OpenBLAS.
    narrow : bool
        Whether NumPy goes without its wide loops.
    """

    core: str
    threads: int
    narrow: bool = False

    @property
    def name(self) -> str:
        """As on the command line: Haswell-1, narrow-2."""
        return f"{'narrow' if self.narrow else self.core}-{self.threads}"

    def environment(self) -> dict[str, str]:
        """That of a process which runs under it."""
        chosen = {"OPENBLAS_NUM_THREADS": str(self.threads)}
        chosen |= {"OPENBLAS_CORETYPE": self.core} if self.core else {}
        chosen |= {"NPY_DISABLE_CPU_FEATURES": said(WIDE, os.environ)[1]} if self.narrow else {}
        return os.environ | chosen


CONFIGURATIONS = [Configuration(core, threads) for core in CORES for threads in (1, 2)]
CONFIGURATIONS += [Configuration("", threads, narrow=True) for threads in (1, 2)]


def said(code: str, environment: os._Environ[str] | dict[str, str]) -> tuple[int, str]:
    """Exit code and output of a program."""
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


def kernels(configuration: Configuration) -> tuple[str, str]:
    """The name by which OpenBLAS calls what it really uses, and why a run would be of no use, or nothing."""
    code, text = said(TRIAL, configuration.environment() | {"OPENBLAS_VERBOSE": "2"})
    found = re.findall(r"^Core: (\w+)", text, re.M)
    if configuration.narrow and not said(WIDE, os.environ)[1]:
        return "", "this NumPy has no wide loops for this processor"
    if code:
        return "", "this processor cannot run them"
    if configuration.core and ("Core not found" in text or not found):
        return "", "NumPy's linear algebra here has no such kernels"
    return (found or [""])[0], ""


def run(configuration: Configuration, jobs: int) -> bool:
    """One line, and the names of tests that failed; whether there were none."""
    folders = [f"tests/{name}" for name in NUMERICAL]
    jobs = max(1, jobs // configuration.threads)  # more threads than processors would mostly wait
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(jobs), "--dist", "loadfile"]
    begin = time.perf_counter()
    done = subprocess.run(
        [*command, *folders], cwd=ROOT, env=configuration.environment(), capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    counts = re.sub(r" in [\d.]+s.*", "", lines[-1]).strip("= ") if lines else done.stderr.strip()
    print(f"{configuration.name}: {counts} ({time.perf_counter() - begin:.0f} s)", flush=True)
    for line in lines:
        if line.startswith(("FAILED", "ERROR")):
            print(f"    {line}", flush=True)
    return done.returncode == 0


def main() -> int:
    """Run the configurations that are asked for; 1 if a test fails under any."""
    parser = argparse.ArgumentParser(prog="python -m tests.kernels", description="Numerical tests under all kernels")
    names = [one.name for one in CONFIGURATIONS]
    parser.add_argument("name", nargs="*", help=f"of {', '.join(names)}; all of them unless given")
    parser.add_argument("--jobs", type=int, default=2, help="test processes at once")
    asked = parser.parse_args()
    unknown = set(asked.name) - set(names)
    if unknown:
        parser.error(f"{min(unknown)} is none of {', '.join(names)}")
    fine, seen = True, dict[tuple[str, int], str]()
    for one in CONFIGURATIONS:
        if asked.name and one.name not in asked.name:
            continue
        used, reason = kernels(one)
        twin = seen.setdefault((used, one.threads), one.name) if not one.narrow else one.name
        if reason or twin != one.name:
            print(f"{one.name}: skipped, {reason or f'the same kernels as {twin}'}", flush=True)
            continue
        fine &= run(one, asked.jobs)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
