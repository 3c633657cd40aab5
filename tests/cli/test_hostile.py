"""Files that are broken, lying or strange, and names that are: each ends in a result or in one clean line."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emseg.cli.error_lines import attempt
from emseg.cli.main import cli

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
NAMES = (
    *("-k.png", "--help.png", "--", "*.png", "[a].png", "?.png", "%d.png", "{stem}.png", "{0}_{name}.png", "$HOME.png"),
    *("a b.png", " lead.png", "trail .png", "new\nline.png", "tab\t.png", "\x1b[31m.png", "quote'\"`id`;$(id).png"),
    *(
        "ünïcödé 日本.png",
        "..png",
        ".hidden.png",
        "con.png",
        "a.b.c.png",
        "noext",
        "UPPER.PNG",
        "~",
        "a" * 240 + ".png",
    ),
)


def run(*arguments: str) -> int:
    return attempt(lambda: cli.main(["segment", "-k", "2", *arguments], "emseg", standalone_mode=False))


def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 12, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def hostile() -> Iterator[tuple[str, bytes]]:
    """Files that no image tool should trust."""
    good = picture()
    yield from {"empty.png": b"", "byte.png": b"\x89", "zeros.png": bytes(4096), "text.png": b"no image\n"}.items()
    yield "eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    yield "svg.png", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///dev/zero"/></svg>'
    yield "pickle.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    yield from ((f"cut{share}.png", good[: len(good) * share // 10]) for share in range(1, 10))
    header = good[:8] + chunk(b"IHDR", (2**31 - 1).to_bytes(4, "big") * 2 + bytes([8, 6, 0, 0, 0]))
    yield "bomb.png", header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    yield "iccp.png", good[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000))) + good[33:]
    loop = b"II*\0\x08\0\0\0\x01\0" + b"\0\x01\x04\0\x01\0\0\0\x04\0\0\0" + b"\x08\0\0\0"
    yield from {"loop.tif": loop, "big.tif": b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + b"\xff" * 7 + b"\x7f"}.items()


def look(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_broken_files_in_one_batch(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = dict(hostile()) | {"good.png": picture()}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "round.png").symlink_to("round.png")
    (tmp_path / "none.png").symlink_to("nowhere")
    (tmp_path / "folder.png").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
    inputs = sorted(str(path) for path in tmp_path.iterdir())
    for jobs in ("1", "2"):
        out = tmp_path / "out" / jobs
        assert run("-o", str(out), "-q", "--jobs", jobs, "--name", "{name}", *inputs) == 1
        _, err = capfd.readouterr()
        lines = err.splitlines()
        assert lines[-1] == f"emseg: {len(inputs) - 1} of {len(inputs)} inputs failed"
        assert len(lines) == len(inputs)
        assert all(line.startswith(f"emseg: {tmp_path}") and line.isprintable() for line in lines[:-1])
        assert "internal error" not in err
        ends = (".json", ".labels.png", ".log.csv", ".overlay.png")
        assert sorted(look(out)) == [f"good.png{end}" for end in ends]
    assert {name: data for name, data in look(tmp_path).items() if name in files} == files


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    data = picture()
    Path(name).write_bytes(data)
    assert run("-o", "out", "--", name) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.replace("\n", "").isprintable()
    stem = os.path.splitext(name)[0]
    ends = (".json", ".labels.png", ".log.csv", ".overlay.png")
    assert sorted(os.listdir("out")) == [stem + end for end in ends]
    assert Path(name).read_bytes() == data
    Path("out", f"{stem}.json").unlink()
    Path(name).write_bytes(b"broken")
    assert run("-o", "out", "--", name) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err[:-1].isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")
def test_undecodable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"latin1_\xe9\xff.png")
    Path(name).write_bytes(picture())
    for how in ([name], ["."], ["*.png"]):
        assert run("-o", "out", "--json", *how) == 0
        out, err = capfd.readouterr()
        assert err == ""
        assert out.count("\n") == 1
        assert sorted(os.listdir("out"))[1] == os.fsdecode(b"latin1_\xe9\xff.labels.png")


@pytest.mark.parametrize("length", [248, 251, 255])
def test_the_longest_names(
    length: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Results have longer names than their inputs; where there is no room for them, another name can be given."""
    monkeypatch.chdir(tmp_path)
    name = "a" * (length - 4) + ".png"
    Path(name).write_bytes(picture())
    assert run("-o", "out", name) == 1
    err = capfd.readouterr().err
    assert "File name too long" in err
    assert "(--name)" in err
    assert err.count("\n") == 1
    assert not Path("out").exists() or os.listdir("out") == []
    assert run("-o", "out", "-q", "--name", "short", name) == 0
    assert len(os.listdir("out")) == 4


def test_pictures_of_other_software(shared_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Some of the files that the slow test takes all of."""
    files = sorted((shared_data / "badimages" / "pngsuite").rglob("*.png"))[::6]
    assert run("-o", str(tmp_path), "-q", *map(str, files)) in (0, 1)
    out, err = capfd.readouterr()
    assert out == ""
    assert "internal error" not in err
    failed = len(err.splitlines()) - 1
    assert len(list(tmp_path.iterdir())) == 4 * (len(files) - failed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pngsuite", "synth"])
def test_the_whole_museum(shared_data: Path, tmp_path: Path, kind: str) -> None:
    """Each file alone, in a process of its own, with a time limit: a result or a line, and nothing else anywhere."""
    folder = shared_data / "badimages" / kind
    if kind == "synth":
        folder = tmp_path / "synth"
        make = shared_data / "badimages" / "make_synth.py"
        subprocess.run([sys.executable, str(make), str(folder)], capture_output=True, check=True)
    out, wrong, good = tmp_path / "out", [], 0
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.name == "dir.png")
    for path in paths:
        before = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        done = subprocess.run(
            [sys.executable, "-m", "emseg", "segment", "-k", "2", "-q", "-o", str(out), "--", str(path)],
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            timeout=120,
        )
        made = sorted(look(out)) if out.exists() else []
        lines = done.stderr.decode().splitlines()
        clean = done.returncode == 1 and len(lines) == 1 and lines[0].startswith("emseg: ") and not made
        slices = any(name.endswith(".labels.tif") for name in made)  # of a volume
        fine = (done.returncode == 0 and not lines and len(made) == 4 + slices) or clean
        good += done.returncode == 0
        if not fine or done.stdout or "internal error" in str(lines) or (before and path.read_bytes() != before):
            wrong.append((path.name, done.returncode, lines, made))
        for name in made:
            (out / name).unlink()
    assert not wrong
    assert len(paths) > 100
    assert good > len(paths) // 3
