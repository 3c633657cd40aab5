"""What all sets of components can do: give some of them, and take one from another set."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.mixture.components import require
from emseg.mixture.families.student import Student


def drawn(seed: int, k: int = 3) -> Student:
    rng = np.random.default_rng(seed)
    return Student(rng.normal(size=(k, 2)), np.stack([np.eye(2)] * k) * rng.gamma(2), rng.gamma(3, size=k))


def test_some_of_the_components() -> None:
    whole = drawn(0)
    some = whole[np.array([2, 0])]
    assert Student.parts() == ("means", "scales", "dof")
    for name in Student.parts():
        np.testing.assert_array_equal(getattr(some, name), getattr(whole, name)[[2, 0]])


def test_one_component_and_shared_parameters_come_from_another_set() -> None:
    old, new = drawn(1), drawn(2)
    found = old.updated(new, 1, shared=("dof",))
    np.testing.assert_array_equal(found.means[[0, 2]], old.means[[0, 2]])
    np.testing.assert_array_equal(found.means[1], new.means[1])
    np.testing.assert_array_equal(found.scales[1], new.scales[1])
    np.testing.assert_array_equal(found.dof, new.dof)
    np.testing.assert_array_equal(old.means, drawn(1).means)  # which stay as they were


def test_a_condition_must_hold_everywhere() -> None:
    require(np.array([True, True]), "never said")
    with pytest.raises(ValueError, match="must be so"):
        require(np.array([True, False]), "must be so")
