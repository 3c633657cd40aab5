"""Small lattices, and the plain sums over pixel pairs that tests compare them with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np

from emseg.mrf.lattice import Lattice, build_lattice
from emseg.mrf.potts import haloed_labels

NEAR = {4: 1, 8: 2, 6: 1, 18: 2, 26: 3}


def pairs(
    shape: tuple[int, ...], neighbours: int, spacing: Sequence[float] | None = None, valid: np.ndarray | None = None
) -> dict[tuple[tuple[int, ...], tuple[int, ...]], float]:
    """Every pair of neighbours and its weight, by looking at all pairs of pixels."""
    size = np.ones(len(shape)) if spacing is None else np.array(spacing)
    sites = [site for site in product(*map(range, shape)) if valid is None or valid[site]]
    found = {}
    for a, b in combinations(sites, 2):
        step = np.abs(np.subtract(a, b))
        if step.max() == 1 and step.sum() <= NEAR[neighbours]:
            found[a, b] = 1 / np.linalg.norm(step * size)
    steps = [np.array(s) for s in product((0, 1), repeat=len(shape)) if 0 < sum(s) <= NEAR[neighbours]]
    least = min(np.linalg.norm(step * size) for step in steps)
    return {pair: weight * least for pair, weight in found.items()}


def energy(z: np.ndarray, log_f: np.ndarray, beta: float, near: dict) -> float:
    """E(z) for log-densities (K, *shape), as the sum it is defined by."""
    data = sum(log_f[(label, *site)] for site, label in np.ndenumerate(z) if label < 255)
    return float(-data - beta * sum(w for (a, b), w in near.items() if z[a] == z[b]))


def noise(
    shape: tuple[int, ...], k: int, neighbours: int, rng: np.random.Generator, **how: object
) -> tuple[Lattice, np.ndarray, np.ndarray]:
    """A lattice, log-densities less their largest (K, *shape), and the same by phase (S, K, M)."""
    grid = build_lattice(shape, neighbours, **how)  # type: ignore[arg-type]
    log_f = rng.normal(size=(k, *shape)).astype(np.float32)
    log_f -= log_f.max(0)
    return grid, log_f, grid.split(log_f)


def as_state(grid: Lattice, z: np.ndarray) -> np.ndarray:
    return haloed_labels(grid, grid.split(z.astype(np.uint8)))


def every_labelling(log_f: np.ndarray, beta: float, near: dict) -> tuple[np.ndarray, np.ndarray]:
    """All K^n labellings (K^n, *shape) of log-densities (K, *shape), and their energies."""
    k, shape = len(log_f), log_f.shape[1:]
    labellings = np.array(list(product(range(k), repeat=int(np.prod(shape))))).reshape(-1, *shape)
    return labellings, np.array([energy(z, log_f, beta, near) for z in labellings])


def marginals(log_f: np.ndarray, beta: float, near: dict) -> np.ndarray:
    """p(z_i = k | x) of every pixel (K, *shape), by the sum over all labellings."""
    labellings, energies = every_labelling(log_f, beta, near)
    p = np.exp(energies.min() - energies)
    return np.stack([np.tensordot(p / p.sum(), labellings == label, 1) for label in range(len(log_f))])


def votes(q: np.ndarray, near: dict) -> np.ndarray:
    """c_ik (K, *shape) of soft assignments (K, *shape), by pairs."""
    found = np.zeros_like(q)
    for (a, b), w in near.items():
        found[(slice(None), *a)] += w * q[(slice(None), *b)]
        found[(slice(None), *b)] += w * q[(slice(None), *a)]
    return found
