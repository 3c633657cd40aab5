"""Conditional moments of patches with missing pixels, against the closed form."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.restore.inpaint.conditional_moments import STRENGTH, conditional
from emseg.restore.patch.prior_covariance import PriorCovariances


@pytest.mark.parametrize("with_prior", [False, True])
def test_the_conditional_moments_are_those_of_the_gaussian(with_prior: bool) -> None:
    rng = np.random.default_rng(0)
    members, reference = rng.normal(0, 30, (2, 20, 64)), rng.normal(0, 30, (2, 64))
    known = [rng.permutation(64)[:n] for n in (40, 37)]
    pixels, seen = np.array([known[0], [*known[1], 5, 5, 5]]), np.ones((2, 40))
    seen[1, 37:] = 0
    prior = PriorCovariances(np.asarray(reference, np.float32), 5.0, 1.0) if with_prior else None
    given = [array.astype(np.float32) for array in (members, reference)]
    how = pixels, seen.astype(np.float32), 5.0, prior
    estimate, variance = conditional(given[0].copy(), given[1], *how)
    quick, _ = conditional(given[0].copy(), given[1], *how, last=False)
    assert np.allclose(quick, estimate, atol=5e-3)
    for g in range(2):
        mean, s = members[g].mean(0), np.cov(members[g].T, bias=True)
        if prior is not None:
            psi = prior.rows(np.tile(np.arange(64), (2, 1)))
            assert np.allclose(prior.variances[g], np.diag(psi[g]))
            s = (20 * s + STRENGTH * psi[g]) / (20 + STRENGTH)
        k = known[g]
        gain = s[:, k] @ np.linalg.inv(s[np.ix_(k, k)] + 25 * np.eye(len(k)))
        assert np.allclose(estimate[g], mean + gain @ (reference[g] - mean)[k], atol=0.05)
        spread = np.diag(s - gain @ s[k]) / 25
        scale = np.mean([*((reference[g] - estimate[g])[k] ** 2 / np.maximum(1 - spread[k], 0.02)), 25])
        assert np.allclose(variance[g], scale * (1 + spread), rtol=0.02)


def test_where_nothing_is_known_all_is_filled_with_the_weighted_mean() -> None:
    rng = np.random.default_rng(1)
    members = (rng.normal(0, 1e-3, (1, 4, 64)) + np.array([10.0, 20, 30, 40])[:, None]).astype(np.float32)
    weights = np.full((1, 4, 64), 0.5, np.float32)
    weights[:, 3] = 1.5
    reference, pixels, seen = np.zeros((1, 64), np.float32), np.zeros((1, 1), np.intp), np.zeros((1, 1), np.float32)
    found, _ = conditional(members, reference, pixels, seen, 5.0, last=False, member_weights=weights)
    assert np.allclose(found, (0.5 * 60 + 1.5 * 40) / 3, atol=0.01)
