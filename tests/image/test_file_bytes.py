from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emseg.errors import ImageError
from emseg.image import file_bytes
from emseg.image.file_bytes import digest_of_image, read_bytes, read_image_bytes
from emseg.image.formats.registry import HEAD
from emseg.image.read import read_image


def test_bytes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789" * 20)
    heads: list[bytes] = []
    assert read_bytes(tmp_path / "x", heads.append) == b"0123456789" * 20
    assert heads == [(b"0123456789" * 20)[:HEAD]]


def test_what_is_judged_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no image")
    assert read_bytes(tmp_path / "x") == b"no image"
    with pytest.raises(ImageError, match="not an image"):
        read_image_bytes(tmp_path / "x")


@pytest.mark.parametrize(("name", "reason"), [("", "folder"), ("none", "no such file"), ("a\0b", "file name")])
def test_refusals(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ImageError, match=f"{reason}.*; "):
        read_bytes(os.path.join(tmp_path, name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="pipe"):
        read_bytes(tmp_path / "pipe")


def test_the_largest_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    monkeypatch.setattr(file_bytes, "MAX_BYTES", 5)
    assert read_bytes(tmp_path / "x") == b"12345"
    monkeypatch.setattr(file_bytes, "MAX_BYTES", 4)
    with pytest.raises(ImageError, match="more than emseg reads"):
        read_bytes(tmp_path / "x")


def test_digests_are_those_of_the_images(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "x.png")
    header = "ENVI\nsamples = 4\nlines = 3\nbands = 1\ndata type = 1\n"
    (tmp_path / "x.hdr").write_text(header)
    (tmp_path / "x.img").write_bytes(bytes(12))
    assert digest_of_image(tmp_path / "x.png") == hashlib.sha256((tmp_path / "x.png").read_bytes()).hexdigest()
    assert digest_of_image(tmp_path / "x.hdr") == hashlib.sha256(header.encode() + bytes(12)).hexdigest()
    for name in ("x.png", "x.hdr"):
        assert digest_of_image(tmp_path / name) == read_image(tmp_path / name).sha256
    (tmp_path / "x.img").unlink()
    assert digest_of_image(tmp_path / "x.hdr") == digest_of_image(tmp_path / "none") == ""


def test_no_numpy_is_needed(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "x.png")
    code = (
        "import sys; from emseg.image.file_bytes import digest_of_image as digest\n"
        f"assert digest({str(tmp_path / 'x.png')!r})\nassert not {{'numpy', 'PIL'}} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr


def test_samples_without_their_header_name_it(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(bytes(64))
    with pytest.raises(ImageError, match="not an image of a kind that emseg reads"):
        read_image_bytes(tmp_path / "a.dat")
    (tmp_path / "a.hdr").write_text("ENVI\n")
    with pytest.raises(ImageError, match=r"a\.dat: holds samples alone; name their header, .*a\.hdr"):
        read_image_bytes(tmp_path / "a.dat")
