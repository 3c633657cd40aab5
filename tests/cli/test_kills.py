"""Signals at random moments: old results or new ones, never halves; and the same command finishes what is left."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
NAMES = ("a", "b", "c", "d", "e")
SAVED = "posterior,entropy,mean,model,labels-tiff,geojson"
ENDS = (".emseg.json", ".entropy.tif", ".geojson", ".json", ".labels.png", ".labels.tif", ".log.csv", ".mean.png")
ENDS += (".overlay.png", ".posterior.tif")
# Python itself answers a signal with a traceback while it starts; from here on it is ours.
START = """
import sys
from emseg.cli.signals import install
install()
print("ready", file=sys.stderr, flush=True)
from emseg.__main__ import main
main()
"""

pytestmark = [pytest.mark.long, pytest.mark.skipif(os.name != "posix", reason="needs signals")]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in NAMES:
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(folder / f"{name}.png")
    return folder


def start(photos: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["segment", str(photos), "-k", "2", "--save", SAVED, "--resume", "-q", "-o", str(out), *more]
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == b"ready\n"
    return process


def finish(process: subprocess.Popen[bytes]) -> str:
    out, err = process.communicate(timeout=120)
    assert out == b""
    return err.decode()


def whole(folder: Path) -> dict[str, Any]:
    """Reports, each of which must speak the truth about its files, without what two runs may differ in."""
    found = {}
    for path in sorted(folder.glob("[!.]*.json")):
        if path.name.endswith(".emseg.json"):
            continue  # a model
        report = json.loads(path.read_bytes())
        for name, digest in report["outputs"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        report.pop("seconds")
        report["outputs"].pop(f"{path.stem}.log.csv")  # has a column of seconds
        found[path.name] = report
    for path in folder.glob("[!.]*.png"):
        with Image.open(path) as picture:
            picture.load()
    return found


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*"))


def disturb(photos: Path, tmp_path: Path, kills: int, seed: int, numbers: list[int], *more: str) -> None:
    """Cut a batch short so many times, each time with what the last one left; then let it finish."""
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    assert finish(start(photos, tmp_path / "calm")) == ""
    expected = whole(tmp_path / "calm")
    assert sorted(os.listdir(tmp_path / "calm")) == sorted(name + end for name in NAMES for end in ENDS)
    dice, out, cut = random.Random(seed), tmp_path / "out", 0
    for _ in range(5 * kills):
        if cut == kills:
            break
        process, number = start(photos, out, *more), dice.choice(numbers)
        time.sleep(dice.random() * dice.choice([0.05, 0.3, 0.6]))
        process.send_signal(number)
        err = finish(process)
        if process.returncode == 0 or (number != signal.SIGKILL and process.returncode == -number):
            # It was done first, or so far that Python had put its own answer to signals back: begin again.
            assert err == ""
            assert whole(out) == expected
            for path in out.iterdir():
                path.unlink()
            continue
        cut += 1
        if number == signal.SIGKILL:
            assert process.returncode == -9
            assert err == ""
        else:
            assert process.returncode == 128 + number
            assert err == ("emseg: interrupted\n" if number == signal.SIGINT else "emseg: terminated\n")
        if out.exists():
            done = whole(out)
            assert all(expected[name] == report for name, report in done.items())
            if number != signal.SIGKILL and "--jobs" not in more:
                assert not [name for name in hidden(out) if name.endswith(".tmp") and numbers == [number]]
    assert cut == kills
    assert finish(start(photos, out, *more)) == ""
    assert whole(out) == expected
    assert sorted(os.listdir(out)) == sorted(os.listdir(tmp_path / "calm"))
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_few(photos: Path, tmp_path: Path, number: int) -> None:
    disturb(photos, tmp_path, 3, int(number), [number])


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--jobs", "2"]], ids=["one process", "two"])
@pytest.mark.parametrize("seed", range(3))
def test_two_hundred(photos: Path, tmp_path: Path, seed: int, more: list[str]) -> None:
    disturb(photos, tmp_path, 34, seed, [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT], *more)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_process_of_two_is_killed(photos: Path, tmp_path: Path) -> None:
    """The batch goes on, says which input it was, and the next run does what is missing."""
    dice, lost = random.Random(0), 0
    assert finish(start(photos, tmp_path / "calm")) == ""
    for i in range(12):
        out = tmp_path / str(i)
        process = start(photos, out, "--jobs", "2")
        time.sleep(0.1 + dice.random() / 3)
        try:
            victims = children(process.pid)
        except OSError:
            victims = []
        if victims:
            os.kill(dice.choice(victims), signal.SIGKILL)
        err = finish(process)
        assert process.returncode == (1 if err else 0)
        if err:
            lost += 1
            first, last = err.splitlines()
            assert "its process ended early (killed by SIGKILL)" in first
            assert last == "emseg: 1 of 5 inputs failed"
            assert len(whole(out)) == 4
            assert hidden(out) in ([], [f".{Path(first.split(':')[1]).stem.strip()}.claims"])
        assert finish(start(photos, out)) == ""
        assert whole(out) == whole(tmp_path / "calm")
        assert sorted(os.listdir(out)) == sorted(os.listdir(tmp_path / "calm"))
    assert lost


@pytest.mark.parametrize("more", [[], ["--resume"]], ids=["again", "resume"])
def test_two_at_once_do_not_mix(photos: Path, tmp_path: Path, more: list[str]) -> None:
    """The same batch started twice: whoever comes last has written all files of a report."""
    command = [sys.executable, "-m", "emseg", "segment", str(photos), "-k", "2", "--save", SAVED, "-q"]
    for _ in range(2):
        twins = [
            subprocess.Popen([*command, "-o", str(tmp_path / "out"), *more], cwd=ROOT, stderr=subprocess.PIPE)
            for _ in range(3)
        ]
        assert [twin.communicate()[1] for twin in twins] == [b""] * 3
        assert [twin.returncode for twin in twins] == [0] * 3
        whole(tmp_path / "out")
        assert sorted(os.listdir(tmp_path / "out")) == sorted(name + end for name in NAMES for end in ENDS)
