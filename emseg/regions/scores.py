"""How well a segmentation agrees with others of the same image. Label values are names: only who is together counts.

Everything is computed from contingency tables n_ij, pixels with label i here and j there, N = Σ n_ij. Definitions are
those of the Berkeley benchmark (Arbeláez, Maire, Fowlkes & Malik 2011; Yang, Wright, Ma & Sastry 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


def contingency(labels: NDArray[Any], truth: NDArray[Any]) -> Table:
    """n_ij of two label maps of one shape; a row for each label, a column for each true one."""
    names, rows = np.unique(labels, return_inverse=True)
    others, columns = np.unique(truth, return_inverse=True)
    pairs = rows.ravel().astype(np.int64) * len(others) + columns.ravel()
    return np.bincount(pairs, minlength=len(names) * len(others)).reshape(len(names), len(others)).astype(np.float64)


def rand_index(n: Table) -> float:
    """Share of pixel pairs on which both agree, whether they are together or apart (Rand 1971)."""
    total = n.sum()
    if total < 2:
        return 1.0
    apart = (n.sum(1) ** 2).sum() / 2 + (n.sum(0) ** 2).sum() / 2 - (n * n).sum()
    return float(1 - apart / (total * (total - 1) / 2))


def adjusted_rand(n: Table) -> float:
    """Rand index less its expectation for random labels, over the largest such value (Hubert & Arabie 1985)."""
    pairs = [float((m * (m - 1)).sum()) / 2 for m in (n, n.sum(1), n.sum(0), n.sum())]
    both, here, there, possible = pairs
    expected = here * there / possible if possible else 0.0
    largest = (here + there) / 2
    return 1.0 if largest == expected else (both - expected) / (largest - expected)


def variation_of_information(n: Table) -> float:
    """H(labels | truth) + H(truth | labels) in bits (Meilă 2005); 0 is agreement."""
    p = n / n.sum()
    return max(0.0, 2 * _entropy(p.ravel()) - _entropy(p.sum(1)) - _entropy(p.sum(0)))


def _entropy(p: Table) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def overlaps(n: Table) -> tuple[Table, Table]:
    """Area of every true region, and its largest intersection over union with a region of the labels."""
    here, there = n.sum(1, keepdims=True), n.sum(0, keepdims=True)
    return there.ravel(), (n / (here + there - n)).max(0)


def consistency_error(n: Table) -> float:
    """Global consistency error (Martin et al. 2001): 0 where one is a refinement of the other."""
    here, there = n.sum(1, keepdims=True), n.sum(0, keepdims=True)
    finer = (n * (here - n) / np.maximum(here, 1)).sum(), (n * (there - n) / np.maximum(there, 1)).sum()
    return float(min(finer) / n.sum())


def matched(n: Table) -> tuple[float, float]:
    """Error and Dice under the one-to-one matching of labels with which most pixels agree.

    Returns
    -------
    error : float
        Share of pixels that then disagree.
    dice : float
        Mean over true regions of 2 |A ∩ B| / (|A| + |B|); 0 for those without a partner.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-n)
    both = n[rows, columns]
    sizes = n.sum(1)[rows] + n.sum(0)[columns]
    return float(1 - both.sum() / n.sum()), float((2 * both / sizes).sum() / n.shape[1])


def score(labels: NDArray[Any], truths: Sequence[NDArray[Any]], ignore: int | None = None) -> dict[str, float]:
    """All scores, against one or several truths.

    Covering is weighted by area over the regions of all truths; the others are means over truths.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W)
    truths : sequence of ndarray of int, shape (H, W)
    ignore : int, optional
        True label of pixels to leave out.
    """
    found: dict[str, list[float]] = {}
    areas, best = [], []
    for truth in truths:
        keep = np.ones(truth.shape, np.bool_) if ignore is None else truth != ignore
        n = contingency(labels[keep], truth[keep])
        area, overlap = overlaps(n)
        areas.append(area)
        best.append(overlap)
        error, dice = matched(n)
        values = {
            "rand": rand_index(n),
            "adjusted_rand": adjusted_rand(n),
            "voi": variation_of_information(n),
            "gce": consistency_error(n),
            "dice": dice,
            "error": error,
        }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    weight, overlap = np.concatenate(areas), np.concatenate(best)
    means = {name: float(sum(values) / len(values)) for name, values in found.items()}
    return {"covering": float((weight * overlap).sum() / weight.sum()), "pri": means["rand"], **means}
