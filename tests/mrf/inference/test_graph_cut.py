"""Cuts against all labellings and all moves, and SciPy's against PyMaxflow's."""

from __future__ import annotations

import itertools
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from emseg.mrf.inference import graph_cut, icm
from emseg.mrf.potts import energy
from tests.mrf import fields

BETA = 0.8


@pytest.fixture(params=["maxflow", "scipy"])
def cuts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts by PyMaxflow, which the extra `test` installs, and by SciPy."""
    if request.param == "maxflow":
        if sys.version_info >= (3, 14) and not find_spec("maxflow"):
            pytest.skip("PyMaxflow has no wheel for this Python yet")
        assert find_spec("maxflow"), "the extra `test` installs PyMaxflow"
    else:
        monkeypatch.setattr(graph_cut, "_cut", lambda: graph_cut._scipy_cut)


@pytest.mark.usefixtures("cuts")
@pytest.mark.parametrize("seed", range(5))
def test_two_classes_are_cut_to_the_global_minimum(seed: int) -> None:
    grid, log_f, cells = fields.noise((3, 4), 2, 8, np.random.default_rng(seed))
    _, energies = fields.every_labelling(log_f, BETA, fields.pairs((3, 4), 8))
    labels = fields.as_state(grid, np.ones((3, 4)))
    graph_cut.expand(grid, labels, cells, BETA)
    assert energy(grid, labels, cells, BETA) == pytest.approx(energies.min(), abs=0.02)


@pytest.mark.usefixtures("cuts")
@pytest.mark.parametrize("seed", range(3))
def test_expansion_ends_no_higher_than_icm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    valid = rng.random((20, 21)) > 0.1
    grid, _, cells = fields.noise((20, 21), 4, 4, rng, valid=valid, guide=rng.normal(size=(1, 20, 21)))
    labels = fields.as_state(grid, rng.integers(0, 4, (20, 21)))
    modes = labels.copy()
    while icm.sweep(grid, modes, cells, BETA):
        pass
    graph_cut.expand(grid, labels, cells, BETA)
    assert energy(grid, labels, cells, BETA) < energy(grid, modes, cells, BETA)
    assert (grid.join(grid.core(labels))[~valid] == 255).all()
    assert (grid.join(grid.core(labels))[valid] < 4).all()


def test_no_expansion_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_cut, "_cut", lambda: graph_cut._scipy_cut)
    grid, log_f, cells = fields.noise((3, 3), 3, 4, np.random.default_rng(7))
    labels = fields.as_state(grid, np.zeros((3, 3)))
    graph_cut.expand(grid, labels, cells, BETA)
    z, near = grid.join(grid.core(labels)), fields.pairs((3, 3), 4)
    lowest = fields.energy(z, log_f, BETA, near)
    for alpha in range(3):
        for move in itertools.product((False, True), repeat=9):
            moved = np.where(np.array(move).reshape(3, 3), alpha, z)
            assert fields.energy(moved, log_f, BETA, near) >= lowest - 0.02


@pytest.mark.parametrize("seed", range(4))
def test_both_cuts_are_minimum(seed: int) -> None:
    """Σ g_i x_i + Σ c_ij x̄_i x_j by all x, by PyMaxflow and by SciPy, to the rounding of its integers."""
    rng = np.random.default_rng(seed)
    n = 9
    i, j = (side.astype(np.int32) for side in np.triu_indices(n, 1))
    capacity, gain = rng.uniform(0, 1, i.size), rng.normal(0, 2, n)

    def cost(x: np.ndarray) -> float:
        return float(gain @ x + capacity @ (~x[i] & x[j]))

    least = min(cost(np.array(x)) for x in itertools.product((False, True), repeat=n))
    assert cost(graph_cut._cut()(gain, i, j, capacity)) == pytest.approx(least, abs=1e-9)
    assert cost(graph_cut._scipy_cut(gain, i, j, capacity)) == pytest.approx(least, abs=(n + i.size) / graph_cut.FINEST)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(("shape", "neighbours"), [((3, 4), 8), ((1, 5), 4), ((2, 3, 3), 26)])
def test_every_pair_is_counted_once(shape: tuple[int, ...], neighbours: int, holes: bool) -> None:
    valid = np.random.default_rng(0).random(shape) > 0.3 if holes else None
    grid, _, _ = fields.noise(shape, 2, neighbours, np.random.default_rng(1), valid=valid)
    found, site = graph_cut.pairs(grid), np.indices(shape).reshape(len(shape), -1).T
    numbers = np.full(grid.inside.shape, -1)
    numbers[grid.inside] = np.arange(grid.n_sites)
    order = np.argsort(grid.join(numbers).ravel())[-grid.n_sites :]
    weights = {}
    for a, b, w in zip(found.i, found.j, found.w, strict=True):
        weights[tuple(sorted([tuple(site[order[a]].tolist()), tuple(site[order[b]].tolist())]))] = float(w)
    expected = fields.pairs(shape, neighbours, None, valid)
    assert len(weights) == found.w.size
    assert weights == pytest.approx({tuple(sorted(pair)): w for pair, w in expected.items()}, rel=1e-6)
