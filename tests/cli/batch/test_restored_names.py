"""Restored pictures that a PNG cannot hold are TIFFs, and that is known before the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.cli.batch.restored_names import foreseen, suited
from emseg.errors import ImageError, OutputError
from emseg.output.store.names import DENOISE, DENOISE_REPORT, STDIO, Job, plan


def job_of(source: Path, folder: Path) -> Job:
    (job,) = plan([str(source)], str(folder), always=DENOISE, report=DENOISE_REPORT)
    return job


@pytest.mark.parametrize(("png", "end"), [(True, ".png"), (False, ".tif")])
def test_the_end_of_the_name(tmp_path: Path, png: bool, end: str) -> None:
    job = suited(job_of(tmp_path / "a.npy", tmp_path), png, overwrite=False)
    assert job.files == {"image": str(tmp_path / f"a.denoised{end}")}
    assert job.report == str(tmp_path / "a.denoised.json")


def test_standard_output_has_no_name() -> None:
    job = Job("a.npy", {"image": STDIO}, STDIO)
    assert suited(job, False, overwrite=False) is job
    assert foreseen(job, overwrite=False) is job


def test_a_file_of_another_is_seen_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "a.denoised.tif").write_bytes(b"mine")
    job = job_of(tmp_path / "a.npy", tmp_path)
    with pytest.raises(OutputError, match=r"a\.denoised\.tif"):
        suited(job, False, overwrite=False)
    assert suited(job, False, overwrite=True).files["image"].endswith(".tif")


def test_the_input_decides(tmp_path: Path) -> None:
    np.save(tmp_path / "floats.npy", np.ones((4, 4)))
    Image.new("L", (4, 4)).save(tmp_path / "bytes.png")
    ends = {
        source: foreseen(job_of(tmp_path / source, tmp_path), overwrite=False).files["image"][-4:]
        for source in ("floats.npy", "bytes.png")
    }
    assert ends == {"floats.npy": ".tif", "bytes.png": ".png"}
    with pytest.raises(ImageError, match=r"none\.png"):
        foreseen(job_of(tmp_path / "none.png", tmp_path), overwrite=False)
