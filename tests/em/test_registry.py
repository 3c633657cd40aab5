"""The registry: every entry loads, settings are the fields of its class, and errors name options for their reader."""

from __future__ import annotations

from dataclasses import fields

import pytest

from emseg.em.registry import ALGORITHMS, algorithm
from emseg.errors import UsageError, for_command_line


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_entry_is_what_it_says(name: str) -> None:
    found, entry = algorithm(name), ALGORITHMS[name]
    assert type(found).__name__ == entry.name
    assert type(found).__module__ == f"emseg.em.{entry.module}"
    assert isinstance(found.monotone, bool)
    assert entry.summary


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_setting_can_be_given_as_text(name: str) -> None:
    kind = type(algorithm(name))
    given = {field.name: str(field.default) for field in fields(kind) if isinstance(field.default, int | float | str)}
    assert algorithm(name, options=given) == kind()


def test_an_accelerator_takes_another_base() -> None:
    assert type(algorithm("squarem", "map").base).__name__ == "Map"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "python", "shell"),
    [
        (("em", "map"), "base='map': em accelerates nothing", "--base map: em accelerates nothing"),
        (("cg", "sem"), "use base='em'", "use --base em"),
        (("sem", "", {"m": "3"}), "option='m': sem has no such setting; it has burn_in, draws", "--option m: sem"),
        (("sem", "", {"draws": "x"}), "option='draws=x': expected a int", "--option draws=x: expected a int"),
        (("sem", "", {"draws": "0"}), "algorithm='sem': burn_in must be", "--algorithm sem: burn_in must be"),
    ],
)
def test_errors_are_spelled_for_python_and_for_the_shell(arguments: tuple, python: str, shell: str) -> None:
    with pytest.raises(UsageError) as caught:
        algorithm(*arguments)
    assert python in str(caught.value)
    assert shell in for_command_line(caught.value.message)
