"""Fields: error on noisy Potts images and shapes, β against the best fixed one, and CPU time.

With a folder ``../shared/data`` beside the repository also: surfaces under changing light, and textures.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import PIL.Image

import emseg
from tests.benchmarks import phantoms
from tests.benchmarks.images import image
from tests.benchmarks.measure import ROOT, python, run
from tests.benchmarks.report import Report, Row, Table

SEEDS = (0, 1, 2)
STRENGTHS = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
DATA = ROOT.parent / "shared" / "data"
Case = tuple[str, float, np.ndarray, np.ndarray]


def cases(seeds: tuple[int, ...]) -> list[Case]:
    """Field, ratio, labels and image of all synthetic images."""
    fields = {(name, seed): phantoms.labels(name, seed) for name in phantoms.FIELDS for seed in seeds}
    return [
        (name, ratio, z, phantoms.noisy(z, ratio, seed))
        for (name, seed), z in fields.items()
        for ratio in phantoms.RATIOS
    ]


def errors(images: list[Case], **how: object) -> tuple[dict[tuple[str, float], float], float]:
    """Mean error in % by field and ratio, labels matched one to one, and CPU seconds an image."""
    found: dict[tuple[str, float], list[float]] = {}
    begin = time.process_time()
    for name, ratio, z, picture in images:
        labels = emseg.segment(picture, k=phantoms.FIELDS[name][0], **how).labels
        found.setdefault((name, ratio), []).append(100 * emseg.evaluate(labels, [z])["scores"]["error"])
    seconds = (time.process_time() - begin) / len(images)
    return {key: float(np.mean(values)) for key, values in found.items()}, seconds


def potts(quick: bool) -> Report:
    """Every method, and --beta auto against fixed ones."""
    images = cases(SEEDS[:1] if quick else SEEDS)
    lines, by_method = [], {}
    for method in ("none", "auto", "mean-field", "graph-cut", "icm"):
        found, seconds = errors(images, mrf=method)
        by_method[method] = found
        cells = [f"{np.mean([found[name, r] for r in phantoms.RATIOS]):.2f}" for name in phantoms.FIELDS]
        lines.append((method, *cells, f"{np.mean(list(found.values())):.2f}", f"{seconds:.2f}"))
    fixed = {beta: errors(images, mrf="auto", beta=beta)[0] for beta in (STRENGTHS[::2] if quick else STRENGTHS)}
    worse = []
    for name in list(phantoms.FIELDS)[:3]:
        best = min(np.mean([found[name, r] for r in phantoms.RATIOS]) for found in fixed.values())
        worse.append(100 * (np.mean([by_method["auto"][name, r] for r in phantoms.RATIOS]) / best - 1))
    auto, mean_field = (float(np.mean(list(by_method[m].values()))) for m in ("auto", "mean-field"))
    rows = [
        Row.at_most("Potts and shape images, error, --mrf auto", [auto], 5.1, " %"),
        Row.at_most("the same with --mrf mean-field", [mean_field], 5.6, " %"),
        Row.at_most("shapes4 at ratio 1.5, --mrf auto", [by_method["auto"]["shapes4", 1.5]], 1.7, " %"),
        Row.at_most("--beta auto over the best fixed β, by Potts field", worse, 10, " %"),
    ]
    head = ("--mrf", *phantoms.FIELDS, "mean", "CPU s")
    return Report(rows, [Table(f"Error in % on {len(images)} images of 128²:", head, lines)])


def photographs() -> Report:
    """Surfaces under changing light, and textures, where the data are there."""
    if not DATA.is_dir():
        return Report([Row("surfaces and textures", "needs ../shared/data", "", None)])
    found = []
    for path in sorted((DATA / "colorseg" / "gt").glob("*.npz")):
        (picture,) = (p for p in (DATA / "colorseg" / "images").iterdir() if p.stem == path.stem)
        result = emseg.segment(picture, k="auto", features="chroma", regions="auto")
        found.append(emseg.evaluate(result.regions.ids, [path], 0)["scores"]["covering"])
    wrong = []
    for path in sorted((DATA / "textures" / "gt").glob("*.npz")):
        k = np.unique(np.load(path)["segs"]).size
        labels = emseg.segment(DATA / "textures" / "images" / f"{path.stem}.png", k=k, features="texture").labels
        wrong.append(100 * emseg.evaluate(labels, [path])["scores"]["error"])
    covering = float(np.mean(found))
    return Report(
        [
            Row("covering of surfaces under changing light", f"{covering:.3f}", "≥ 0.75", covering >= 0.75),
            Row.at_most("textures, mean error", [float(np.mean(wrong))], 12, " %"),
        ]
    )


def speed(quick: bool) -> Report:
    """CPU time and memory of whole processes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        noisy = Path(folder) / "noisy.png"
        z = np.kron(phantoms.labels("potts4", 0), np.ones((8, 8), int))
        PIL.Image.fromarray(phantoms.noisy(z, 1.5, 0)).save(noisy)
        jobs = [
            ("1 MP, k = 4, gibbs, 230 sweeps", noisy, "gibbs", 10.0),
            ("1 MP, k = 4, mean-field", noisy, "mean-field", None),
        ]
        if not quick:
            jobs.append(("12 MP photograph, k = 4, auto", image("astronaut", 12), "auto", 15.0))
        for what, path, method, target in jobs:
            done = run([*python("emseg", "segment", path, "-k", 4, "-o", folder, "--overwrite"), "--mrf", method])
            measured = f"{done.cpu:.1f} s, {done.peak:.0f} MB"
            rows.append(
                Row(what, measured, f"≤ {target:g} s" if target else "–", done.cpu <= target if target else None)
            )
    return Report(rows)


def measure(quick: bool) -> Report:
    """All of it; quick: one seed, fewer strengths, no 12 MP."""
    parts = [potts(quick), photographs(), speed(quick)]
    return Report([row for part in parts for row in part.targets], [table for part in parts for table in part.details])
