"""A type checker knows the keywords of the Python functions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

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
    "emseg.segment([[1, 2]], 2, scribbles=[[1, 2]], init=emseg.fit([[1.0], [2.0]]))": "",
    "emseg.segment(np.ones((4, 4)), 2, init=emseg.segment(np.ones((4, 4))).model)": "",
    "emseg.segment(PIL.Image.new('L', (4, 4)), 2, mask=PIL.Image.new('1', (4, 4)))": "",
    "emseg.segment(open('a.png', 'rb'), 2, prior_map=3.5 * np.ones((2, 4, 4)))": "",
    'emseg.segment("a.png").save("out", save=["model"], overwrite=True)["outputs"]': "",
    'emseg.segment("a.png").save("out", overwritten=True)': "call-arg",
    "emseg.fit(np.ones((4, 2)), 2, sample_weight=[1, 2, 3, 4], family='student', noise=True)": "",
    "emseg.fit(np.ones((4, 2)), 2, mrf='auto')": "call-arg",
    "emseg.fit(np.ones((4, 2)), seed='one')": "arg-type",
    'emseg.Model.load("m.json").predict("a.png", missing="em", grow=1)': "",
    'emseg.Model.load("m.json").predict("a.png", k=2)': "call-arg",
    'emseg.Model.load("m.json").sample(3, seed=1)[0].shape': "",
    'emseg.evaluate("a.png", "b.png", ignore=0)': "",
    'emseg.evaluate([[1]], [np.ones((1, 1)), np.zeros((1, 1))])["scores"]': "",
    'emseg.apply(emseg.segment("a.png"), "b.png")': "",
    'emseg.apply(3, "b.png")': "arg-type",
    'emseg.compare("a.png", algorithms="em,gem")': "",
}
IMPORTS = ["from pathlib import Path", "import numpy as np, PIL.Image", "import emseg"]


def test_a_type_checker_rejects_wrong_keywords_and_values(tmp_path: Path) -> None:
    """One run for all calls: mypy takes seconds to start."""
    pytest.importorskip("mypy")
    script = tmp_path / "calls.py"
    script.write_text("\n".join([*IMPORTS, *CALLS]) + "\n")
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
    assert [line for line, code in enumerate(CALLS.values(), len(IMPORTS) + 1) if code] == [
        int(line.split(":")[1]) for line in told
    ], done
    for line, code in zip(told, filter(None, CALLS.values()), strict=True):
        assert f"[{code}]" in line
