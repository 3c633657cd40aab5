"""Conditional moments of patches with holes against the closed form, and what photographs expect of patches."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.conditional import STRENGTH, conditional
from emseg.restore.expected import Expected
from emseg.restore.patches import cosines
from emseg.restore.prior import photographs


@pytest.mark.parametrize("prior", [False, True])
def test_the_conditional_moments_are_those_of_the_gaussian(prior: bool) -> None:
    rng = np.random.default_rng(0)
    members, reference = rng.normal(0, 30, (2, 20, 64)), rng.normal(0, 30, (2, 64))
    known = (rng.random((2, 64)) < 0.6).astype(float)
    observed = known + 0.01 * (1 - known)
    root = rng.normal(0, 3, (2, 64, 64))
    psi = root @ np.swapaxes(root, 1, 2)
    given = [array.astype(np.float32) for array in (members, reference, observed, known)]
    more = psi.astype(np.float32) if prior else None
    estimate, variance = conditional(*[array.copy() for array in given], 5.0, more)
    quick, _ = conditional(*given, 5.0, more, last=False)
    assert np.allclose(quick, estimate, atol=5e-3)
    for g in range(2):
        mean, s = members[g].mean(0), np.cov(members[g].T, bias=True)
        if prior:
            s = (20 * s + STRENGTH * psi[g]) / (20 + STRENGTH)
        noise = np.diag(25 / observed[g])
        gain = s @ np.linalg.inv(s + noise)
        assert np.allclose(estimate[g], mean + gain @ (reference[g] - mean), atol=0.05)
        covariance = np.diag(s - gain @ s) / 25
        wanted = (1 + covariance) / (1 + covariance).min()
        assert np.allclose(variance[g] / variance[g].min(), wanted, rtol=0.02)


def test_the_mean_goes_by_trust() -> None:
    """With next to no scatter, what is unknown is filled with the weighted mean."""
    rng = np.random.default_rng(1)
    members = (rng.normal(0, 1e-3, (1, 4, 64)) + np.array([10.0, 20, 30, 40])[:, None]).astype(np.float32)
    trust = np.full((1, 4, 64), 0.5, np.float32)
    trust[:, 3] = 1.5
    known, nothing = np.zeros((1, 64), np.float32), np.zeros((1, 64), np.float32)
    found, _ = conditional(members, nothing, known, known, 5.0, last=False, trust=trust)
    assert np.allclose(found, (0.5 * 60 + 1.5 * 40) / 3, atol=0.01)


def test_expected_covariances_are_those_of_the_likeliest_component() -> None:
    mixture, rng = photographs(), np.random.default_rng(0)
    x = np.stack(
        [rng.normal(size=63) * np.sqrt(v) @ axes.T for v, axes in zip(mixture.variances, mixture.axes, strict=True)]
    )
    patches = (x @ cosines()[:, 1:].T).astype(np.float32)
    expected = Expected(patches, 3.0, 1.0)
    densities = np.empty((mixture.k, mixture.k))
    covariances = []
    for k in range(mixture.k):
        s = (mixture.axes[k] * mixture.variances[k]) @ mixture.axes[k].T
        covariances.append(cosines()[:, 1:] @ s @ cosines()[:, 1:].T)
        total = s + 9 * np.eye(63)
        quadratic = np.einsum("nd,de,ne->n", x, np.linalg.inv(total), x)
        densities[k] = np.log(mixture.weights[k]) - 0.5 * (np.linalg.slogdet(total)[1] + quadratic)
    found, best = expected.covariances(slice(None)), densities.argmax(0)
    same = [np.allclose(found[n], covariances[best[n]], rtol=1e-2, atol=0.05) for n in range(len(x))]
    assert np.mean(same) > 0.95  # axes below the noise are left out of the comparison
    doubled = Expected(2 * patches, 6.0, 0.5)
    assert (doubled.label == expected.label).all()
    assert np.allclose(doubled.covariances(slice(3)), 4 * found[:3], rtol=1e-4)
