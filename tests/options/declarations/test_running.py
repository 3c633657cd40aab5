"""How a batch is gone through, unless the command line says otherwise."""

from __future__ import annotations

from dataclasses import fields

from emseg.options.declaration import options_in
from emseg.options.declarations.running import EvaluateOptions, RunOptions


def test_defaults_are_those_declared() -> None:
    options = RunOptions()
    assert {entry.name: getattr(options, entry.name) for entry in fields(options)} == {
        entry.name: entry.default for entry in options_in(RunOptions)
    }


def test_none_of_them_changes_what_is_computed() -> None:
    assert not any(entry.recorded or entry.python for entry in options_in(RunOptions))
    assert [entry.name for entry in options_in(EvaluateOptions) if entry.python] == ["ignore"]
