"""The same input gives the same bytes: in every run, in any folder, with one process or two, but for the seconds."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "segment in -k 3 --save all --mrf auto --regions auto --bias-field -o out/field",
    "segment in -k 2:3 --algorithm sem --regions 20 --denoise auto -o out/regions",
    "apply out/field/p.emseg.json in --save posterior -o out/applied",
    "denoise in -o out/clean",
    "inpaint in --mask m.png --uncertainty -o out/whole",
    "compare in/p.png -k 2 --algorithms em,squarem -o out/variants",
)


def files_of(folder: Path, *more: str, jobs: int = 1, **environment: str) -> dict[str, bytes]:
    """Run the commands in a folder of their own; all that they have written, by its path."""
    rng = np.random.default_rng(0)
    (folder / "in").mkdir(parents=True)
    truth = np.hypot(*(np.mgrid[:32, :40] - 16)) < 10
    for name in "pq":
        noisy = np.where(truth[..., None], [200, 150, 90], [60, 80, 120]) + rng.normal(0, 15, (*truth.shape, 3))
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / "in" / f"{name}.png")
    mask = np.zeros(truth.shape, np.uint8)
    mask[5:9, 5:9] = 255
    Image.fromarray(mask).save(folder / "m.png")
    script = "from emseg.cli.main import cli, one_thread\none_thread()\n" + "".join(
        f"assert cli({[*command.split(), '-q', *more, *many(command, jobs)]}, standalone_mode=False) in (0, None)\n"
        for command in COMMANDS
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"} | environment
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=env, check=True)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in (folder / "out").rglob("*.*")}
    assert len(found) > 40
    return found


def many(command: str, jobs: int) -> list[str]:
    return [] if command.startswith("compare") else ["--jobs", str(jobs)]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_of(tmp_path_factory.mktemp("once") / "a", "--no-timings")


def test_without_seconds_all_bytes_are_the_same(once: dict[str, bytes], tmp_path: Path) -> None:
    """In another folder, by two processes, where the environment offers several threads."""
    threads = {"OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}
    again = files_of(tmp_path / "elsewhere" / "b", "--no-timings", jobs=2, **threads)
    assert set(again) == set(once)
    assert [name for name in once if again[name] != once[name]] == []


def without_seconds(name: str, data: bytes, listed: set[str]) -> Any:
    """A file without what the guide excepts: seconds, and in reports the hashes of `listed` files, which hold some."""
    if name.endswith(".csv"):
        rows = list(csv.DictReader(io.StringIO(data.decode())))
        return [{column: value for column, value in row.items() if column != "seconds"} for row in rows]
    report = json.loads(data)
    report.pop("seconds", None)
    for entry in report.get("algorithms", ()):
        entry.pop("seconds")
    report["outputs"] = {key: value for key, value in report["outputs"].items() if key not in listed}
    return report


def test_with_seconds_reports_and_logs_differ_in_nothing_else(once: dict[str, bytes], tmp_path: Path) -> None:
    timed = files_of(tmp_path / "c")
    other = {name for name in once if timed[name] != once[name]}
    kinds = (".log.csv", ".compare.csv", "p.json", "q.json", ".denoised.json", ".inpainted.json", ".compare.json")
    assert other == {name for name in once if name.endswith(kinds)}
    logs = {name.rpartition("/")[2] for name in other if name.endswith(".csv")}
    for name in other:
        assert without_seconds(name, timed[name], logs) == without_seconds(name, once[name], logs)
    report = json.loads(once["out/field/p.json"])
    assert set(report["seconds"].values()) == {0.0}
    assert set(report["seconds"]) == set(json.loads(timed["out/field/p.json"])["seconds"])  # the keys are still there
