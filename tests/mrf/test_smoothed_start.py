"""Starts from smoothed pixels: where the histogram of pixels has one hump, means over a few pixels have several."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from emseg.mrf import smoothed_start
from emseg.mrf.fit import fit_field
from emseg.mrf.inference.mean_field import MeanField
from emseg.mrf.potts import haloed_labels
from emseg.mrf.smoothed_start import best_start, smoothed_labels
from tests.mrf.test_field_em import K, problem_of


@pytest.fixture
def blocks() -> tuple[np.ndarray, np.ndarray]:
    """Three grey values in rectangles of 15 × 20 pixels, a gap of one standard deviation between them."""
    z = np.random.default_rng(1).permuted(np.arange(24) % K).reshape(6, 4).repeat(15, 0).repeat(20, 1)
    return z, np.random.default_rng(0).normal(1.0 * z, 1.0)


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def error(labels: np.ndarray, z: np.ndarray) -> float:
    return min(float((np.array(order)[labels] != z).mean()) for order in itertools.permutations(range(K)))


def test_smoothed_labels_are_those_of_the_regions(blocks: tuple) -> None:
    z, image = blocks
    problem, _ = problem_of(image, None)
    planes = image[None].astype(np.float32)
    rng = np.random.default_rng(0)
    found = smoothed_labels(problem.emission.problem, planes, None, K, rng, 2.0)
    assert error(found, z) < 0.15
    nearest = np.abs(image[None] - np.arange(K)[:, None, None]).argmin(0)
    assert error(nearest, z) > 0.35  # what the pixels alone say, with true means


def test_pixels_that_take_no_part_change_nothing(blocks: tuple) -> None:
    _, image = blocks
    problem, _ = problem_of(image, None)
    valid = np.ones(image.shape, np.bool_)
    valid[20:40, 30:50] = False
    found = []
    for value in (0.0, 1e6):
        planes = np.where(valid, image, value)[None].astype(np.float32)
        found.append(smoothed_labels(problem.emission.problem, planes, valid, K, np.random.default_rng(0), 1.0))
    np.testing.assert_array_equal(found[0][valid], found[1][valid])


def test_the_best_start_is_that_of_the_lowest_free_energy(blocks: tuple) -> None:
    z, image = blocks
    problem, _ = problem_of(image, None)
    emission, valid = problem.emission, np.ones(image.shape, np.bool_)
    grid, planes = emission.lattice, image[None].astype(np.float32)
    poor = emission.problem.m_step(
        emission.stats_of_labels(grid.split(np.random.default_rng(2).integers(0, K, image.shape).astype(np.uint8)), K)
    )
    mixture, labels = best_start(emission, planes, valid, poor, None, np.random.default_rng(0))
    assert error(grid.join(grid.core(labels)), z) < 0.1
    true = haloed_labels(grid, grid.split(z.astype(np.uint8)))
    good = emission.problem.m_step(emission.stats_of_labels(grid.core(true), K))
    mixture, labels = best_start(emission, planes, valid, good, None, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    found = fit_field(emission, mixture, labels, MeanField, rng)
    assert error(grid.join(grid.core(found.labels)), z) < 0.06
    np.testing.assert_allclose(np.sort(found.mixture.components.means[:, 0]), np.arange(K), atol=0.15)


def test_of_the_trials_the_lowest_is_taken(blocks: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    _, image = blocks
    problem, start = problem_of(image, None)
    emission, trials = problem.emission, []

    def watched(*args):  # type: ignore[no-untyped-def]
        trials.append(fit_field(*args))
        return trials[-1]

    free_energies = iter([3e9, 1e9, 2e9])
    monkeypatch.setattr(smoothed_start, "fit_field", watched)
    monkeypatch.setattr(smoothed_start, "free_energy", lambda *args: next(free_energies))
    everywhere = np.ones(image.shape, np.bool_)
    mixture, labels = best_start(emission, image[None].astype(np.float32), everywhere, start, 0.9, rng_of(0))
    assert len(trials) == 3
    assert mixture is trials[1].mixture
    assert labels is trials[1].labels
    assert {trial.beta for trial in trials} == {0.9}


def test_mixtures_are_fitted_away_from_borders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step, smoothed: between the two levels lie only pixels near it, which are left out."""
    image = np.where(np.arange(40) < 20, 0.0, 10.0) + rng_of(0).normal(0, 0.01, (30, 40))
    problem, _ = problem_of(image, None)
    seen, search = [], smoothed_start.search

    def watched(found, *args):  # type: ignore[no-untyped-def]
        seen.append(found.rows.x[0])
        return search(found, *args)

    monkeypatch.setattr(smoothed_start, "search", watched)
    smoothed_labels(problem.emission.problem, image[None].astype(np.float32), None, 2, rng_of(0), 2.0)
    assert seen[0].size == pytest.approx(0.7 * image.size, rel=0.01)
    assert np.minimum(np.abs(seen[0]), np.abs(seen[0] - 10)).max() < 0.1
