"""What options offer is what the registries have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from emseg.em.registry import ALGORITHMS
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.mixture.families.registry import FAMILIES
from emseg.mrf.inference.registry import METHODS
from emseg.options import choices


def test_names_are_those_of_the_registries() -> None:
    assert tuple(choices.ALGORITHMS) == tuple(ALGORITHMS)
    assert tuple(choices.COVARIANCES) == tuple(COVARIANCES)
    assert tuple(choices.FAMILIES) == tuple(FAMILIES)
    assert tuple(choices.FIELDS) == ("default", "none", "marked", *METHODS)


TABLES = {name: table for name, table in vars(choices).items() if name.isupper() and isinstance(table, Mapping)}


@pytest.mark.parametrize("name", TABLES)
def test_every_name_is_explained_in_one_line(name: str) -> None:
    for meaning in TABLES[name].values():
        text = meaning if isinstance(meaning, str) else meaning.summary
        assert text
        assert "\n" not in text
        assert not text.endswith(".")
