"""The files of a job go onto the disk, or the only one to standard output."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from emseg.cli.batch.write_job import write
from emseg.errors import OutputError
from emseg.output.store.names import STDIO, Job, plan


def job_in(folder: Path) -> Job:
    (job,) = plan(["photo.png"], str(folder), always={"image": ".denoised.png"}, report=".denoised.json")
    return job


def test_onto_the_disk(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    report = write(job, {"image": lambda: b"picture"}, {"version": "1"})
    assert Path(job.files["image"]).read_bytes() == b"picture"
    assert json.loads(Path(job.report).read_text()) == report
    assert report["version"] == "1"
    assert "recipe" not in report


def test_the_recipe_is_in_the_report(tmp_path: Path) -> None:
    job = Job("photo.png", job_in(tmp_path).files, str(tmp_path / "photo.denoised.json"), recipe="abc")
    assert write(job, {"image": lambda: b"picture"}, {"version": "1"})["recipe"] == "abc"


def test_files_of_others_stay(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    Path(job.files["image"]).write_bytes(b"mine")
    with pytest.raises(OutputError):
        write(job, {"image": lambda: b"picture"}, {"version": "1"})
    assert Path(job.files["image"]).read_bytes() == b"mine"
    write(job, {"image": lambda: b"picture"}, {"version": "1"}, overwrite=True)
    assert Path(job.files["image"]).read_bytes() == b"picture"


def test_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out, flush=lambda: None))
    facts = {"version": "1"}
    report = write(Job("photo.png", {"image": STDIO}, STDIO, recipe="abc"), {"image": lambda: b"picture"}, facts)
    assert out.getvalue() == b"picture"
    assert report == facts
    assert report is not facts
