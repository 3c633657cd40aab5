"""A job's outcome, whatever happens to it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from emseg.cli.batch.one_job import do, dry_run, json_line, opened, verdict
from emseg.cli.batch.outcome import BAD, BEFORE, DONE, Done, Outcome
from emseg.cli.batch.write_job import write
from emseg.errors import ImageError, UsageError, option
from emseg.options.declarations.running import RunOptions
from emseg.output.store.names import STDIO, Job

SETTINGS = RunOptions()


def job_in(folder: Path, source: str = "photo.png") -> Job:
    return Job(str(folder / source), {"image": str(folder / "photo.out.png")}, str(folder / "photo.json"), recipe="r")


def fine(job: Job, alone: bool) -> Done:
    return Done({"alone": alone}, lambda: f"{Path(job.source).name} is done")


def test_what_is_printed(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    assert do(fine, SETTINGS, True, job) == Outcome(0, DONE, out="photo.png is done")
    assert do(fine, RunOptions(quiet=True), True, job) == Outcome(0, DONE)
    assert do(fine, RunOptions(as_json=True, quiet=True), False, job) == Outcome(0, DONE, out='{"alone": false}')
    assert do(fine, SETTINGS, True, Job("-", {"image": STDIO}, STDIO)) == Outcome(0, DONE)


def test_notices_name_the_input_and_options_as_a_shell_takes_them(tmp_path: Path) -> None:
    def told(job: Job, alone: bool) -> Done:
        return Done({}, str, (f"3 pixels are left out; use {option('missing', 'em')}",))

    job = job_in(tmp_path)
    assert do(told, SETTINGS, True, job).notices == (f"{job.source}: 3 pixels are left out; use --missing em",)
    assert do(told, RunOptions(quiet=True), True, job).notices == ()
    assert do(told, RunOptions(as_json=True), True, job).notices
    assert do(told, SETTINGS, True, Job("-", {"image": STDIO}, STDIO)).notices[0].startswith("stdin: 3 pixels")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ImageError("photo.png: is no image"), 1, "photo.png: is no image"),
        (UsageError(f"use {option('missing', 'drop')}"), 2, "photo.png: use --missing drop"),
        (ZeroDivisionError("by zero"), 1, "photo.png: internal error"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors(error: BaseException, code: int, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def fails(job: Job, alone: bool) -> Done:
        raise error

    outcome = do(fails, SETTINGS, False, Job("photo.png", {}, "photo.json"))
    assert (outcome.code, outcome.state) == (code, BAD)
    assert outcome.line.startswith(line)


def test_a_problem_with_the_name_of_an_input(tmp_path: Path) -> None:
    outcome = do(fine, SETTINGS, True, Job("*.png", {}, "", problem="*.png: no such file"))
    assert outcome == Outcome(1, BAD, "*.png: no such file")


def test_what_emseg_did_not_write_is_seen_before_the_work(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    Path(job.files["image"]).write_bytes(b"mine")

    def never(job: Job, alone: bool) -> Done:
        raise AssertionError

    outcome = do(never, SETTINGS, True, job)
    assert outcome.state == BAD
    assert "photo.out.png" in outcome.line
    assert do(fine, RunOptions(overwrite=True), True, job).state == DONE


def test_an_earlier_result_is_taken_for_done(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    Image.new("L", (4, 4), 3).save(job.source)

    def works(job: Job, alone: bool) -> Done:
        from emseg.image.file_bytes import digest_of_image

        facts = {"version": "1", "input": {"path": job.source, "sha256": digest_of_image(job.source)}}
        return Done(write(job, {"image": lambda: b"picture"}, facts), lambda: "new")

    resume = RunOptions(resume=True)
    assert do(works, resume, True, job).out == "new"
    again = do(works, resume, True, job)
    assert (again.state, again.out) == (BEFORE, f"{job.source}: done before")
    assert do(works, RunOptions(), True, job).out == "new"
    Image.new("L", (4, 4), 4).save(job.source)
    assert do(works, resume, True, job).out == "new"


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": {}},
        {"outputs": {"nothere.png": ""}},
        {"outputs": {"photo.out.png": ""}},
        {"log_likelihood": float("nan")},
    ],
    ids=lambda change: json.dumps(change),
)
def test_a_report_that_does_not_tell_of_all_files_is_no_result(tmp_path: Path, change: dict[str, Any]) -> None:
    job = job_in(tmp_path)
    Image.new("L", (4, 4), 3).save(job.source)

    def works(job: Job, alone: bool) -> Done:
        from emseg.image.file_bytes import digest_of_image

        facts = {"version": "1", "input": {"path": job.source, "sha256": digest_of_image(job.source)}}
        return Done(write(job, {"image": lambda: b"picture"}, facts, overwrite=True), lambda: "new")

    resume = RunOptions(resume=True, overwrite=True)
    assert do(works, resume, True, job).out == "new"
    report = Path(job.report)
    report.write_text(json.dumps(json.loads(report.read_text()) | change))
    assert do(works, resume, True, job).out == "new"
    assert do(works, resume, True, job).state == BEFORE
    lost = Outcome(1, BAD, "its process ended early", lost=True)
    assert verdict(lost, job, SETTINGS).state == DONE, "whole results, whatever became of their process"
    assert verdict(lost._replace(lost=False), job, SETTINGS).state == BAD
    Path(job.files["image"]).unlink()
    assert verdict(lost, job, SETTINGS) == lost


def test_a_dry_run_names_the_files(tmp_path: Path) -> None:
    job = Job("a.png", {"image": "a.out.png"}, "a.json")
    done = dry_run(None, job, True)
    assert done.text() == "a.png → a.out.png, a.json"
    assert done.report == {"input": {"path": "a.png"}, "would_write": ["a.out.png", "a.json"]}
    other = dry_run(lambda job: Job(job.source, {"image": "a.tif"}, job.report), job, True)
    assert other.report["would_write"] == ["a.tif", "a.json"]


def test_json_only_if_wanted() -> None:
    assert json_line({"a": 1}, SETTINGS) == ""
    assert json.loads(json_line({"a": 1}, RunOptions(as_json=True))) == {"a": 1}


def test_standard_input_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"bytes of an image")))
    source = opened(Job(STDIO, {}, STDIO, page=2, max_pixels=7))
    assert (source.path, source.data) == ("stdin", b"bytes of an image")
    assert (source.how.page, source.how.max_pixels) == (2, 7)
    assert opened(Job("a.png", {}, "a.json")).data is None


def test_standard_input_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emseg.image.file_bytes.MAX_BYTES", 4)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"12345")))
    with pytest.raises(ImageError, match="more bytes than emseg reads"):
        opened(Job(STDIO, {}, STDIO))
