"""`Family`: every method that has no default is asked for, and T(x) begins with the constant."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.families.registry import FAMILIES, family_of
from emseg.mixture.family import Family


def test_what_a_family_must_say_has_no_default() -> None:
    assert Family.__abstractmethods__ == {
        *("n_monomials", "monomials", "natural", "scores", "m_projection", "conditional", "default_prior"),
        *("marginal", "lift", "predicted", "n_parameters", "pack", "unpack"),
    }
    with pytest.raises(TypeError, match="abstract"):
        Family()  # type: ignore[abstract]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("d", [1, 3])
def test_the_statistic_begins_with_the_constant(name: str, d: int) -> None:
    family, x = family_of(name), np.random.default_rng(0).gamma(2.0, size=(d, 5))
    t = family.statistics(x)
    assert t.shape == (family.n_monomials(d), 5)
    np.testing.assert_array_equal(t[0], 1)
    single = family.statistics(x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, t, rtol=1e-5, atol=1e-5)
