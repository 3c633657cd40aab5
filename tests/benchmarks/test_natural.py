"""The benchmark of photographs: what it finds in a folder, and what it says without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image

from tests.benchmarks.natural import SCORES, measure


def test_without_photographs_nothing_is_judged(tmp_path: Path) -> None:
    assert [row.met for row in measure(True).targets] == [None]
    (row,) = measure(True, str(tmp_path)).targets
    assert "no photographs with truths" in row.measured


def test_photographs_and_their_truths(tmp_path: Path) -> None:
    truth = np.zeros((40, 60), np.uint8)
    truth[:, 30:] = 1
    PIL.Image.fromarray((truth * 120 + 60)[..., None].repeat(3, 2)).save(tmp_path / "a.png")
    PIL.Image.fromarray(truth).save(tmp_path / "alone.png")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    np.save(tmp_path / "one" / "a.npy", truth)
    np.savez(tmp_path / "two" / "a.npz", segs=np.stack([truth, truth + 3]))
    report = measure(True, str(tmp_path))
    assert [row.what.split()[-1] for row in report.targets] == list(SCORES)
    assert [row.measured for row in report.targets] == ["1.000", "1.000", "0.000"]
    assert all(row.met for row in report.targets)
    assert "1 photographs, 3.0 annotators each" in report.details[0].caption
