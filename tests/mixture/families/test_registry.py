"""The list of families: every entry loads the family it describes, and the list itself loads no numpy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from emseg.errors import UsageError
from emseg.mixture.families.registry import FAMILIES, families_running, families_with, family_of


@pytest.mark.parametrize("name", FAMILIES)
def test_an_entry_is_the_family_that_it_names(name: str) -> None:
    entry = FAMILIES[name]
    family = family_of(name)
    assert entry.name == family.name == name
    assert type(family) is entry.load()
    assert entry.summary
    assert entry.support


@pytest.mark.parametrize("name", FAMILIES)
def test_an_entry_names_the_options_that_make_a_difference(name: str) -> None:
    options = FAMILIES[name].options
    assert ("covariance" in options) == (family_of(name, "tied") != family_of(name, "full"))
    assert ("dof" in options) == (family_of(name, dof=3.0) != family_of(name))


def test_families_are_found_by_option() -> None:
    assert families_with("covariance") == ("gaussian", "student")
    assert families_with("dof") == ("student",)
    assert families_with("censored") == ("gaussian",)
    assert families_running("px") == ("student",)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_entry_names_the_algorithms_that_the_family_has_a_model_for(name: str) -> None:
    models = {"vb": family_of(name).normal_model, "px": family_of(name).hidden_scale_model}
    for algorithm, model in models.items():
        if algorithm in FAMILIES[name].algorithms:
            assert model("algorithm").name == "full"
        else:
            with pytest.raises(UsageError, match=f"^algorithm: {name} .*; use family="):
                model("algorithm")
    assert families_with("level") == ("gaussian", "student", "poisson", "gamma")


def test_there_is_no_other_family() -> None:
    with pytest.raises(KeyError):
        family_of("cauchy")
    with pytest.raises(KeyError):
        family_of("gaussian", "round")


def test_it_loads_no_numpy() -> None:
    code = "import sys, emseg.mixture.families.registry; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
