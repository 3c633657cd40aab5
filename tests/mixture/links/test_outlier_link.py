"""The link of a mixture with outliers: the other components' own link, and a constant."""

from __future__ import annotations

import numpy as np

from emseg.mixture.families.outliers import OutlierFamily
from emseg.mixture.families.registry import family_of
from emseg.mixture.families.student import Student
from emseg.mixture.mixture import Mixture

LOG_DENSITY = -3.0
PARTS = Student(np.array([[0.0], [5.0]]), np.ones((2, 1, 1)), np.array([4.0, 8.0]))
INNER = Mixture(np.array([0.4, 0.6]), PARTS, family_of("student"))
FAMILY = OutlierFamily(INNER.family, LOG_DENSITY, PARTS[:1])
MIXTURE = Mixture(*FAMILY.with_outliers(INNER.weights, PARTS, 0.1), FAMILY)


def test_densities_are_those_of_the_others_beside_a_constant() -> None:
    x = np.linspace(-4, 9, 21)[None]
    found = MIXTURE.log_joint(x)
    np.testing.assert_allclose(found[:2], INNER.log_joint(x) + np.log(0.9), rtol=1e-12)
    np.testing.assert_allclose(found[2], np.log(0.1) + LOG_DENSITY, rtol=1e-14)


def test_of_outliers_only_their_number_is_gathered() -> None:
    x, counts = np.linspace(-4, 9, 21)[None], np.random.default_rng(0).random((3, 21))
    t, link, inner = INNER.family.statistics(x), MIXTURE.link(), INNER.link()
    assert link is not None
    assert inner is not None
    found = link.gather(counts, link.eta @ t, t)
    np.testing.assert_allclose(found[:2], inner.gather(counts[:2], inner.eta @ t, t), rtol=1e-12)
    np.testing.assert_allclose(found[2], [counts[2].sum(), *np.zeros(found.shape[1] - 1)], rtol=1e-12)


def test_a_stack_of_mixtures_is_each_of_them() -> None:
    x = np.linspace(-4, 9, 21)[None]
    t = INNER.family.statistics(x)
    stack = Mixture(np.stack([MIXTURE.weights, MIXTURE.weights[[1, 0, 2]]]), MIXTURE.components[
        np.array([[0, 1, 2], [1, 0, 2]])], FAMILY)  # fmt: skip
    link = stack.link()
    assert link is not None
    forms = link.eta.reshape(-1, len(t)) @ t
    link.log_joint(forms, t)
    one = MIXTURE.log_joint(x)
    np.testing.assert_allclose(forms, np.concatenate([one, one[[1, 0, 2]]]), rtol=1e-12)
