"""One declaration an option, and all that is made from it is equal to it."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

import click
import numpy as np
import pytest
from numpy.typing import ArrayLike

import emseg
from emseg.cli.main import COMMANDS, cli
from emseg.mixture.saved import Model
from emseg.options import keywords
from emseg.options.by_command import MODULES, options_of
from emseg.options.declaration import Option, declared, options_in, shell_only
from emseg.options.declarations.reading import ReadingOptions
from emseg.options.declarations.restoration import DenoiseOptions, InpaintOptions
from emseg.options.declarations.segmentation import SegmentOptions
from emseg.options.kinds.basic_kinds import Flag, Whole

pytestmark = pytest.mark.long

EVERY = [
    pytest.param(command, option, id=f"{command}-{option.name}")
    for command in MODULES
    for option in options_of(command)
]
TYPES = {"os": os, "Mapping": Mapping, "Sequence": Sequence, "ArrayLike": ArrayLike, "Model": Model}
#: Keywords of a function by its command; the others are parameters of its own.
KEYWORDS: dict[str, Any] = {
    "segment": keywords.SegmentKeywords,
    "compare": keywords.CompareKeywords,
    "impute": keywords.ImputeKeywords,
    "fit": keywords.FitKeywords,
    "denoise": keywords.DenoiseKeywords,
    "inpaint": keywords.InpaintKeywords,
    "apply": keywords.ApplyKeywords,
    "evaluate": None,
}
INPUTS = {"image", "data", "table", "sample_weight", "model", "labels", "truths"}
INPUTS |= {"on_iteration", "on_progress", "watch"}


def test_a_declaration_becomes_an_option() -> None:
    class Some:
        two_words: int = declared(
            Whole(1), 3, "Fit", "A number.", "one two", defaults={"two": 4}, helps={"two": "Four."}
        )
        other: bool = shell_only(Flag(), False, "Fit", "A flag.", "one", "-o --other")

    number, flag = options_in(Some)
    assert number[0] == "two_words"
    assert (number.flags, number.commands, number.python, number.recorded) == (
        ("--two-words",),
        ("one", "two"),
        True,
        True,
    )
    assert [number.default_of(command) for command in ("one", "two")] == [3, 4]
    assert [number.help_of(command) for command in ("one", "two")] == ["A number.", "Four."]
    assert (flag.flags, flag.python, flag.recorded) == (("-o", "--other"), False, False)


@pytest.mark.parametrize(("command", "option"), EVERY)
def test_a_default_is_a_value_of_its_kind(command: str, option: Option) -> None:
    default = option.default_of(command)
    assert option.kind.check(default, option.name) == default
    assert set(option.defaults) | set(option.helps) <= set(option.commands) <= set(MODULES)


@pytest.mark.parametrize(("command", "option"), EVERY)
def test_a_help_text_is_a_sentence_that_spells_options_for_its_reader(command: str, option: Option) -> None:
    text = option.help_of(command)
    assert re.fullmatch(r"[A-Z].*\.", text)
    assert "--" not in text


@pytest.mark.parametrize("declarations", [SegmentOptions, ReadingOptions, DenoiseOptions, InpaintOptions])
def test_attributes_have_the_types_that_their_kinds_store(declarations: type) -> None:
    hints = get_type_hints(declarations)
    for option in options_in(declarations):
        assert hints[option.name] == eval(option.kind.stored, TYPES), option.name
        assert getattr(declarations(), option.name) == option.default


@pytest.mark.parametrize("command", [name for name in MODULES if name in COMMANDS])
def test_the_command_line_has_every_option(command: str) -> None:
    found = cli.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    made = {param.name: param for param in found.params if isinstance(param, click.Option)}
    declared = {option.name: option for option in options_of(command) if option.flags}
    assert made.keys() == declared.keys()
    for name, param in made.items():
        assert tuple(param.opts) == declared[name].flags
        assert param.is_flag == isinstance(declared[name].kind, Flag)
        default = param.get_default(click.Context(found)) if not param.multiple else {}
        assert default == declared[name].default_of(command)


def test_every_command_is_declared() -> None:
    assert set(COMMANDS) <= set(MODULES)


@pytest.mark.parametrize("command", KEYWORDS)
def test_the_function_has_every_option_with_its_type(command: str) -> None:
    signature = inspect.signature(getattr(emseg, command))
    own = {name: entry for name, entry in signature.parameters.items() if entry.kind is not entry.VAR_KEYWORD}
    typed = get_type_hints(KEYWORDS[command]) if KEYWORDS[command] else {}
    declared = {option.name: option for option in options_of(command) if option.python}
    assert (own.keys() - INPUTS) | typed.keys() == declared.keys()
    for name, hint in typed.items():
        assert hint == eval(declared[name].kind.given, TYPES), name
    for name in own.keys() - INPUTS:
        assert own[name].default == declared[name].default_of(command), name
    if typed:
        variable = signature.parameters["options"]
        assert variable.annotation == f"Unpack[{KEYWORDS[command].__name__}]"


GRAY = np.repeat(np.array([[10, 12, 11, 90, 93, 91, 200, 202]], np.uint8), 8, axis=0)


@pytest.mark.parametrize("command", ["segment", "compare", "denoise", "inpaint"])
def test_the_report_records_every_option_that_decides_the_result(command: str) -> None:
    call = {
        "segment": lambda: emseg.segment(GRAY, 2, dof="each", seed=3).report,
        "compare": lambda: emseg.compare(GRAY, 2, algorithms=("em",), seed=3).report,
        "denoise": lambda: emseg.denoise(GRAY, 2).report,
        "inpaint": lambda: emseg.inpaint(GRAY, np.eye(8), seed=3).report,
    }[command]
    found = call()["options"]
    wanted = {option.name: option for option in options_of(command) if option.recorded}
    assert found.keys() == wanted.keys()
    given = {"k": 2, "seed": 3, "sigma": 2}
    for name, option in wanted.items():
        default = option.default_of(command)
        assert found[name] == given.get(name, list(default) if isinstance(default, tuple) else default), name
