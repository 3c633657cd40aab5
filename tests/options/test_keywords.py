"""A type checker knows the keywords of the Python functions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CALLS = {
    'emseg.segment("a.png", 3, mrf="auto", neighbours=8, censored=(0, 255), init=Path("model.json"))': "",
    'emseg.segment("a.png", 3, mfr="auto")': "call-arg",
    'emseg.segment("a.png", 3, contrast="yes")': "arg-type",
    'emseg.compare("a.png", 3, partial_volume=True, seed=1)': "",
    'emseg.compare("a.png", 3, mrf="auto")': "call-arg",
    'emseg.denoise("a.png", 5, fast=True)': "",
    'emseg.denoise("a.png", 5, quick=True)': "call-arg",
    'emseg.inpaint("a.png", "alpha", seed=1.5)': "arg-type",
    'emseg.impute("a.png", level=0.5, criterion="bic")': "",
    'emseg.impute("a.png", features="lab")': "call-arg",
}


def test_a_type_checker_rejects_wrong_keywords_and_values(tmp_path: Path) -> None:
    """One run for all calls: mypy takes seconds to start."""
    pytest.importorskip("mypy")
    script = tmp_path / "calls.py"
    script.write_text("\n".join(["from pathlib import Path", "import emseg", *CALLS]) + "\n")
    root = Path(__file__).parents[2]
    cache = root / ".mypy_cache"  # that of `make lint`, if there is one: a second instead of ten
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        str(cache),
        str(script),
    ]
    done = subprocess.run(command, cwd=root, env=os.environ | {"MYPYPATH": str(root)}, capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if "calls.py:" in line and "error:" in line]
    assert [line for line, code in enumerate(CALLS.values(), 3) if code] == [
        int(line.split(":")[1]) for line in told
    ], done
    for line, code in zip(told, filter(None, CALLS.values()), strict=True):
        assert f"[{code}]" in line
