"""Prior covariances of patches: the component, its covariance and its precision, each by its definition."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.patch import prior_covariance
from emseg.restore.patch.patches import cosines
from emseg.restore.patch.photographs import photographs
from emseg.restore.patch.prior_covariance import LEAST_NOISE, PriorCovariances, precisions

ALL = np.arange(64)


def of_pixels() -> np.ndarray:
    """Covariances of pixels (K, 64, 64): V_k Λ_k V_kᵀ in cosine coefficients, turned back."""
    mixture, basis = photographs(), cosines()[:, 1:].astype(float)
    return np.stack(
        [
            basis @ (axes.astype(float) * variances) @ axes.T.astype(float) @ basis.T
            for axes, variances in zip(mixture.axes, mixture.variances, strict=True)
        ]
    )


def one_of_each() -> np.ndarray:
    """A patch (K, 64) drawn from every component."""
    rng = np.random.default_rng(0)
    draws = [rng.multivariate_normal(np.zeros(64), s, method="eigh") for s in of_pixels()]
    return np.array(draws, np.float32)


@pytest.mark.parametrize(("least", "agreement"), [(1e-3, 1), (prior_covariance.LEAST, 0.9)])
def test_the_covariance_is_that_of_the_most_probable_component(
    least: float, agreement: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every patch if all axes are compared, and of most patches with the axes that are."""
    monkeypatch.setattr(prior_covariance, "LEAST", least)
    patches, covariances = one_of_each(), of_pixels()
    basis, weights = cosines()[:, 1:].astype(float), photographs().weights
    x = patches @ basis
    densities = []
    for weight, s in zip(weights, covariances, strict=True):
        total = basis.T @ s @ basis + LEAST_NOISE**2 * np.eye(63)
        form = np.einsum("nd,de,ne->n", x, np.linalg.inv(total), x)
        densities.append(np.log(weight) - 0.5 * (np.linalg.slogdet(total)[1] + form))
    best = np.argmax(densities, axis=0)
    found = PriorCovariances(patches, LEAST_NOISE, 1.0).rows(np.tile(ALL, (len(patches), 1)))
    same = [np.allclose(rows, covariances[k], rtol=1e-2, atol=0.05) for rows, k in zip(found, best, strict=True)]
    assert np.mean(same) >= agreement


def test_rows_and_variances_are_parts_of_the_covariance() -> None:
    found = PriorCovariances(one_of_each(), 5.0, 1.0)
    whole, rng = of_pixels()[found.label], np.random.default_rng(0)
    pixels = np.stack([rng.permutation(64)[:7] for _ in whole])
    atol = 1e-5 * whole.max()
    assert np.allclose(found.rows(pixels), np.take_along_axis(whole, pixels[:, :, None], 1), atol=atol)
    assert np.allclose(found.variances, np.diagonal(whole, axis1=1, axis2=2), atol=atol)
    part = found[np.array([3, 1])]
    assert (part.label == found.label[[3, 1]]).all()
    assert np.allclose(part.rows(pixels[[3, 1]]), found.rows(pixels)[[3, 1]], atol=atol)


def test_covariances_follow_the_unit_of_the_patches() -> None:
    patches = one_of_each()
    once, twice = PriorCovariances(patches, 4.0, 1.0), PriorCovariances(2 * patches, 8.0, 0.5)
    assert (twice.label == once.label).all()
    pixels = np.tile(ALL[::9], (len(patches), 1))
    assert np.allclose(twice.rows(pixels), 4 * once.rows(pixels), rtol=1e-5)
    assert np.allclose(twice.variances, 4 * once.variances, rtol=1e-5)


def test_no_guess_is_taken_as_exact() -> None:
    patches = one_of_each()
    labels = [PriorCovariances(patches, sigma, 1.0).label for sigma in (0.0, LEAST_NOISE)]
    assert (labels[0] == labels[1]).all()


@pytest.mark.parametrize("variance", [1.0, 9.0, 100.0])
def test_precisions_are_inverses_but_for_a_constant(variance: float) -> None:
    without_mean = np.eye(64) - 1 / 64
    for q, s in zip(precisions(variance), of_pixels(), strict=True):
        wanted = without_mean @ np.linalg.inv(s + variance * np.eye(64)) @ without_mean
        assert np.allclose(q, wanted, atol=1e-5 / variance)
