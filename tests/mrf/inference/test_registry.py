"""What every method of the registry must do: the contract of `Inference`, and answers that are known."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mrf.inference.registry import METHODS, inference
from emseg.mrf.lattice import Lattice
from emseg.mrf.potts import OUTSIDE, Real, energy, one_hot
from tests.mrf import fields

pytestmark = pytest.mark.long

K, SHAPE = 3, (7, 6)


def example(seed: int) -> tuple[Lattice, np.ndarray, np.ndarray, np.ndarray]:
    """A lattice with holes, log-densities on the grid and by phase, and where the holes are not."""
    rng = np.random.default_rng(seed)
    valid = rng.random(SHAPE) > 0.15
    return (*fields.noise(SHAPE, K, 8, rng, valid=valid), valid)


def test_names_and_summaries() -> None:
    for name, entry in METHODS.items():
        assert inference(name).__name__ == entry.name
        assert len(entry.summary) < 90
        assert "\n" not in entry.summary
    with pytest.raises(KeyError):
        inference("magic")


@pytest.mark.parametrize("name", METHODS)
def test_what_a_method_says_of_itself(name: str) -> None:
    method = inference(name)
    assert method.labels_large in METHODS
    assert method.name in METHODS
    assert method.schedule.iterations > 1 <= method.schedule.sweeps
    assert method.schedule.answer >= 1
    assert method.largest_whole > 0


@pytest.mark.parametrize("name", METHODS)
def test_without_a_field_the_answer_is_the_largest_density(name: str) -> None:
    grid, log_f, cells, valid = example(0)
    rng = np.random.default_rng(0)
    start = inference(name).of_labels(grid, fields.as_state(grid, np.zeros(SHAPE)), K)
    probabilities, labels = start.answer(cells, 0.0, rng, 3)
    expected = np.exp(log_f) / np.exp(log_f).sum(0)
    np.testing.assert_allclose(grid.join(probabilities)[:, valid], expected[:, valid], rtol=1e-5)
    np.testing.assert_array_equal(grid.join(grid.core(labels)), np.where(valid, log_f.argmax(0), OUTSIDE))


@pytest.mark.parametrize("name", METHODS)
def test_visited_probabilities_are_of_all_pixels_and_sum_to_one(name: str) -> None:
    grid, _, cells, valid = example(1)
    seen, total = np.zeros(grid.inside.shape, int), np.zeros(cells.shape, np.float32)

    def visit(s: int, part: slice, c: Real, p: Real) -> None:
        assert c.shape == p.shape
        assert (c >= 0).all()
        seen[s, part] += 1
        total[s, :, part] = p

    start = inference(name).of_labels(grid, fields.as_state(grid, np.zeros(SHAPE)), K)
    start.iterate(cells, 0.7, np.random.default_rng(0), 2, visit)
    assert (seen == 1).all()  # in the last of two sweeps alone
    np.testing.assert_allclose(grid.join(total).sum(0), valid, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_labels_and_assignments_are_one_start(name: str) -> None:
    grid, _, cells, _ = example(2)
    labels = fields.as_state(grid, np.random.default_rng(3).integers(0, K, SHAPE))
    method = inference(name)
    starts = method.of_labels(grid, labels, K), method.of_probabilities(grid, one_hot(labels, K))
    found = [start.answer(cells, 0.7, np.random.default_rng(4), 2) for start in starts]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", METHODS)
def test_the_energy_of_the_answer_is_near_the_least(name: str) -> None:
    """Of two labels on 3 × 4 pixels, the least energy is that of one in 4,096 labellings."""
    for seed in range(5):
        grid, log_f, cells = fields.noise((3, 4), 2, 4, np.random.default_rng(seed))
        _, energies = fields.every_labelling(log_f, 0.6, fields.pairs((3, 4), 4))
        first = fields.as_state(grid, log_f.argmax(0))
        labels = inference(name).of_labels(grid, first, 2).answer(cells, 0.6, np.random.default_rng(0), 300)[1]
        found = energy(grid, labels, cells, 0.6)
        assert found >= energies.min() - 1e-4
        assert (energies < found - 1e-4).mean() < 0.005
        assert found <= energy(grid, first, cells, 0.6) + 1e-4


@pytest.mark.parametrize("name", METHODS)
def test_a_monotone_method_says_what_it_lowers(name: str) -> None:
    grid, _, cells, _ = example(5)
    method, values = inference(name), []
    field = method.of_labels(grid, fields.as_state(grid, np.zeros(SHAPE)), K)
    for _ in range(6):
        field = field.iterate(cells, 0.7, np.random.default_rng(0))
        values.append(field.free_energy(cells, 0.7))
    if method.monotone:
        assert (np.diff(np.array(values, float)) <= 1e-4).all()
    else:
        assert values == [None] * 6
