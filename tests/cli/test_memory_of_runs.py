"""The peak of a whole run stays within what `--max-memory` allows, and a tenth more, or the image is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell the peak of a process"),
]

ROOT = Path(__file__).parents[2]
SHARE = 1.1
#: Starts the command from a small process: the peak of a child begins at that of its parent.
LAUNCH = """
import os, sys
pid = os.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.executable, [sys.executable, "-m", "emseg", *sys.argv[1:]])
_, status, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""
#: Command and options, and the files that they are tried on.
RUNS = (
    ("segment -k 3", "rgb.png grey.png rgb16.tif bands.npy volume.tif photo.jpg"),
    ("segment -k auto", "rgb.png grey.png rgb16.tif"),
    ("segment -k 4 --regions auto", "rgb.png grey.png"),
    ("segment -k 4 --regions 20 --save all", "rgb.png"),
    ("segment -k 4 --mrf icm", "rgb.png"),
    ("segment -k 4 --mrf mean-field", "rgb.png volume.tif"),
    ("segment -k 4 --mrf graph-cut", "rgb.png"),
    ("segment -k 4 --mrf gibbs", "rgb.png rgb16.tif"),
    ("segment -k 3 --bias-field", "rgb.png rgb16.tif bands.npy volume.tif"),
    ("segment -k 3 --features texture", "grey.png rgb.png"),
    ("segment -k 4 --save posterior,entropy", "rgb.png rgb16.tif"),
    ("segment -k 6 --save posterior", "grey.png rgb.png volume.tif"),
    ("segment -k 3 --save all", "rgb.png rgb16.tif grey.png"),
    ("segment -k 3 --denoise 10", "part.png"),
    ("segment -k 3 --missing em --noise --family student", "bands.npy rgb16.tif"),
    ("segment -k 3 --partial-volume", "rgb16.tif"),
    ("segment -k 3 --split", "grey.png"),
    ("apply MODEL", "rgb.png grey.png photo.jpg"),
    ("apply MODEL --save posterior", "rgb.png grey.png"),
    ("denoise --fast", "part.png rgb16.tif bands.npy volume.tif"),
    ("denoise", "part.png"),
    ("denoise --fast --method mixture", "part.png"),
    ("denoise --fast --noise poisson", "part.png rgb16.tif"),
    ("inpaint --mask mask.png", "rgb.png rgb16.tif"),
)


def shapes(height: int, width: int, channels: int, top: float) -> np.ndarray:
    """Blocks of three colours with noise, (H, W, C) from 0 to `top`."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[:height, :width]
    means = rng.integers(20, 200, (3, channels))
    values = means[(x // 97 + y // 131) % 3] + rng.normal(0, 10, (height, width, channels))
    return np.clip(values / 255, 0, 1) * top


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("large")
    rgb = shapes(900, 1100, 3, 255)
    Image.fromarray(rgb.astype(np.uint8)).save(made / "rgb.png", compress_level=1)
    Image.fromarray(shapes(2000, 2000, 1, 255)[..., 0].astype(np.uint8)).save(made / "grey.png", compress_level=1)
    tifffile.imwrite(made / "rgb16.tif", (rgb * 257).astype(np.uint16), photometric="rgb")
    np.save(made / "bands.npy", shapes(700, 800, 5, 1000).astype(np.float32))
    volume = shapes(40 * 120, 130, 1, 1000).reshape(40, 120, 130).astype(np.float32)
    tifffile.imwrite(made / "volume.tif", volume, imagej=True, metadata={"axes": "ZYX"})
    Image.fromarray(shapes(1500, 2000, 3, 255).astype(np.uint8)).save(made / "photo.jpg", quality=90)
    mask = np.zeros((900, 1100), np.uint8)
    mask[100:300, 200:500] = 255
    Image.fromarray(mask).save(made / "mask.png")
    Image.fromarray(rgb[:500, :600].astype(np.uint8)).save(made / "part.png", compress_level=1)
    Image.fromarray(rgb[:64, :64].astype(np.uint8)).save(made / "little.png")
    words = ["segment", "little.png", "-k", "3", "--features", "gray", "--save", "model", "-q"]
    subprocess.run([sys.executable, "-m", "emseg", *words], cwd=made, env=environment(), check=True)
    return made


def environment() -> dict[str, str]:
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def used(folder: Path, words: list[str]) -> tuple[int, float, str]:
    """Exit code of a command, its peak in units of 10⁶ bytes, and what it says of errors."""
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, *words], cwd=folder, env=environment(), capture_output=True, text=True
    )
    code, peak = map(int, done.stdout.split())
    return code, peak / 1e6, done.stderr


def test_whole_runs(folder: Path) -> None:
    """Each with as little as is not refused: what a run takes does not depend on what it is allowed."""
    wrong = []
    print("\npeaks in MB, of what is the least that --max-memory may be")
    for options, files in RUNS:
        command, *others = options.split()
        model = [f"{folder / 'little.emseg.json'}"] if others[:1] == ["MODEL"] else []
        for name in files.split():
            words = [command, *model, name, *others[len(model) :], "-q", "-o", "out", "--overwrite"]
            code, peak, line = used(folder, [*words, "--max-memory", "50M"])
            found = re.search(r"pixels take about ([\d.]+) ([MG])B of memory, allowed are 50 MB", line)
            if code != 1 or peak > SHARE * 50 + 2e-6 * (folder / name).stat().st_size or not found:
                wrong.append((options, name, code, peak, line))
                continue
            allowed = int(found[1]) + 1 if found[2] == "M" else int(1000 * float(found[1])) + 51
            code, peak, line = used(folder, [*words, "--max-memory", f"{allowed}M"])
            print(f"{options:52s} {name:11s} {peak:4.0f} of {allowed:4d}: {peak / allowed:4.2f}", flush=True)
            wrong += [(options, name, code, peak, line)] if code or peak > SHARE * allowed else []
    assert not wrong


def test_the_corpus(shared_data: Path, tmp_path: Path) -> None:
    """All images of the shared folder, and broken ones: small as they are, 150 MB are enough, or they are refused."""
    files = sorted(str(path) for path in shared_data.rglob("*") if path.suffix in (".png", ".jpg", ".tif", ".gif"))
    words = ["segment", "-k", "3", "-q", "-o", str(tmp_path), "-r", "--name", "{folder}-{name}"]
    (tmp_path / "names.txt").write_text("\n".join(files))
    words += ["--files-from", str(tmp_path / "names.txt"), "--max-memory", "150M"]
    code, peak, _ = used(tmp_path, words)
    print(f"\n{len(files)} files of the corpus: exit code {code}, peak {peak:.0f} MB of 150 allowed")
    assert code in (0, 1)
    assert peak < SHARE * 150
