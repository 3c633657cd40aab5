"""Connected components of a label map, and how they merge on their adjacency graph.

Let regions a and b have n pixels and mean m each. If pixels were independent and normal with a common covariance W,
one mean for both would lose ½ n_a n_b / (n_a + n_b) |m_a - m_b|² of log-likelihood, with distances in units of W. By
this likelihood ratio a region chooses the neighbour that it resembles most.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.records import record

Array = NDArray[np.float64]
Ids = NDArray[np.intp]
#: Pixels from which on evidence does not grow with the size of regions, since pixels are not independent. Chosen on 24
#: photographs of BSDS500.
LARGEST = 3000.0


@record(frozen=True, eq=False)
class Graph:
    """R regions and the pairs that touch.

    Attributes
    ----------
    n : ndarray, shape (R,)
        Pixels.
    sums : ndarray, shape (R, D)
        Of the pixels' values, in units in which a class has unit covariance.
    a, b : ndarray of int, shape (E,)
        a < b, each pair once.
    """

    n: Array
    sums: Array
    a: Ids
    b: Ids

    def merged(self, names: Ids) -> Graph:
        """The graph after region i has become part of region names[i]; names are 0…max."""
        count = int(names.max()) + 1 if names.size else 0
        n = np.bincount(names, self.n, count).astype(np.float64)
        columns = [np.bincount(names, column, count) for column in self.sums.T]
        return Graph(n, np.stack(columns, axis=1).astype(np.float64), *_pairs(names[self.a], names[self.b], count))

    def cost(self) -> Array:
        """The likelihood ratio of every pair, in nats."""
        means = self.sums / self.n[:, None]
        n_a, n_b = self.n[self.a], self.n[self.b]
        squares: Array = ((means[self.a] - means[self.b]) ** 2).sum(1)
        return 0.5 * squares * n_a * n_b / (n_a + n_b)


def components(labels: NDArray[Any]) -> NDArray[np.int32]:
    """Number 1…R the connected parts of equal labels, pixels that share a side; 0 stays 0."""
    from skimage.measure import label

    number: Any = label
    return np.asarray(number(labels, background=0, connectivity=1), np.int32)


def adjacency_graph(ids: NDArray[np.int32], values: NDArray[np.floating]) -> Graph:
    """The adjacency graph of components, for values (D, *shape) of the pixels.

    Region r of the graph has the id r + 1.
    """
    count = int(ids.max(initial=0))
    flat = ids.ravel()
    n = np.bincount(flat, minlength=count + 1)[1:].astype(np.float64)
    sums = np.stack([np.bincount(flat, plane.ravel(), count + 1)[1:] for plane in values], axis=1).astype(np.float64)
    ends: list[tuple[Ids, Ids]] = []
    for axis in range(ids.ndim):
        along = np.moveaxis(ids, axis, 0)
        one, other = along[:-1], along[1:]
        touch = (one != other) & (one > 0) & (other > 0)
        ends.append((one[touch].astype(np.intp) - 1, other[touch].astype(np.intp) - 1))
    a, b = (np.concatenate([pair[i] for pair in ends]) for i in range(2))
    return Graph(n, sums, *_pairs(a, b, count))


def absorb_small(regions: Graph, least: int) -> Ids:
    """Merge regions smaller than `least` pixels into the neighbour they resemble most, the smallest first.

    Returns
    -------
    ndarray of int, shape (R,)
        The new number of every region; a small region without neighbours stays.
    """
    names = np.arange(regions.n.size)
    size = 2
    while names.size and size // 2 < least:
        limit = min(size, least)
        while True:
            step = _absorbed(regions, limit)
            if step is None:
                break
            regions, names = regions.merged(step), step[names]
        size *= 2
    return names


def _absorbed(regions: Graph, limit: int) -> Ids | None:
    """One round: every region of less than `limit` pixels goes to its best neighbour; None if there is none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    cost, count = regions.cost(), regions.n.size
    small = regions.n < limit
    source, target = np.concatenate([regions.a, regions.b]), np.concatenate([regions.b, regions.a])
    cost = np.concatenate([cost, cost])
    wanted = small[source]
    if not wanted.any():
        return None
    source, target, cost = source[wanted], target[wanted], cost[wanted]
    order = np.lexsort((target, cost, source))
    first = order[np.unique(source[order], return_index=True)[1]]
    links = coo_array((np.ones(first.size), (source[first], target[first])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.intp)


def merge_alike(regions: Graph, limit: float) -> Ids:
    """Merge the most alike neighbours again and again, until none are more alike than `limit`.

    The cost is |m_a - m_b|² √min(n_a n_b / (n_a + n_b), 3000). It lies between two others: by the likelihood ratio any
    two large regions differ, since pixels are no independent samples; by the distance alone, size would not count.

    Returns
    -------
    ndarray of int, shape (R,)
        The new number of every region.
    """
    n, sums = regions.n.copy(), regions.sums.copy()
    near: list[set[int]] = [set() for _ in n]
    for i, j in zip(regions.a.tolist(), regions.b.tolist(), strict=True):
        near[i].add(j)
        near[j].add(i)
    parent, version = list(range(n.size)), [0] * n.size

    def apart(i: int, j: int) -> float:
        step = sums[i] / n[i] - sums[j] / n[j]
        return float(step @ step * min(n[i] * n[j] / (n[i] + n[j]), LARGEST) ** 0.5)

    heap = [(apart(i, j), i, j, 0, 0) for i in range(n.size) for j in near[i] if i < j]
    heapq.heapify(heap)
    while heap and heap[0][0] <= limit:
        _, i, j, v, w = heapq.heappop(heap)
        if version[i] != v or version[j] != w:
            continue
        parent[j] = i
        n[i] += n[j]
        sums[i] += sums[j]
        version[i] += 1
        version[j] = -1
        near[i] = (near[i] | near[j]) - {i, j}
        for other in near[i]:
            near[other].discard(j)
            near[other].add(i)
            low, high = min(i, other), max(i, other)
            heapq.heappush(heap, (apart(i, other), low, high, version[low], version[high]))
    roots = np.array([_root(parent, i) for i in range(n.size)], np.intp)
    return np.unique(roots, return_inverse=True)[1].reshape(-1)


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _pairs(a: Ids, b: Ids, count: int) -> tuple[Ids, Ids]:
    """Each pair of different regions once, the smaller number first."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    code = np.unique(low[low != high].astype(np.int64) * count + high[low != high])
    return (code // max(count, 1)).astype(np.intp), (code % max(count, 1)).astype(np.intp)
