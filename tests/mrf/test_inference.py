"""ICM, mean field, Gibbs and cuts on fields so small that every labelling can be counted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.mrf.inference import gibbs, graph_cut, icm, mean_field
from emseg.mrf.inference.label_field import visit_conditionals
from emseg.mrf.potts import Votes, energy, one_hot
from tests.mrf import fields

BETA = 0.8


def all_energies(log_f: np.ndarray, near: dict, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Every labelling (2^n, *shape) and its energy."""
    shape = log_f.shape[1:]
    labellings = np.array(list(itertools.product(range(k), repeat=int(np.prod(shape))))).reshape(-1, *shape)
    return labellings, np.array([fields.energy(z, log_f, BETA, near) for z in labellings])


def test_gibbs_has_the_marginals_of_the_posterior() -> None:
    rng = np.random.default_rng(1)
    grid, log_f, cells = fields.noise((3, 3), 2, 4, rng)
    labellings, energies = all_energies(log_f, fields.pairs((3, 3), 4), 2)
    p = np.exp(energies.min() - energies)
    exact = np.tensordot(p / p.sum(), labellings, 1)
    labels, total = fields.as_state(grid, labellings[0]), np.zeros_like(cells)
    drawn = np.zeros((3, 3))

    def visit(s: int, part: slice, c: np.ndarray, shares: np.ndarray) -> None:
        total[s, :, part] += shares

    sweeps = 6_000
    for _ in range(sweeps):
        gibbs.sweep(grid, labels, cells, BETA, rng, visit)
        drawn += grid.join(grid.core(labels))
    np.testing.assert_allclose(grid.join(total)[1] / sweeps, exact, atol=0.03)
    np.testing.assert_allclose(drawn / sweeps, exact, atol=0.03)
    assert (np.abs(grid.join(total)[1] / sweeps - exact)).sum() < (np.abs(drawn / sweeps - exact)).sum() + 0.02


def test_gibbs_without_a_visitor_draws_the_same() -> None:
    labels = []
    for visit in (None, lambda s, part, c, p: None):
        rng = np.random.default_rng(2)
        grid, _, cells = fields.noise((9, 7), 4, 8, rng)
        labels.append(fields.as_state(grid, np.zeros((9, 7))))
        for _ in range(3):
            gibbs.sweep(grid, labels[-1], cells, BETA, rng, visit)
    np.testing.assert_array_equal(*labels)


@given(st.integers(0, 999), st.sampled_from([4, 8]), st.integers(2, 5), st.floats(0, 2))
def test_icm_never_raises_the_energy_and_ends_at_a_mode(seed: int, neighbours: int, k: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    valid = rng.random((6, 5)) > 0.2
    valid[0, 0] = True
    grid, _, cells = fields.noise((6, 5), k, neighbours, rng, valid=valid)
    labels = fields.as_state(grid, rng.integers(0, k, (6, 5)))
    before = energy(grid, labels, cells, beta)
    rounding = 8 * np.finfo(np.float32).eps * (abs(before) + float(np.abs(cells).sum()))
    while icm.sweep(grid, labels, cells, beta):
        now = energy(grid, labels, cells, beta)
        assert now <= before + rounding
        before = now
    found = np.zeros_like(cells)

    def keep(s: int, part: slice, c: np.ndarray, p: np.ndarray) -> None:
        found[s, :, part] = p

    visit_conditionals(grid, labels, cells, beta, keep, Votes(grid, k))
    shares, own = grid.join(found)[:, valid], grid.join(grid.core(labels))[valid]
    np.testing.assert_allclose(shares[own, np.arange(own.size)], shares.max(0), rtol=1e-5)
    assert (grid.join(grid.core(labels))[~valid] == 255).all()


@given(st.integers(0, 999), st.sampled_from([4, 8]), st.floats(0, 2))
def test_the_free_energy_never_rises(seed: int, neighbours: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    valid = rng.random((7, 6)) > 0.2
    grid, _, cells = fields.noise((7, 6), 3, neighbours, rng, valid=valid)
    q = one_hot(fields.as_state(grid, rng.integers(0, 3, (7, 6))), 3)
    values = [mean_field.free_energy(grid, q, cells, beta)]
    for _ in range(6):
        mean_field.sweep(grid, q, cells, beta)
        values.append(mean_field.free_energy(grid, q, cells, beta))
    assert (np.diff(values) <= 1e-4).all()
    np.testing.assert_allclose(grid.join(grid.core(q)).sum(0), valid, atol=1e-5)


def test_the_free_energy_bounds_the_partition_function() -> None:
    rng = np.random.default_rng(3)
    grid, log_f, cells = fields.noise((3, 3), 2, 4, rng)
    _, energies = all_energies(log_f, fields.pairs((3, 3), 4), 2)
    exact = -np.log(np.exp(-energies).sum())
    q = one_hot(fields.as_state(grid, np.zeros((3, 3))), 2)
    for _ in range(30):
        mean_field.sweep(grid, q, cells, BETA)
    found = mean_field.free_energy(grid, q, cells, BETA)
    assert exact < found < exact + 1


def test_the_free_energy_of_labels_is_their_energy() -> None:
    grid, _, cells = fields.noise((4, 5), 3, 8, np.random.default_rng(4))
    labels = fields.as_state(grid, np.arange(20).reshape(4, 5) % 3)
    found = mean_field.free_energy(grid, one_hot(labels, 3), cells, BETA)
    assert found == pytest.approx(energy(grid, labels, cells, BETA), rel=1e-5)


@pytest.fixture(params=["maxflow", "scipy"])
def cuts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts by PyMaxflow where it is installed, and by SciPy."""
    if request.param == "maxflow":
        pytest.importorskip("maxflow", reason="needs PyMaxflow: the extra graphcut")
    else:
        monkeypatch.setattr(graph_cut, "_cut", lambda: graph_cut._scipy_cut)


@pytest.mark.usefixtures("cuts")
@pytest.mark.parametrize("seed", range(5))
def test_two_classes_are_cut_to_the_global_minimum(seed: int) -> None:
    grid, log_f, cells = fields.noise((3, 4), 2, 8, np.random.default_rng(seed))
    _, energies = all_energies(log_f, fields.pairs((3, 4), 8), 2)
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
