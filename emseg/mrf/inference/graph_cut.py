"""α-expansion (Boykov, Veksler & Zabih 2001): low energy by minimum cuts.

In one move every pixel keeps its label or takes α; the best such move is the minimum cut of a graph with a node for
each pixel. With x_i = 1 for taking α, the energy of a pair is A x̄_i x̄_j + B x̄_i x_j + C x_i x̄_j, where
A = w[z_i ≠ z_j], B = w[z_i ≠ α], C = w[z_j ≠ α] (Kolmogorov & Zabih 2004). Moves are made until no α
lowers the energy, which is then within twice the lowest. Cuts are PyMaxflow's where it is installed (extra `graphcut`).
SciPy's take about six times as long, 3 s for 65,000 pixels of noise in four classes. They work on integers, so energies
are rounded to 1/1000 or, on large images, a little more.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from emseg.mrf.inference import icm
from emseg.mrf.inference.label_field import LabelField, visit_conditionals
from emseg.mrf.inference.protocol import Visit
from emseg.mrf.inference.schedule import Schedule
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import Labels, Real, Votes
from emseg.records import record

CYCLES = 10  # rounds over all α, at most; three are the rule
FINEST = 1000.0  # SciPy's integers for an energy of 1 nat, at most
LARGEST = 2.0**30  # flow that SciPy's integers of 32 bits hold, with a factor of 2 to spare
Array = NDArray[np.float64]
Indices = NDArray[np.int32]


class GraphCut(LabelField):
    """Nearly the lowest energy; statistics are of the probabilities given the neighbours' labels."""

    name: ClassVar[str] = "graph-cut"
    # On 48 Potts images 5.14 % of the labels are wrong with this schedule; each iteration ends at nearly the optimum.
    schedule: ClassVar[Schedule] = Schedule(iterations=5, hold=5, sweeps=1, answer=1)
    monotone: ClassVar[bool] = False
    largest_whole: ClassVar[int] = 500_000
    labels_large: ClassVar[str] = "graph-cut"
    extra_bytes: ClassVar[int] = 450  # nodes and edges: 580 were measured where others take 200

    def _sweep(self, log_f: Real, beta: float, rng: np.random.Generator, visit: Visit | None) -> None:
        expand(self.lattice, self.labels, log_f, beta)
        if visit:
            visit_conditionals(self.lattice, self.labels, log_f, beta, visit, self.votes)


@record(frozen=True, eq=False)
class Pairs:
    """Neighbours i < j among the N sites, each pair once, and w_ij; shape (E,)."""

    i: Indices
    j: Indices
    w: Array


def pairs(lattice: Lattice) -> Pairs:
    """All pairs of neighbours; sites are numbered phase by phase."""
    number = np.full(lattice.inside.shape, -1, np.int32)
    number[lattice.inside] = np.arange(lattice.n_sites)
    around = lattice.with_halo(number, -1)
    found: list[tuple[Indices, Indices, Array]] = []
    for s, row in enumerate(lattice.couplings):
        for coupling in row:
            first = lattice.halo + coupling.shift
            there = around[coupling.phase, first : first + lattice.cells]
            once = np.flatnonzero((number[s] >= 0) & (there > number[s]))
            edge = np.ones(once.size) if coupling.factors is None else coupling.factors[once].astype(np.float64)
            found.append((number[s][once], there[once], coupling.weight * edge))
    i, j, w = (np.concatenate([part[n] for part in found]) for n in range(3))
    return Pairs(i, j, w)


def expand(lattice: Lattice, labels: Labels, log_f: Real, beta: float, cycles: int = CYCLES) -> None:
    """Lower the energy of labels with a halo, in place: to a minimum of ICM first, then by expansions.

    Parameters
    ----------
    lattice : Lattice
    labels : ndarray of uint8, shape (S, halo + M + halo)
    log_f : ndarray of float32, shape (S, K, M)
    beta : float
    cycles : int
        Most rounds over all α.
    """
    votes = Votes(lattice, log_f.shape[1])
    while icm.sweep(lattice, labels, log_f, beta, votes):
        pass
    edges, inside, own = pairs(lattice), lattice.inside, lattice.core(labels)
    z, cost = own[inside].astype(np.intp), -log_f.transpose(0, 2, 1)[inside].astype(np.float64)
    own[inside] = lowest(cost, edges, beta, z, cycles)


def lowest(cost: Array, edges: Pairs, beta: float, z: NDArray[np.intp], cycles: int = CYCLES) -> NDArray[np.intp]:
    """Labels of lower energy by expansions, until none lowers it; of two labels, the lowest after the first.

    Parameters
    ----------
    cost : ndarray, shape (N, K)
        What each label costs at each site, in nats.
    edges : Pairs
    beta : float
    z : ndarray of int, shape (N,)
        Labels to start from, 0…K-1.
    cycles : int
        Most rounds over all α.
    """
    k, cut = cost.shape[1], _cut()
    if k == 2:  # to give up the one label for the other, or not, are all labellings there are
        z = np.zeros_like(z)
        return _move(cut, cost, edges, beta, z, 1).astype(np.intp)
    energy, left = _energy(cost, edges, beta, z), k
    for turn in range(cycles * k):
        if left == 0:
            break
        alpha = turn % k
        moved = np.where(_move(cut, cost, edges, beta, z, alpha), alpha, z)
        lower = _energy(cost, edges, beta, moved)
        improved = lower < energy - 1e-9 * abs(energy)
        left = k - 1 if improved else left - 1
        if improved:
            z, energy = moved, lower
    return z


def _energy(cost: Array, edges: Pairs, beta: float, z: NDArray[np.intp]) -> float:
    return float(cost[np.arange(z.size), z].sum() + beta * edges.w @ (z[edges.i] != z[edges.j]))


def _move(cut: Any, cost: Array, edges: Pairs, beta: float, z: NDArray[np.intp], alpha: int) -> NDArray[np.bool_]:
    """Which sites take α in the best expansion."""
    w, zi, zj = beta * edges.w, z[edges.i], z[edges.j]
    a, b, c = w * (zi != zj), w * (zi != alpha), w * (zj != alpha)
    # A x̄_i x̄_j + B x̄_i x_j + C x_i x̄_j = A + (C - A) x_i - C x_j + (B + C - A) x̄_i x_j
    n = z.size
    gain = cost[:, alpha] - cost[np.arange(n), z]
    gain += np.bincount(edges.i, c - a, n) - np.bincount(edges.j, c, n)
    found: NDArray[np.bool_] = cut(gain, edges.i, edges.j, b + c - a)
    return found


def _cut() -> Any:
    """x that minimises Σ g_i x_i + Σ c_ij x̄_i x_j, as a function of g, i, j, c."""
    try:
        import maxflow
    except ImportError:
        return _scipy_cut

    def cut(gain: Array, i: Indices, j: Indices, capacity: Array) -> NDArray[np.bool_]:
        graph = maxflow.GraphFloat(gain.size, i.size)
        nodes = graph.add_nodes(gain.size)
        graph.add_grid_tedges(nodes, np.maximum(gain, 0), np.maximum(-gain, 0))
        graph.add_edges(i, j, capacity, np.zeros_like(capacity))
        graph.maxflow()
        return np.asarray(graph.get_grid_segments(nodes), np.bool_)

    return cut


def _scipy_cut(gain: Array, i: Indices, j: Indices, capacity: Array) -> NDArray[np.bool_]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    n = gain.size
    source, sink = n, n + 1
    most = max(float(np.minimum(np.maximum(gain, 0).sum(), np.maximum(-gain, 0).sum())), float(np.abs(gain).max()), 1.0)
    unit = min(FINEST, LARGEST / most)
    up, down = np.flatnonzero(gain > 0), np.flatnonzero(gain < 0)
    tails = np.concatenate([np.full(up.size, source), down, i], dtype=np.int32)  # SciPy before 1.14 takes no other
    heads = np.concatenate([up, np.full(down.size, sink), j], dtype=np.int32)
    flows = np.rint(unit * np.concatenate([gain[up], -gain[down], capacity])).astype(np.int32)
    graph = csr_array((flows, (tails, heads)), shape=(n + 2, n + 2), dtype=np.int32)
    graph.sum_duplicates()
    rest = graph - maximum_flow(graph, source, sink).flow
    rest.data = np.maximum(rest.data, 0)
    rest.eliminate_zeros()
    kept = np.zeros(n + 2, np.bool_)
    kept[breadth_first_order(rest, source, return_predecessors=False)] = True
    return ~kept[:n]
