"""How well a segmentation agrees with others of the same image. Label values are names: only who is together counts.

Everything is computed from contingency tables n_ij, pixels with label i here and j there, N = Σ n_ij. Definitions are
those of the Berkeley benchmark (Arbeláez, Maire, Fowlkes & Malik 2011; Yang, Wright, Ma & Sastry 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import NamedRecord

Counts = NDArray[np.float64]
#: Intersection over union from which on two objects are one (Caicedo et al. 2019, Nature Methods 16).
SAME_OBJECT = 0.5
#: Cells up to which labels are matched on the full table; beyond, on the pairs that occur (16 million cells: .13 GB).
DENSE = 1 << 24
MOST_CELLS = 10_000  # of a confusion matrix that is shown: a hundred labels by a hundred


class Contingency(NamedRecord):
    """n_ij of two label maps, for the pairs of labels that occur. Maps of 20,000 objects have few of 400 million pairs.

    Attributes
    ----------
    names, others : ndarray, shapes (R,) and (C,)
        Labels here and there, sorted.
    row, column : ndarray of int, shape (P,)
        Which of them make up a pair.
    pixels : ndarray, shape (P,)
        n_ij.
    here, there : ndarray, shapes (R,) and (C,)
        Pixels of each label.
    """

    names: NDArray[Any]
    others: NDArray[Any]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    pixels: Counts
    here: Counts
    there: Counts

    @property
    def total(self) -> float:
        """N."""
        return float(self.pixels.sum())

    @property
    def overlap(self) -> Counts:
        """Intersection over union of each pair, shape (P,)."""
        return self.pixels / (self.here[self.row] + self.there[self.column] - self.pixels)

    def table(self) -> Counts:
        """n_ij in full, shape (R, C)."""
        full = np.zeros((self.here.size, self.there.size))
        full[self.row, self.column] = self.pixels
        return full


def contingency(labels: NDArray[Any], truth: NDArray[Any]) -> Contingency:
    """n_ij of two label maps of one shape; a row for each label, a column for each true one."""
    names, rows = np.unique(labels, return_inverse=True)
    others, columns = np.unique(truth, return_inverse=True)
    code, count = np.unique(rows.ravel().astype(np.int64) * len(others) + columns.ravel(), return_counts=True)
    row, column = np.divmod(code, len(others))
    n = count.astype(np.float64)
    here, there = np.zeros(len(names)), np.zeros(len(others))
    np.add.at(here, row, n)
    np.add.at(there, column, n)
    return Contingency(names, others, row, column, n, here, there)


def rand_index(n: Contingency) -> float:
    """Share of pixel pairs on which both agree, whether they are together or apart (Rand 1971)."""
    if n.total < 2:
        return 1.0
    apart = (n.here**2).sum() / 2 + (n.there**2).sum() / 2 - (n.pixels**2).sum()
    return float(1 - apart / (n.total * (n.total - 1) / 2))


def adjusted_rand(n: Contingency) -> float:
    """Rand index less its expectation for random labels, over the largest such value (Hubert & Arabie 1985)."""
    both, here, there = (float((m * (m - 1)).sum()) / 2 for m in (n.pixels, n.here, n.there))
    possible = n.total * (n.total - 1) / 2
    expected = here * there / possible if possible else 0.0
    largest = (here + there) / 2
    return 1.0 if largest == expected else (both - expected) / (largest - expected)


def variation_of_information(n: Contingency) -> float:
    """H(labels | truth) + H(truth | labels) in bits (Meilă 2005); 0 is agreement."""
    return max(0.0, 2 * _entropy(n.pixels) - _entropy(n.here) - _entropy(n.there))


def _entropy(count: Counts) -> float:
    p = count[count > 0] / count.sum()
    return float(-(p * np.log2(p)).sum())


def overlaps(n: Contingency) -> tuple[Counts, Counts]:
    """Area of every true region, and its largest intersection over union with a region of the labels."""
    best = np.zeros(n.there.size)
    np.maximum.at(best, n.column, n.overlap)
    return n.there, best


def consistency_error(n: Contingency) -> float:
    """Global consistency error (Martin et al. 2001): 0 where one is a refinement of the other."""
    here, there = n.here[n.row], n.there[n.column]
    return float(min((n.pixels * (side - n.pixels) / side).sum() for side in (here, there)) / n.total)


class Matching(NamedRecord):
    """How well labels agree that are matched one to one, so that most pixels have matched labels.

    Attributes
    ----------
    error : float
        Share of pixels that disagree.
    dice, jaccard : float
        Means over true regions of 2 |A ∩ B| / (|A| + |B|) and |A ∩ B| / |A ∪ B|; 0 for those without a partner.
    """

    error: float
    dice: float
    jaccard: float


def matched(n: Contingency) -> Matching:
    """Match labels one to one, so that most pixels agree (Kuhn 1955)."""
    pairs = _pairs_in_full(n) if n.here.size * n.there.size <= DENSE else _pairs_that_occur(n)
    both, sizes = n.pixels[pairs], n.here[n.row[pairs]] + n.there[n.column[pairs]]
    dice, jaccard = (float(share.sum() / n.there.size) for share in (2 * both / sizes, both / (sizes - both)))
    return Matching(float(1 - both.sum() / n.total), dice, jaccard)


def _pairs_in_full(n: Contingency) -> NDArray[np.int64]:
    """Which pairs are matched."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-n.table())
    return np.flatnonzero(np.isin(n.row * n.there.size + n.column, rows * n.there.size + columns))


def _pairs_that_occur(n: Contingency) -> NDArray[np.int64]:
    """Which pairs are matched, without the full table: a row may also take a partner of its own, worth nothing."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    size, own = n.here.size, np.arange(n.here.size)
    worth = np.concatenate([n.pixels + 1, np.ones(size)])  # 0 would be no pair
    places = np.concatenate([n.row, own]), np.concatenate([n.column, n.there.size + own])
    graph = coo_array((worth, places), shape=(size, n.there.size + size)).tocsr()
    rows, columns = min_weight_full_bipartite_matching(graph, maximize=True)
    return np.flatnonzero(np.isin(n.row * (n.there.size + size) + n.column, rows * (n.there.size + size) + columns))


def object_f1(n: Contingency) -> float:
    """F1 of objects, the labels but 0: found is what overlaps a true one by more than half (Caicedo et al. 2019)."""
    mine, theirs = n.names != 0, n.others != 0
    found = mine[n.row] & theirs[n.column] & (n.overlap > SAME_OBJECT)
    total = int(mine.sum() + theirs.sum())
    return float(2 * found.sum() / total) if total else 1.0


def compared(
    labels: NDArray[Any], truths: Sequence[NDArray[Any]], ignore: int | None = None
) -> tuple[Contingency, ...]:
    """A label map against each of several truths, without the pixels whose true label is `ignore`.

    Parameters
    ----------
    labels : ndarray of int, shape (H, W)
    truths : sequence of ndarray of int, shape (H, W)
    ignore : int, optional
    """
    kept = [np.ones(truth.shape, np.bool_) if ignore is None else truth != ignore for truth in truths]
    return tuple(contingency(labels[keep], truth[keep]) for keep, truth in zip(kept, truths, strict=True))


def mean_scores(tables: Sequence[Contingency]) -> dict[str, float]:
    """All scores, against one or several truths.

    Covering is weighted by area over the regions of all truths; the others are means over truths.
    """
    found: dict[str, list[float]] = {}
    for n in tables:
        error, dice, jaccard = matched(n)
        values = {
            "rand": rand_index(n),
            "adjusted_rand": adjusted_rand(n),
            "voi": variation_of_information(n),
            "gce": consistency_error(n),
            "dice": dice,
            "jaccard": jaccard,
            "object_f1": object_f1(n),
            "error": error,
        }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    weight, overlap = (np.concatenate(parts) for parts in zip(*map(overlaps, tables), strict=True))
    means = {name: float(sum(values) / len(values)) for name, values in found.items()}
    return {"covering": float((weight * overlap).sum() / weight.sum()), "pri": means["rand"], **means}


def score(labels: NDArray[Any], truths: Sequence[NDArray[Any]], ignore: int | None = None) -> dict[str, float]:
    """All scores of a label map; parameters as `compared` has them."""
    return mean_scores(compared(labels, truths, ignore))


def confusion(n: Contingency) -> dict[str, Any] | None:
    """The pixels of each pair of labels: `labels` by row, `truth` by column, `counts`; None if there are too many."""
    if n.here.size * n.there.size > MOST_CELLS:
        return None
    return {"labels": n.names.tolist(), "truth": n.others.tolist(), "counts": n.table().astype(np.int64).tolist()}
