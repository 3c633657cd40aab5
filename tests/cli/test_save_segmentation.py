"""Every file of a job is written by the writer of its kind, the report last."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import emseg
from emseg.cli.save_segmentation import save
from emseg.output.registry import KINDS
from emseg.output.store.names import plan

GRAY = np.repeat(np.array([[10, 12, 11, 90, 93, 91]], np.uint8), 6, axis=0)


def test_files_hold_what_their_writers_give(tmp_path: Path) -> None:
    result = emseg.segment(GRAY, 2)
    (job,) = plan(["photo.png"], str(tmp_path), ["labels-tiff", "model"])
    report = save(result, job)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["photo.json", *(Path(path).name for path in job.files.values())]
    )
    for kind, path in job.files.items():
        assert Path(path).read_bytes() == KINDS[kind].write(result), kind
    assert json.loads(Path(job.report).read_text()) == report
    assert report["outputs"].keys() == {Path(path).name for path in job.files.values()}
    assert {name: report[name] for name in ("K", "status")} == {name: result.report[name] for name in ("K", "status")}
