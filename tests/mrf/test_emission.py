"""Log-densities on the lattice and statistics of assignments, against the mixture pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.em.problem import Problem
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mrf.emission import LOWEST, NOTHING, Emission, Known
from emseg.mrf.lattice import build_lattice

SHAPE, K = (9, 11), 3


def emission_of(distinct: int, known: Known = NOTHING, **how: bool) -> tuple[Emission, Mixture, np.ndarray]:
    """An image of so many distinct values in two features, the problem on a lattice, and a mixture."""
    rng = np.random.default_rng(0)
    x, index = rng.normal(size=(2, distinct)), rng.integers(0, distinct, SHAPE)
    problem = Problem(
        Rows(x, np.bincount(index.ravel(), minlength=distinct) + 0.0), family_of("gaussian", "full"), 1e-3, -0.25
    )
    mixture = problem.m_step(
        problem.family.completed(rng.dirichlet(np.ones(K), distinct).T @ problem.family.statistics(x).T)
    )
    valid = rng.random(SHAPE) > 0.1
    return Emission(problem, build_lattice(SHAPE, 4, valid=valid), index, known=known, **how), mixture, x[:, index]


def on_grid(emission: Emission, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of the valid pixels, and which they are."""
    valid = emission.lattice.join(emission.lattice.inside)
    return emission.lattice.join(cells)[..., valid], valid


def densities(mixture: Mixture, pixels: np.ndarray, weighted: bool = False) -> np.ndarray:
    joint = mixture.log_joint(np.ascontiguousarray(pixels))
    return joint if weighted else joint - np.log(mixture.weights)[:, None]


@pytest.mark.parametrize("distinct", [20, 300])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("keep", [False, True])
def test_log_densities_and_their_level(distinct: int, weighted: bool, keep: bool) -> None:
    emission, mixture, pixels = emission_of(distinct, weighted=weighted, keep=keep)
    assert (emission.x is None) == (distinct == 20)
    log_f, level = emission.log_densities_and_level(mixture)
    found, valid = on_grid(emission, log_f)
    expected = densities(mixture, pixels[:, valid], weighted)
    np.testing.assert_allclose(found, expected - expected.max(0), atol=2e-5)
    assert level == pytest.approx(expected.max(0).sum() - 0.25 * valid.sum(), rel=1e-5)
    np.testing.assert_array_equal(emission.log_densities(mixture), log_f)


@pytest.mark.parametrize("distinct", [20, 300])
def test_a_prior_map_is_added(distinct: int) -> None:
    prior = np.log(np.random.default_rng(1).dirichlet(np.ones(K), SHAPE)).transpose(2, 0, 1).astype(np.float32)
    emission, mixture, pixels = emission_of(distinct, Known(log_prior=prior))
    log_f, level = emission.log_densities_and_level(mixture)
    found, valid = on_grid(emission, log_f)
    expected = densities(mixture, pixels[:, valid]) + prior[:, valid]
    np.testing.assert_allclose(found, expected - expected.max(0), atol=5e-5)
    assert level == pytest.approx(expected.max(0).sum() - 0.25 * valid.sum(), rel=1e-5)


@pytest.mark.parametrize("distinct", [20, 300])
def test_marked_pixels_have_their_label(distinct: int) -> None:
    marks = np.random.default_rng(2).integers(0, K + 1, SHAPE).astype(np.uint8)
    emission, mixture, pixels = emission_of(distinct, Known(marks=marks))
    log_f, level = emission.log_densities_and_level(mixture)
    found, valid = on_grid(emission, log_f)
    expected, own = densities(mixture, pixels[:, valid]), marks[valid]
    free = own == 0
    np.testing.assert_allclose(found[:, free], (expected - expected.max(0))[:, free], atol=2e-5)
    label = own[~free] - 1
    assert (found[:, ~free] == np.where(np.arange(K)[:, None] == label, 0, LOWEST)).all()
    total = expected.max(0)[free].sum() + expected[:, ~free][label, np.arange(label.size)].sum()
    assert level == pytest.approx(total - 0.25 * valid.sum(), rel=1e-5)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("distinct", [20, 300])
def test_statistics_are_sums_over_valid_pixels(distinct: int, keep: bool) -> None:
    emission, _, pixels = emission_of(distinct, keep=keep)
    rng, grid = np.random.default_rng(3), emission.lattice
    q = rng.dirichlet(np.ones(K), SHAPE).transpose(2, 0, 1).astype(np.float32)
    found = emission.stats_of_probabilities(grid.split(q))
    valid = grid.join(grid.inside)
    t = emission.problem.family.statistics(np.ascontiguousarray(pixels[:, valid]))
    expected = emission.problem.family.completed(q[:, valid].astype(float) @ t.T)
    np.testing.assert_allclose(found.n, expected.n, rtol=1e-5)
    np.testing.assert_allclose(found.t, expected.t, rtol=1e-4, atol=1e-4)
    z = q.argmax(0).astype(np.uint8)
    hard = emission.stats_of_labels(grid.split(z), K)
    np.testing.assert_allclose(hard.n, np.bincount(z[valid], minlength=K), rtol=1e-6)


def test_what_is_known_is_cut_to_tiles() -> None:
    marks = np.arange(24, dtype=np.uint8).reshape(4, 6)
    tiles = [(slice(0, 2), slice(0, 3)), (slice(2, 4), slice(3, 6))]
    found = Known(marks, None).of_tiles(tiles)
    assert found.log_prior is None
    assert found.marks is not None
    np.testing.assert_array_equal(found.marks[:2], marks[:2, :3])
    np.testing.assert_array_equal(found.marks[-2:], marks[2:, 3:])
