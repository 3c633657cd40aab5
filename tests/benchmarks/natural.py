"""Photographs with the regions that people drew: covering, PRI and VoI, at one setting for all of them.

The photographs are in a folder given with ``--photos``, somewhere below it the truths: label maps or NumPy files of the
same name, as many as there are annotators. The setting is ``-k auto --regions auto`` and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

import emseg
from emseg.features.kinds.lab import lab
from emseg.regions.graph import absorb_small, adjacency_graph, components
from tests.benchmarks.report import Report, Row, Table

PICTURES, TRUTHS = {".png", ".jpg", ".jpeg"}, {".npy", ".npz"}
SCORES = ("covering", "pri", "voi")
TARGETS = (0.56, 0.80, 1.85)
K, SMALL = 4, 200  # of the mixture, and
SCALE, LEAST = 500, 500  # of the graph-based peer: their best single settings


def ours(path: Path, **how: Any) -> np.ndarray:
    """The regions of one setting."""
    found = emseg.segment(path, k="auto", regions="auto", **how).regions
    assert found is not None
    return found.ids


def mixture(path: Path) -> np.ndarray:
    """scikit-learn's mixture of Gaussians in L*a*b*, connected components of 200 pixels or more."""
    from sklearn.mixture import GaussianMixture

    rgb = _rgb(path)
    x = lab(rgb.reshape(-1, 3).T)
    labels = GaussianMixture(K, random_state=0).fit(x.T[::5]).predict(x.T).reshape(rgb.shape[:2]) + 1
    ids = components(labels)
    names = absorb_small(adjacency_graph(ids, x.reshape(3, *labels.shape)), SMALL)
    return np.asarray(np.concatenate([[0], names + 1])[ids])


def felzenszwalb(path: Path) -> np.ndarray:
    """scikit-image's graph-based segmentation (Felzenszwalb & Huttenlocher 2004)."""
    from skimage.segmentation import felzenszwalb as graph_based

    return np.asarray(graph_based(_rgb(path), scale=SCALE, sigma=0.8, min_size=LEAST)) + 1


METHODS: dict[str, Callable[[Path], np.ndarray]] = {
    "emseg -k auto --regions auto": ours,
    "the same with --mrf mean-field": lambda path: ours(path, mrf="mean-field"),
    f"scikit-learn GMM, k = {K}, components ≥ {SMALL}": mixture,
    f"scikit-image Felzenszwalb, scale {SCALE}, components ≥ {LEAST}": felzenszwalb,
}


def measure(quick: bool, folder: str | None = None) -> Report:
    """All methods on all photographs that have truths; quick: ours alone."""
    pairs = _pairs(Path(folder)) if folder else {}
    if not pairs:
        where = f"no photographs with truths below {folder}" if folder else "not here: give a folder with --photos"
        return Report([Row("natural images, covering / PRI / VoI", where, "", None)])
    lines, first = [], []
    for name, method in list(METHODS.items())[: 1 if quick else None]:
        begin, rows = time.process_time(), []
        for path, truths in pairs.items():
            scores = emseg.evaluate(method(path), truths)["scores"]
            rows.append([scores[score] for score in SCORES])
        seconds = (time.process_time() - begin) / len(pairs)
        means = np.mean(rows, axis=0)
        first = first or means.tolist()
        lines.append((name, *(f"{value:.3f}" for value in means), f"{seconds:.2f}"))
    met = [value <= target if score == "voi" else value >= target for score, value, target in _judged(first)]
    targets = [
        Row(f"natural images, {score}", f"{value:.3f}", f"{'≤' if score == 'voi' else '≥'} {target:g}", fine)
        for (score, value, target), fine in zip(_judged(first), met, strict=True)
    ]
    people = sum(len(truths) for truths in pairs.values()) / len(pairs)
    caption = f"{len(pairs)} photographs, {people:.1f} annotators each; mean scores and CPU seconds:"
    return Report(targets, [Table(caption, ("method", *SCORES, "CPU s"), lines)])


def _judged(values: list[float]) -> list[tuple[str, float, float]]:
    return list(zip(SCORES, values, TARGETS, strict=True))


def _pairs(folder: Path) -> dict[Path, list[np.ndarray]]:
    """Photographs, and what people made of them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {}
    for path in (path for path in files if path.suffix.lower() in PICTURES):
        size = _rgb(path).shape[:2]
        maps = [_maps(other) for other in files if other.stem == path.stem and other.suffix in TRUTHS]
        truths = [truth for stack in maps for truth in stack if truth.shape == size]
        if truths:
            found[path] = truths
    return found


def _maps(path: Path) -> np.ndarray:
    """The label maps of a NumPy file, (A, H, W), numbered from 1."""
    stored = np.load(path)
    array = stored if isinstance(stored, np.ndarray) else stored[stored.files[0]]
    maps = array if array.ndim == 3 else array[None]
    return np.asarray(maps.astype(np.int32) + (maps.min() == 0))


def _rgb(path: Path) -> np.ndarray:
    with PIL.Image.open(path) as stored:
        return np.asarray(stored.convert("RGB"))
