"""Conditional moments of patches with holes against the closed form, and what photographs expect of patches."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.inpaint.conditional_moments import STRENGTH, conditional
from emseg.restore.patch import prior_covariance as expected_
from emseg.restore.patch.patches import cosines
from emseg.restore.patch.photographs import photographs
from emseg.restore.patch.prior_covariance import PriorCovariances


@pytest.mark.parametrize("prior", [False, True])
def test_the_conditional_moments_are_those_of_the_gaussian(prior: bool) -> None:
    rng = np.random.default_rng(0)
    members, reference = rng.normal(0, 30, (2, 20, 64)), rng.normal(0, 30, (2, 64))
    known = [rng.permutation(64)[:n] for n in (40, 37)]
    pixels, seen = np.array([known[0], [*known[1], 5, 5, 5]]), np.ones((2, 40))
    seen[1, 37:] = 0
    expected = PriorCovariances(np.asarray(reference, np.float32), 5.0, 1.0) if prior else None
    given = [array.astype(np.float32) for array in (members, reference)]
    how = pixels, seen.astype(np.float32), 5.0, expected
    estimate, variance = conditional(given[0].copy(), given[1], *how)
    quick, _ = conditional(given[0].copy(), given[1], *how, last=False)
    assert np.allclose(quick, estimate, atol=5e-3)
    for g in range(2):
        mean, s = members[g].mean(0), np.cov(members[g].T, bias=True)
        if expected is not None:
            psi = expected.rows(np.tile(np.arange(64), (2, 1)))
            assert np.allclose(expected.variances[g], np.diag(psi[g]))
            s = (20 * s + STRENGTH * psi[g]) / (20 + STRENGTH)
        k = known[g]
        gain = s[:, k] @ np.linalg.inv(s[np.ix_(k, k)] + 25 * np.eye(len(k)))
        assert np.allclose(estimate[g], mean + gain @ (reference[g] - mean)[k], atol=0.05)
        spread = np.diag(s - gain @ s[k]) / 25
        scale = np.mean([*((reference[g] - estimate[g])[k] ** 2 / np.maximum(1 - spread[k], 0.02)), 25])
        assert np.allclose(variance[g], scale * (1 + spread), rtol=0.02)


def test_the_mean_goes_by_trust() -> None:
    """Where nothing is known, all is filled with the weighted mean."""
    rng = np.random.default_rng(1)
    members = (rng.normal(0, 1e-3, (1, 4, 64)) + np.array([10.0, 20, 30, 40])[:, None]).astype(np.float32)
    trust = np.full((1, 4, 64), 0.5, np.float32)
    trust[:, 3] = 1.5
    reference, pixels, seen = np.zeros((1, 64), np.float32), np.zeros((1, 1), np.intp), np.zeros((1, 1), np.float32)
    found, _ = conditional(members, reference, pixels, seen, 5.0, last=False, member_weights=trust)
    assert np.allclose(found, (0.5 * 60 + 1.5 * 40) / 3, atol=0.01)


@pytest.mark.parametrize(("least", "agreement"), [(1e-3, 1), (expected_.LEAST, 0.9)])
def test_expected_covariances_are_those_of_the_likeliest_component(
    least: float, agreement: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last patch, if all axes are looked at."""
    monkeypatch.setattr(expected_, "LEAST", least)
    mixture, rng = photographs(), np.random.default_rng(0)
    x = np.stack(
        [rng.normal(size=63) * np.sqrt(v) @ axes.T for v, axes in zip(mixture.variances, mixture.axes, strict=True)]
    )
    patches = (x @ cosines()[:, 1:].T).astype(np.float32)
    expected = PriorCovariances(patches, 3.0, 1.0)
    densities = np.empty((mixture.k, mixture.k))
    covariances = []
    for k in range(mixture.k):
        s = (mixture.axes[k] * mixture.variances[k]) @ mixture.axes[k].T
        covariances.append(cosines()[:, 1:] @ s @ cosines()[:, 1:].T)
        total = s + 9 * np.eye(63)
        quadratic = np.einsum("nd,de,ne->n", x, np.linalg.inv(total), x)
        densities[k] = np.log(mixture.weights[k]) - 0.5 * (np.linalg.slogdet(total)[1] + quadratic)
    found, best = expected.rows(np.tile(np.arange(64), (len(x), 1))), densities.argmax(0)
    same = [np.allclose(found[n], covariances[best[n]], rtol=1e-2, atol=0.05) for n in range(len(x))]
    assert np.mean(same) >= agreement
    twice = PriorCovariances(2 * patches, 6.0, 0.5)
    assert (twice.label == expected.label).all()
    assert np.allclose(twice[slice(3)].rows(np.tile(np.arange(64), (3, 1))), 4 * found[:3], rtol=1e-4)
