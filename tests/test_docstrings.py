"""Examples in docstrings run, and every public function and method has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import emseg

ROOT = Path(__file__).parents[1]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "emseg").rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]
#: Methods that say one thing of a result, or that notebooks call.
PLAIN = {"posterior", "fractions", "entropy", "uncertainty", "with_notices", "in_space", "from_array", "save"}


def public() -> Iterator[tuple[str, Any]]:
    for name in emseg.__all__:
        found = getattr(emseg, name)
        if inspect.isfunction(found):
            yield name, found
        if inspect.isclass(found) and found.__module__.startswith("emseg.commands"):
            for method, value in vars(found).items():
                value = getattr(value, "__func__", value)
                if inspect.isfunction(value) and not method.startswith("_") and method not in PLAIN:
                    yield f"{name}.{method}", value


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize(("name", "function"), list(public()))
def test_public_functions_have_an_example_in_numpydocs_form(name: str, function: Any) -> None:
    text = inspect.getdoc(function) or ""
    assert "Examples\n--------\n>>> " in text, name
    given = [key for key in inspect.signature(function).parameters if key not in ("self", "cls", "options")]
    described = inspect.getdoc(function) if "Parameters are those of" not in text else ""
    if described:
        absent = [key for key in given if f"\n{key} : " not in f"\n{text}" and f"{key}," not in text]
        assert not absent, (name, absent)
