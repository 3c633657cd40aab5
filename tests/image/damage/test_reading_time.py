"""No file below 4 MB takes a reader longer than ten seconds of the processor."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from emseg.errors import ImageError
from emseg.image.limits import Reading
from emseg.image.read import count_pages, read_image
from tests.image.damage.grown_files import LARGEST, mutated, small_files
from tests.image.damage.many_parts import STRUCTURES

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes with limits")]

ALLOWED = 1 << 30  # bytes of memory
SECONDS = 10
EACH = 100  # mutated files of a format


def judge(path: Path) -> tuple[str, float]:
    """What reading a file ends in, and the seconds of the processor; in a process that is killed a little later."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 2, SECONDS + 4))
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            code = 0
            for work in (read_image, count_pages):
                try:
                    work(path, Reading(max_memory=ALLOWED))
                except ImageError as error:
                    code = 1 if str(error).isprintable() and "; " in str(error) else 2
        finally:
            os._exit(code)
    _, status, used = os.wait4(pid, 0)
    ends = {0: "read", 1: "refused", 2: "a bad line", 3: "an error"}
    code = os.waitstatus_to_exitcode(status)
    return ends.get(code, f"signal {-code}"), used.ru_utime + used.ru_stime


def watched(files: dict[str, bytes], folder: Path) -> None:
    """Fails if any file takes too long, or ends in anything but an image or one line."""
    wrong, slowest = [], (0.0, "")
    for name, data in files.items():
        assert len(data) < 4e6, name
        path = folder / name
        path.write_bytes(data)
        if name.endswith(".hdr"):
            (folder / name[:-4]).write_bytes(bytes(2000))
        outcome, seconds = judge(path)
        slowest = max(slowest, (seconds, name))
        if outcome not in ("read", "refused") or seconds > SECONDS:
            wrong.append((name, outcome, seconds))
        else:
            path.unlink()
    print(f"\n{len(files)} files; at most {slowest[0]:.1f} s ({slowest[1]})", end=" ")
    assert not wrong


@pytest.mark.parametrize("name", STRUCTURES)
def test_many_or_deep_parts(name: str, tmp_path: Path) -> None:
    watched({name: STRUCTURES[name]()}, tmp_path)


@pytest.mark.parametrize("kind", small_files())
def test_small_files_with_parts_grown(kind: str, tmp_path: Path) -> None:
    rng, data = np.random.default_rng(int(os.environ.get("EMSEG_SEED", "0"))), small_files()[kind]
    watched({f"{i}.{kind}": mutated(data, rng) for i in range(EACH)}, tmp_path)
    assert LARGEST < 4e6
