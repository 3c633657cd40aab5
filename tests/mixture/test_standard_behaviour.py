"""Defaults of families: they hide nothing, tie nothing, have no outliers, and refuse what others can."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.errors import UsageError
from emseg.mixture.families.poisson import Poisson
from emseg.mixture.families.registry import family_of
from emseg.mixture.mixture import Mixture

FAMILY = family_of("poisson")
WEIGHTS, PARTS = np.array([0.3, 0.7]), Poisson(np.array([[9.0, 1.0], [2.0, 5.0]]))
MIXTURE = Mixture(WEIGHTS, PARTS, FAMILY)
X = np.ones((2, 4))


def test_nothing_is_hidden_tied_or_mixed() -> None:
    assert MIXTURE.link() is None
    assert MIXTURE.purity(X) is None
    assert MIXTURE.class_shares(X) is None
    assert MIXTURE.mixed_classes() is None
    for family in (FAMILY.log_linear, FAMILY.start_family, FAMILY.classes_only, FAMILY.marginal_family(np.array([0]))):
        assert family is FAMILY
    for weights, parts in (
        FAMILY.tied(WEIGHTS, PARTS), FAMILY.from_start(WEIGHTS, PARTS), FAMILY.with_outliers(WEIGHTS, PARTS)
    ):  # fmt: skip
        assert weights is WEIGHTS
        assert parts is PARTS


def test_all_components_are_classes() -> None:
    owner = np.array([[0, 1, 1, 0]])
    assert MIXTURE.n_classes == MIXTURE.k == 2
    assert MIXTURE.classes_only() is MIXTURE
    assert FAMILY.outlier_log_density() is None
    assert FAMILY.start_owners(owner, np.ones((1, 4)), np.ones(4), 2) is owner


def test_the_darkest_component_is_first() -> None:
    np.testing.assert_array_equal(MIXTURE.canonical_order(), [1, 0])
    ties = Poisson(np.array([[2.0, 7.0], [2.0, 5.0], [1.0, 9.0]]))
    np.testing.assert_array_equal(FAMILY.canonical_order(ties), [2, 1, 0])


def test_what_only_other_families_have_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"^algorithm: poisson is not normal; use family='gaussian'$"):
        FAMILY.normal_model("algorithm")
    with pytest.raises(UsageError, match=r"^px: poisson has no hidden scale to expand; use family='student'$"):
        FAMILY.hidden_scale_model("px")
    with pytest.raises(UsageError, match=r"^impute: von-mises has no quantiles; use another family$"):
        family_of("von-mises").predictive(None, np.ones((1, 1)), X, np.array([0]))
