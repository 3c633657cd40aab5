"""`segment` with a field: noisy Potts images near the best that can be done, and everything that a plain fit has."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import emseg
from emseg.em.problem import Problem
from emseg.errors import DataError, UsageError
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.partial_volume import PartialVolumeFamily
from emseg.mixture.mixture import Mixture
from emseg.mixture.samples import Rows
from emseg.mrf import potts as energy
from emseg.mrf import tiles
from emseg.mrf.inference.mean_field import MeanField
from emseg.mrf.inference.registry import METHODS as REGISTRY
from emseg.mrf.inference.registry import inference
from emseg.stages.labels import field as field_stage
from emseg.stages.labels.field import FieldOptions, _Task, neighbour_weights

pytestmark = pytest.mark.long

METHODS = tuple(REGISTRY)


def potts(shape: tuple[int, int], k: int, beta: float, seed: int) -> np.ndarray:
    """A sample of the field (H, W), by one pixel of a chequerboard at a time."""
    rng, (h, w) = np.random.default_rng(seed), shape
    z, board = rng.integers(0, k, shape), np.indices(shape).sum(0) % 2
    for sweep in range(120):
        around = np.pad(z, 1, constant_values=-1)
        sides = [around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]]
        c = np.array([sum((side == label).astype(float) for side in sides) for label in range(k)])
        drawn = (beta * c + rng.gumbel(size=(k, h, w))).argmax(0)
        z = np.where(board == sweep % 2, drawn, z)
    return z


def noisy(z: np.ndarray, snr: float, seed: int) -> np.ndarray:
    noise = 20 / snr * np.random.default_rng(seed).normal(size=z.shape)
    return np.clip(np.rint(100 + 20 * z + noise), 0, 255).astype(np.uint8)


def error(labels: np.ndarray, z: np.ndarray) -> float:
    """Share of wrong pixels under the best matching of labels."""
    k = int(z.max()) + 1
    return min(float((labels != 1 + np.array(order)[z]).mean()) for order in itertools.permutations(range(k)))


@pytest.fixture(scope="module")
def field() -> tuple[np.ndarray, np.ndarray]:
    z = potts((96, 96), 3, 1.2, 0)
    return z, noisy(z, 1.5, 1)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_far_better_than_the_mixture_alone(field: tuple, method: str) -> None:
    z, image = field
    found = emseg.segment(image, k=3, mrf=method)
    assert error(emseg.segment(image, k=3).labels, z) > 0.28
    assert error(found.labels, z) < 0.1
    facts = found.report["mrf"]
    assert facts["method"] == ("gibbs" if method == "auto" else method)
    assert facts["beta"] == pytest.approx(1.2, abs=0.15)
    assert facts["beta"] == pytest.approx(facts["beta_trace"][-1])
    assert facts["sweeps"] > 0
    np.testing.assert_allclose(found.mixture.components.means.ravel(), [100, 120, 140], atol=3)


def test_shapes_survive_noise() -> None:
    y, x = np.mgrid[:100, :100]
    z = (y > x).astype(int) + 2 * (np.hypot(y - 60, x - 50) < 20)
    z = np.where(z == 3, 2, z)
    image = noisy(z, 1.0, 0)
    assert error(emseg.segment(image, k=3, mrf="auto").labels, z) < 0.02


def test_the_energy_is_that_of_the_labels(field: tuple) -> None:
    _, image = field
    found = emseg.segment(image, k=3, mrf="mean-field", beta=0.9)
    labels, mixture = found.labels.astype(int), found.mixture
    mean, variance = mixture.components.means[labels - 1, 0], mixture.components.covariances[labels - 1, 0, 0]
    data = -0.5 * np.log(2 * np.pi * variance) - (image - mean) ** 2 / (2 * variance)
    alike = (labels[1:] == labels[:-1]).sum() + (labels[:, 1:] == labels[:, :-1]).sum()
    assert found.report["mrf"]["energy"] == pytest.approx(-data.sum() - 0.9 * alike, rel=1e-5)
    assert found.report["mrf"]["beta"] == 0.9


def test_posterior_labels_and_counts_agree(field: tuple) -> None:
    _, image = field
    found = emseg.segment(image, k=3, mrf="auto")
    posterior = found.posterior()
    np.testing.assert_allclose(posterior.sum(0), 1, atol=1e-4)
    np.testing.assert_array_equal(posterior.argmax(0) + 1, found.labels)
    assert found.report["pixel_counts"] == np.bincount(found.labels.ravel(), minlength=4)[1:].tolist()
    assert found.entropy().shape == image.shape
    assert found.entropy().max() <= np.log(3) + 1e-5


def test_probabilities_are_honest(field: tuple) -> None:
    z, image = field
    posterior = emseg.segment(image, k=3, mrf="auto").posterior()
    sure = posterior.max(0)
    right = posterior.argmax(0) == z
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        band = (sure >= low) & (sure < high)
        assert right[band].mean() == pytest.approx(sure[band].mean(), abs=0.07)


def test_the_likelihood_is_that_of_the_parameters(field: tuple) -> None:
    _, image = field
    found = emseg.segment(image, k=3, mrf="icm")
    mixture = found.mixture
    x = image.reshape(1, -1).astype(float)
    expected = np.logaddexp.reduce(mixture.log_joint(x), axis=0).sum()
    assert found.report["log_likelihood"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_masked_pixels_stay_out(field: tuple, method: str) -> None:
    z, image = field
    mask = np.ones(z.shape, np.uint8)
    mask[30:50, 20:60] = 0
    spoilt = np.where(mask, image, 255).astype(np.uint8)
    found = emseg.segment(spoilt, k=3, mrf=method, mask=mask)
    assert (found.labels[mask == 0] == 0).all()
    assert (found.labels[mask == 1] > 0).all()
    assert error(found.labels[mask == 1], z[mask == 1]) < 0.12


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("how", [{"neighbours": 8}, {"contrast": True}])
def test_other_neighbours_and_contrast(field: tuple, how: dict, compress: bool) -> None:
    z, image = field
    found = emseg.segment(image, k=3, mrf="mean-field", compress=compress, **how)
    assert error(found.labels, z) < 0.15
    assert found.report["mrf"]["neighbours"] == how.get("neighbours", 4)
    assert found.report["mrf"]["contrast"] == how.get("contrast", False)


def test_the_same_seed_gives_the_same_labels(field: tuple) -> None:
    first, second = (emseg.segment(field[1], k=3, mrf="auto", seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.report["mrf"] == second.report["mrf"]


def test_colour_photographs_keep_their_classes(samples: Path) -> None:
    plain, smooth = (emseg.segment(samples / "phantom.png", k=4, mrf=mrf) for mrf in ("none", "auto"))
    assert (plain.labels == smooth.labels).mean() > 0.999
    assert plain.report["mrf"] == {"method": "none", "beta": None, "sweeps": 0, "energy": None}


def test_one_line_for_what_cannot_be() -> None:
    ramp = np.array([[0, 9, 200, 210]], np.uint8)
    assert emseg.segment(ramp, k=2, mrf="auto").labels.tolist() == [[1, 1, 2, 2]]
    lonely = np.array([[True, False, False, False]])
    with pytest.raises(DataError, match="all pixels are equal"):
        emseg.segment(ramp, k=1, mrf="auto", mask=lonely)
    with pytest.raises(UsageError, match="beta is -1"):
        emseg.segment(ramp, k=2, mrf="auto", beta=-1)
    with pytest.raises(UsageError, match="neighbours=6: does not go with 2 dimensions; use 4 or 8"):
        emseg.segment(ramp, k=2, mrf="auto", neighbours=6)
    with pytest.raises(UsageError, match="mrf is 'magic'"):
        emseg.segment(ramp, k=2, mrf="magic")


@pytest.mark.parametrize("method", METHODS)
def test_large_images_are_fitted_by_tiles(field: tuple, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference(method), "largest_whole", 0)
    monkeypatch.setattr(field_stage, "SAMPLE", 4096)
    monkeypatch.setitem(tiles.TILE_SIDE, 2, 32)
    z, image = field
    mask = np.ones_like(image)
    mask[:, :7] = 0
    found = emseg.segment(image, k=3, mrf=method, mask=mask)
    assert (found.labels[mask == 0] == 0).all()
    assert error(found.labels[mask == 1], z[mask == 1]) < 0.11
    np.testing.assert_allclose(found.mixture.components.means.ravel(), [100, 120, 140], atol=4)


def test_a_volume_has_neighbours_in_all_directions() -> None:
    rng = np.random.default_rng(0)
    z = np.zeros((12, 20, 20), int)
    z[3:9, 5:15, 5:15] = 1
    stored = (100 + 40 * z + rng.normal(0, 30, z.shape)).astype(np.float32)
    flat = emseg.Image(stored.reshape(240, 20, 1), "gray", metadata={"volume": z.shape})
    for neighbours, least in (("auto", 0.94), ("26", 0.88)):
        found = emseg.segment(flat, k=2, mrf="auto", neighbours=neighbours)
        assert (found.labels.reshape(z.shape) == z + 1).mean() > least
        assert found.report["mrf"]["neighbours"] == (26 if neighbours == "26" else 6)
    assert emseg.segment(flat, k=2, mrf="auto", regions=50).regions.count == 2
    with pytest.raises(UsageError, match="neighbours=4: does not go with 3 dimensions; use 6 or 18 or 26"):
        emseg.segment(flat, k=2, mrf="auto", neighbours="4")


@pytest.mark.parametrize("method", METHODS)
def test_noise_is_a_label_of_its_own(field: tuple, method: str) -> None:
    """Salt and pepper: found as noise, and no class is spent on it."""
    z, image = field
    rng = np.random.default_rng(1)
    stray = rng.random(z.shape) < 0.03
    spoilt = np.where(stray, rng.choice([0, 255], z.shape), image).astype(np.uint8)
    found = emseg.segment(spoilt, k=3, mrf=method, noise=True)
    assert (found.labels[stray] == 4).mean() > 0.99
    assert (found.labels[~stray] == 4).mean() < 0.01
    kept = found.labels < 4
    assert error(found.labels[kept], z[kept]) < 0.12
    assert found.report["K"] == 3
    assert found.report["noise"]["pixels"] == (found.labels == 4).sum()
    np.testing.assert_allclose(found.mixture.components.means[:3, 0], [100, 120, 140], atol=4)
    np.testing.assert_array_equal(found.posterior().argmax(0) + 1, found.labels)


@pytest.mark.parametrize("option", ["scribbles", "prior_map"])
def test_noise_does_not_go_with_classes_that_are_named(field: tuple, option: str, tmp_path: Path) -> None:
    _, image = field
    path = tmp_path / "known.npy"
    np.save(path, np.ones((3, *image.shape)))
    with pytest.raises(UsageError, match=f"noise=True: does not go with {option}"):
        emseg.segment(image, k=3, mrf="auto", noise=True, **{option: str(path)})


@pytest.mark.parametrize("method", METHODS)
def test_a_field_of_any_strength_has_numbers(field: tuple, method: str) -> None:
    _, image = field
    for beta in (0, 50):
        found = emseg.segment(image[:24, :24], k=2, mrf=method, beta=beta)
        assert np.isfinite(found.posterior()).all()
        assert np.isfinite(found.report["mrf"]["energy"])


def test_the_free_energy_of_mean_field_never_rises_while_beta_stays() -> None:
    z = np.indices((60, 60))[0] // 20
    image = np.random.default_rng(0).normal(100 + 20 * z, 12)
    facts = emseg.segment(image, k=3, mrf="mean-field", beta=1.1).report["mrf"]
    trace = np.array(facts["free_energy_trace"])
    assert trace.size == len(facts["beta_trace"])
    assert (np.diff(trace) <= 1e-6 * abs(trace[0])).all()
    assert trace[-1] < trace[0]
    # The labels are one assignment, and the best independent one is not above it.
    assert trace[-1] <= facts["energy"] + 1e-6 * abs(trace[0])
    assert emseg.segment(image, k=3, mrf="icm").report["mrf"]["free_energy_trace"] == []


def two_classes(mixes: bool) -> tuple[Problem, Mixture]:
    """Values 0 to 10 of two classes at 2 and 8, of spread 0.1, that may mix; and a problem with these samples."""
    family = PartialVolumeFamily(GAUSSIANS["full"]) if mixes else GAUSSIANS["full"]
    parts = Gaussian(np.array([[2.0], [8.0]]), np.full((2, 1, 1), 0.01))
    mixture = Mixture(np.array([0.5, 0.5]), parts, GAUSSIANS["full"])
    x = np.array([[2.0, 5.0, 8.0, 4.0, 2.05, 6.5]])
    return Problem(Rows(x, np.ones(6)), family, 1e-9), mixture.as_start_of(family) if mixes else mixture


def test_neighbours_have_half_the_weight_on_mixed_pixels() -> None:
    problem, mixture = two_classes(mixes=True)
    weights = neighbour_weights(problem, mixture)
    assert weights is not None
    between = np.array([False, True, False, True, False, True])
    np.testing.assert_allclose(weights[between], 0.5, atol=1e-6)
    purity = mixture.purity(problem.rows.x)
    assert purity is not None
    np.testing.assert_allclose(weights, 0.5 + purity / 2, rtol=1e-6)
    assert (weights[~between] > 0.9).all()
    assert neighbour_weights(*two_classes(mixes=False)) is None


def test_edges_of_the_grid_have_the_product_of_both_weights() -> None:
    """Agreement of equal labels is the sum of all edges: here over 2 × 3 pixels, written out."""
    problem, mixture = two_classes(mixes=True)
    weights = neighbour_weights(problem, mixture)
    assert weights is not None
    index = np.arange(6, dtype=np.int32).reshape(2, 3)
    options = FieldOptions("mean-field", 1.0, "4", contrast=False)
    grid = _Task(problem, problem.rows.x, options, None, weights).grid(np.ones((2, 3), np.bool_), index)
    equal = energy.haloed_labels(grid, np.zeros((len(grid.phases), grid.cells), np.uint8))
    h = weights.reshape(2, 3).astype(float)
    expected = (h[1:] * h[:-1]).sum() + (h[:, 1:] * h[:, :-1]).sum()
    assert energy.agreement(grid, equal, 2) == pytest.approx(expected, rel=1e-6)


def test_tiles_are_chosen_where_classes_are_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the third class lies in one tile of 64, of which four are looked at."""
    monkeypatch.setattr(field_stage, "SAMPLE", 4 * 32 * 32)
    monkeypatch.setitem(tiles.TILE_SIDE, 2, 32)
    monkeypatch.setattr(MeanField, "largest_whole", 0)
    rng = np.random.default_rng(0)
    z = np.where(np.arange(256) < 128, 0, 1) * np.ones((256, 1), int)
    for row, column in ((1, 1), (3, 6), (6, 2), (7, 7)):
        rare = z.copy()
        rare[32 * row + 6 : 32 * row + 26, 32 * column + 6 : 32 * column + 26] = 2
        image = rng.normal(100 + 30 * rare, 4)
        found = emseg.segment(image, k=3, mrf="mean-field", beta=1.0)
        np.testing.assert_allclose(found.mixture.components.means[:, 0], [100, 130, 160], atol=1)
        assert (found.labels == rare + 1).mean() > 0.999
