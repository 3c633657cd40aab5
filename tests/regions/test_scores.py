"""Scores against scikit-learn and scikit-image, by counting pairs, and the files that `evaluate` reads."""

from __future__ import annotations

import importlib.util
import tracemalloc
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import adapted_rand_error, variation_of_information

import emseg
from emseg.errors import DataError, ImageError
from emseg.regions import scores as module
from emseg.regions.scores import confusion, contingency, matched, object_f1, score

pytestmark = pytest.mark.long

NAMES = {"covering", "pri", "rand", "voi", "adjusted_rand", "gce", "dice", "jaccard", "object_f1", "error"}


def pair_of_maps(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, rng.integers(1, 6), (5, 6)), rng.integers(3, 3 + rng.integers(1, 6), (5, 6))


@given(st.integers(0, 9999))
def test_pairs_regions_and_matchings_counted_one_by_one(seed: int) -> None:
    labels, truth = pair_of_maps(seed)
    found = score(labels, [truth])
    a, b = labels.ravel(), truth.ravel()
    agree = [(a[i] == a[j]) == (b[i] == b[j]) for i, j in combinations(range(a.size), 2)]
    assert found["rand"] == pytest.approx(np.mean(agree), abs=1e-12)
    covering = 0.0
    for region in np.unique(b):
        unions = [((a == label) & (b == region)).sum() / ((a == label) | (b == region)).sum() for label in np.unique(a)]
        covering += (b == region).sum() * max(unions)
    assert found["covering"] == pytest.approx(covering / a.size, abs=1e-12)
    rows, columns = list(np.unique(a)), list(np.unique(b))
    best = max(
        sum(((a == row) & (b == column)).sum() for row, column in zip(choice, columns, strict=False))
        for choice in permutations([*rows, *[-1] * len(columns)], len(columns))
    )
    assert found["error"] == pytest.approx(1 - best / a.size, abs=1e-12)
    assert found["voi"] == pytest.approx(sum(variation_of_information(labels, truth)), abs=1e-12)


@given(st.integers(0, 9999))
def test_the_adjusted_rand_index_is_that_of_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    labels, truth = pair_of_maps(seed)
    found = score(labels, [truth])
    assert found["adjusted_rand"] == pytest.approx(
        metrics.adjusted_rand_score(truth.ravel(), labels.ravel()), abs=1e-12
    )
    if len(np.unique(labels)) > 1 and len(np.unique(truth)) > 1:
        assert 0 <= adapted_rand_error(truth, labels)[0] <= 1


@given(st.integers(0, 9999))
def test_the_benchmark_script_gives_the_same(seed: int) -> None:
    script = Path(__file__).parents[2].parent / "shared" / "bench" / "score_labels.py"
    if not script.is_file():
        pytest.skip("needs ../shared/bench/score_labels.py, which is not here")
    spec = importlib.util.spec_from_file_location("score_labels", script)
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    labels, truth = pair_of_maps(seed)
    other = pair_of_maps(seed + 1)[1]
    for ignore in (None, 4):
        if any((plane == 4).all() for plane in (truth, other)):
            continue
        expected = reference.score_one(labels, [truth, other], ignore)
        found = score(labels, [truth, other], ignore)
        for ours, theirs in (("pri", "PRI"), ("voi", "VoI"), ("covering", "Cov"), ("gce", "GCE")):
            assert found[ours] == pytest.approx(expected[theirs], abs=1e-12)


def test_dice_of_a_known_case() -> None:
    labels = np.array([[1, 1, 1, 2]])
    truth = np.array([[7, 7, 8, 8]])
    error, dice, jaccard = matched(contingency(labels, truth))
    assert error == 0.25
    assert dice == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert jaccard == pytest.approx((2 / 3 + 1 / 2) / 2)


@given(st.integers(0, 9999))
def test_matching_of_pairs_that_occur_is_that_of_the_full_table(seed: int) -> None:
    n = contingency(*pair_of_maps(seed))
    full, sparse = n.pixels[module._pairs_in_full(n)], n.pixels[module._pairs_that_occur(n)]
    assert sparse.sum() == full.sum()


def test_twenty_thousand_labels_take_no_full_table() -> None:
    rng = np.random.default_rng(0)
    labels, truth = (rng.permutation(142 * 142).reshape(142, 142) for _ in range(2))
    tracemalloc.start()
    found = emseg.evaluate(labels, truth)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["scores"]["dice"] == found["scores"]["rand"] == 1, "every pixel is a label of its own in both"
    assert found["confusion"] == [None]
    assert peak < 1 << 26  # 64 MB; the full table has 3.3 GB


def test_objects_are_labels_but_0() -> None:
    truth = np.zeros((8, 30), int)
    truth[1:5, 2:8], truth[1:5, 12:18], truth[2:6, 22:28] = 1, 2, 3
    labels = np.zeros_like(truth)
    labels[1:5, 3:8] = 9  # 20 of 24 pixels
    labels[1:5, 12:15] = 4  # half of them
    labels[7, 0] = 5
    assert object_f1(contingency(labels, truth)) == pytest.approx(2 * 1 / (3 + 3))
    assert object_f1(contingency(truth, truth)) == 1
    assert object_f1(contingency(0 * truth, 0 * truth)) == 1
    assert object_f1(contingency(truth * 0, truth)) == 0


def test_confusion() -> None:
    found = confusion(contingency(np.array([1, 1, 4, 4]), np.array([0, 7, 7, 7])))
    assert found == {"labels": [1, 4], "truth": [0, 7], "counts": [[1, 1], [0, 2]]}
    assert confusion(contingency(np.arange(200), np.arange(200))) is None


def test_agreement_is_perfect_whatever_the_names() -> None:
    labels = 1 + np.arange(12).reshape(3, 4) // 5
    found = emseg.evaluate(labels, [9 - labels, labels])["scores"]
    assert set(found) == NAMES
    assert found == {name: float(name not in {"voi", "gce", "error"}) for name in found}


def test_files_of_every_kind(tmp_path: Path) -> None:
    labels = (np.arange(30).reshape(5, 6) // 7).astype(np.uint8)
    truth = (labels > 1).astype(np.uint8)
    expected = emseg.evaluate(labels, [truth, labels])["scores"]
    PIL.Image.fromarray(labels).save(tmp_path / "a.png")
    PIL.Image.fromarray(labels).convert("P").save(tmp_path / "p.png")
    PIL.Image.fromarray(labels.astype(np.uint16)).save(tmp_path / "a.tif")
    np.save(tmp_path / "a.npy", labels)
    np.savez_compressed(tmp_path / "both.npz", segs=np.stack([truth, labels]), other=labels[:2])
    np.save(tmp_path / "b.npy", truth > 0)
    for name in ("a.png", "p.png", "a.tif", "a.npy"):
        found = emseg.evaluate(tmp_path / name, [tmp_path / "both.npz"])
        assert found["scores"] == expected
        assert found["annotators"] == 2
    assert emseg.evaluate(labels, [tmp_path / "b.npy", labels.astype(float)])["scores"] == expected


def test_bad_maps_are_one_line(tmp_path: Path) -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[:2] = 1
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 no archive")
    np.save(tmp_path / "half.npy", labels + 0.5)
    np.savez(tmp_path / "empty.npz")
    for name in ("bad.npz", "half.npy", "empty.npz", "absent.npy"):
        with pytest.raises(ImageError, match=rf"{name}.*; give"):
            emseg.evaluate(labels, [tmp_path / name])
    with pytest.raises(DataError, match="truth 2: 3 × 4 pixels, the labels have 4 × 4"):
        emseg.evaluate(labels, [labels, labels[:, :3]])
    with pytest.raises(DataError, match="holds 2 label maps"):
        emseg.evaluate(np.stack([labels, labels]), [labels])
    with pytest.raises(DataError, match="nothing to compare with"):
        emseg.evaluate(labels, [])
    with pytest.raises(DataError, match="no pixel is left; use another ignore"):
        emseg.evaluate(labels, [np.zeros_like(labels)], ignore=0)
