"""The link of partial volume, against integrals over the share of a class in a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.families.partial_volume import PartialVolume, PartialVolumeFamily
from emseg.mixture.links.partial_volume_link import ABOVE, BELOW, NODES, PURE, atoms_of
from emseg.mixture.mixture import Mixture

PURE_PARTS = Gaussian(np.array([[0.0], [4.0], [9.0]]), np.array([[[1.0]], [[0.5]], [[2.0]]]))
SHARES = np.array([[0.0, 0.8, 0.2], [0.1, 0.7, 0.2], [0.3, 0.7, 0.0]])
MIXTURE = Mixture(
    np.array([0.3, 0.4, 0.3]),
    PartialVolume(PURE_PARTS.means, PURE_PARTS.covariances, SHARES),
    PartialVolumeFamily(GAUSSIANS["full"]),
)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_atoms_are_pure_or_mix_two_neighbours(k: int) -> None:
    atoms = atoms_of(k)
    assert len(atoms.owner) == k + 2 * (k - 1) * NODES
    np.testing.assert_array_equal(atoms.first, [int((atoms.owner < i).sum()) for i in range(k)])
    np.testing.assert_array_equal(atoms.other - atoms.owner, np.array([-1, 0, 1])[atoms.side])
    assert (atoms.alpha[atoms.side == PURE] == 1).all()
    assert (np.abs(atoms.alpha[atoms.side != PURE] - 0.75) < 0.25).all()
    for i in range(k):
        for side in (BELOW, PURE, ABOVE):
            mine = (atoms.owner == i) & (atoms.side == side)
            assert not mine.any() or np.exp(atoms.log_node[mine]).sum() == pytest.approx(1)


def half(x: np.ndarray, i: int, j: int, points: int = 4001) -> np.ndarray:
    """∫ from ½ to 1 of N(x; α μ_i + (1-α) μ_j, α Σ_i + (1-α) Σ_j) 2 dα by Simpson's rule."""
    alpha, step = np.linspace(0.5, 1, points, retstep=True)
    mean = alpha * PURE_PARTS.means[i, 0] + (1 - alpha) * PURE_PARTS.means[j, 0]
    variance = alpha * PURE_PARTS.covariances[i, 0, 0] + (1 - alpha) * PURE_PARTS.covariances[j, 0, 0]
    weight = np.where(np.arange(points) % 2, 4, 2) * (2 * step / 3)
    weight[[0, -1]] /= 2
    return np.asarray(stats.norm.pdf(x[:, None], mean, np.sqrt(variance)) @ weight)


def test_densities_are_integrals_over_the_share() -> None:
    x = np.linspace(-3, 12, 31)
    found = np.exp(MIXTURE.log_joint(x[None]))
    for i in range(3):
        wanted = SHARES[i, PURE] * stats.norm.pdf(x, PURE_PARTS.means[i], np.sqrt(PURE_PARTS.covariances[i, 0]))
        for side, j in ((BELOW, i - 1), (ABOVE, i + 1)):
            if 0 <= j < 3:
                wanted = wanted + SHARES[i, side] * half(x, i, j)
        np.testing.assert_allclose(found[i], MIXTURE.weights[i] * wanted, rtol=1e-6, atol=1e-12)


def test_parts_of_a_pixel_add_up_to_it() -> None:
    """Over all classes, the parts' shares add up to the pixels, and the parts' values to the pixels' values."""
    x = np.random.default_rng(0).uniform(-2, 11, (1, 50))
    t, link = MIXTURE.family.statistics(x), MIXTURE.link()
    assert link is not None
    counts = np.random.default_rng(1).random((3, 50))
    found = link.gather(counts, link.eta @ t, t)
    np.testing.assert_allclose(found[:, 0], counts.sum(1), rtol=1e-10)
    np.testing.assert_allclose(found[:, 1:4].sum(1), counts.sum(1), rtol=1e-10)
    np.testing.assert_allclose(found[:, 5].sum(), counts.sum(), rtol=1e-10)
    np.testing.assert_allclose(found[:, 6].sum(), (counts * x).sum(), rtol=1e-9)
