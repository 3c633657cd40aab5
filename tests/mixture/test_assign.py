"""Labels and posterior probabilities, against Bayes' rule with scipy's densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from emseg.mixture import assign as module
from emseg.mixture.assign import assign, label_type, posterior
from emseg.mixture.families.gaussian import GAUSSIANS, Gaussian
from emseg.mixture.mixture import Mixture

MEANS = np.array([[0.0, 1.0], [2.0, -1.0], [5.0, 5.0]])
MIXTURE = Mixture(np.array([0.2, 0.5, 0.3]), Gaussian(MEANS, np.stack([np.eye(2), 2 * np.eye(2), np.eye(2)])),
                  GAUSSIANS["full"])  # fmt: skip


def bayes(x: np.ndarray) -> np.ndarray:
    parts = MIXTURE.components
    joint = np.stack(
        [
            weight * stats.multivariate_normal(mean, matrix).pdf(x.T)
            for weight, mean, matrix in zip(MIXTURE.weights, parts.means, parts.covariances, strict=True)
        ]
    )
    return np.asarray(joint / joint.sum(0))


def test_labels_are_the_most_probable(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, weight = 3 * rng.normal(size=(2, 500)), rng.integers(1, 5, 500).astype(float)
    r = bayes(x)
    for block in (module.BLOCK, 70):
        monkeypatch.setattr(module, "BLOCK", block)
        labels, log_posterior = assign(MIXTURE, x, weight)
        np.testing.assert_array_equal(labels, r.argmax(0) + 1)
        assert labels.dtype == np.uint8
        assert log_posterior == pytest.approx(weight @ np.log(r.max(0)), rel=1e-10)
        np.testing.assert_allclose(posterior(MIXTURE, x), r, rtol=1e-5, atol=1e-7)


def test_of_what_was_not_observed_the_rest_decides() -> None:
    x = np.array([[2.0], [np.nan]])
    wanted = MIXTURE.weights * [stats.norm.pdf(2.0, m, s) for m, s in ((0, 1), (2, np.sqrt(2)), (5, 1))]
    np.testing.assert_allclose(posterior(MIXTURE, x)[:, 0], wanted / wanted.sum(), rtol=1e-6)


@pytest.mark.parametrize(("k", "kind"), [(255, np.uint8), (256, np.uint16), (65535, np.uint16), (65536, np.uint32)])
def test_labels_fit_their_type(k: int, kind: type) -> None:
    assert label_type(k) is kind
