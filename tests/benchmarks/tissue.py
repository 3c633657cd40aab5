"""Tissues of a head in 3-D: error, Dice and CPU time of whole processes, beside dipy, ANTs and scikit-learn.

The head is `brain.py`'s, under Rician noise, with and without a bias field, and with thick slices. Peers whose setting
has to be chosen run with several, and the best one is shown, found with the truth; emseg runs with one command line for
all images. Peers that are not installed are left out (pip install dipy antspyx); EMSEG_PEERS names a Python that has
them, if it is not this one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import emseg
from tests.benchmarks import phantoms
from tests.benchmarks.brain import KINDS, Kind, brain
from tests.benchmarks.measure import BenchmarkError, Run, python, run
from tests.benchmarks.report import Report, Row, Table

THREADS = {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
PEERS: dict[str, list[list[str]]] = {
    "scikit-learn": [["sklearn"]],
    "dipy": [["dipy", f"beta={beta}"] for beta in (0.1, 0.3, 0.5)],
    "ANTs Atropos": [["atropos", f"beta={beta}"] for beta in (0.1, 0.2, 0.5)],
}
OURS = {
    "emseg": ["emseg"],
    "--mrf auto": ["emseg", "mrf=auto"],
    "--partial-volume": ["emseg", "partial_volume=True"],
    "--mrf auto --partial-volume": ["emseg", "mrf=auto", "partial_volume=True"],
    "--mrf auto --partial-volume --bias-field": ["emseg", "mrf=auto", "partial_volume=True", "bias_field=True"],
}
BIG = Kind((90, 102, 82))  # 0.75 million voxels


def _labelled(arguments: list[str], folder: Path) -> tuple[np.ndarray, Run]:
    """Labels of the volume in a folder, and what the process used."""
    method, *settings = arguments
    command = python("peer_tissue", method, folder / "volume.npz", folder / "labels.npy", *settings)
    if method != "emseg":
        command[0] = os.environ.get("EMSEG_PEERS", command[0])
    done = run(command, THREADS)
    return np.load(folder / "labels.npy"), done


def _scored(arguments: list[str], folder: Path, truth: np.ndarray) -> tuple[float, float, float]:
    """Error in %, Dice, and CPU seconds; labels as they come, darkest first."""
    labels, done = _labelled(arguments, folder)
    inside = truth > 0
    scores = emseg.evaluate(labels[inside][None], [truth[inside][None]])["scores"]
    return 100 * float((labels[inside] != truth[inside]).mean()), float(scores["dice"]), done.cpu


def _best(settings: list[list[str]], folder: Path, truth: np.ndarray) -> tuple[float, float, float, str]:
    """The setting with the smallest error, and what it is."""
    found = [(*_scored(arguments, folder, truth), " ".join(arguments[1:])) for arguments in settings]
    return min(found)


def _saved(kind: Kind, folder: Path, seed: int = 0) -> np.ndarray:
    image, truth, _ = brain(kind, seed)
    np.savez(folder / "volume.npz", image=image, mask=truth > 0, spacing=np.array([float(kind.thickness), 1, 1]))
    return truth


def _kind(name: str, kind: Kind, folder: Path) -> tuple[Table, dict[str, float], dict[str, float]]:
    """All methods on one image: the table, our errors, and the peers' errors."""
    truth = _saved(kind, folder)
    lines, ours, peers = [], {}, {}
    for peer, settings in PEERS.items():
        try:
            error, dice, cpu, setting = _best(settings, folder, truth)
        except BenchmarkError as failure:
            print(f"{peer}: {failure}", file=sys.stderr, flush=True)
            continue
        peers[peer] = error
        lines.append((f"{peer} {setting}".strip(), f"{error:.2f}", f"{dice:.4f}", f"{cpu:.1f}"))
    for options, arguments in OURS.items():
        ours[options], dice, cpu = _scored(arguments, folder, truth)
        lines.append((options, f"{ours[options]:.2f}", f"{dice:.4f}", f"{cpu:.1f}"))
    return Table(f"Head, {name}:", ("method", "error %", "Dice", "CPU s"), lines), ours, peers


def _speed(folder: Path) -> list[Row]:
    """CPU of dipy over ours, whole processes: a noisy Potts image of 1 megapixel, and a head of 0.75 M voxels.

    Of the head, what is outside is the fourth class on both sides.
    """
    z = np.kron(phantoms.labels("potts4", 0), np.ones((8, 8), int))
    picture = phantoms.noisy(z, 1.5, 0)[:, :, None]
    np.savez(folder / "volume.npz", image=picture, mask=np.ones(picture.shape, bool), spacing=np.ones(3))
    rows = [_ratio("1 MP, k = 4, noisy Potts image, CPU of dipy over --mrf mean-field", z[None], folder, 20)]
    truth = _saved(BIG, folder)
    rows.append(_ratio("0.75 M voxels of a head, k = 4, the same", truth, folder, None))
    return rows


def _ratio(what: str, truth: np.ndarray, folder: Path, target: float | None) -> Row:
    labels, ours = _labelled(["emseg", "k=4", "mrf=mean-field"], folder)
    error = _error(labels, truth)
    wanted = "–" if target is None else f"≥ {target:g}×, error no higher"
    try:
        theirs, peer = _labelled(["dipy", "whole=True"], folder)
    except BenchmarkError:
        return Row(what, f"{ours.cpu:.1f} s, error {error:.2f} %; dipy is not installed", wanted, None)
    other, ratio = _error(theirs, truth), peer.cpu / ours.cpu
    seen = f"{ratio:.1f}× ({peer.cpu:.1f} s / {ours.cpu:.1f} s), error {error:.2f} % against {other:.2f} %"
    return Row(what, seen, wanted, None if target is None else ratio >= target and error <= other)


def _error(labels: np.ndarray, truth: np.ndarray) -> float:
    """Wrong pixels in %, labels matched one to one."""
    flat = labels.reshape(1, -1)
    return 100 * float(emseg.evaluate(flat + 1, [truth.reshape(1, -1) + 1])["scores"]["error"])


def measure(quick: bool) -> Report:
    """All kinds of images; quick: the first alone."""
    tables, rows = [], []
    with tempfile.TemporaryDirectory() as name:
        folder, best = Path(name), "--mrf auto --partial-volume"
        for kind in list(KINDS)[: 1 if quick else None]:
            table, ours, peers = _kind(kind, KINDS[kind], folder)
            tables.append(table)
            error = ours[f"{best} --bias-field"] if KINDS[kind].bias else ours[best]
            if kind == next(iter(KINDS)):
                rows.append(Row.at_most(f"head, {kind}, error, {best}", [error], 8.0, " %"))
            if peers:
                rows.append(
                    Row.at_most(
                        f"head, {kind}, error over that of the best peer", [error / min(peers.values())], 1, "×"
                    )
                )
        rows += _speed(folder)
    return Report(rows, tables)
