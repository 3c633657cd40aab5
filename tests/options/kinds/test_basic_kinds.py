"""What each kind of option takes, from a shell and from Python."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.options.kinds.basic_kinds import (
    LONGEST,
    Choice,
    Flag,
    Kind,
    Names,
    Number,
    Optional,
    Whole,
    below_one,
    inside_one,
    not_negative,
    positive,
)

KINDS: dict[str, Kind] = {
    "flag": Flag(),
    "whole": Whole(1),
    "any whole": Whole(None),
    "number": Number("a number from 0 to below 1", inside=below_one),
    "number or word": Number("a number of 0 or more", ("auto", "off"), not_negative),
    "whole or word": Number("a whole number", ("auto",), not_negative, whole=True),
    "choice": Choice({"one": "1", "two": "2"}),
    "digits": Choice(("auto", "4"), given="int | str"),
    "optional": Optional(Whole()),
    "names": Names(("a", "b", "c"), more=("all",)),
    "sorted": Names(("a", "b", "c"), more=("all",), sort=True),
    "text": Kind(),
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("whole", "12", 12),
        ("any whole", "-3", -3),
        ("number", "0.5", 0.5),
        ("number", "1e-11", 1e-11),
        ("number or word", "auto", "auto"),
        ("number or word", "2", 2.0),
        ("whole or word", "7", 7),
        ("choice", "two", "two"),
        ("optional", "3", 3),
        ("names", "", ()),
        ("names", "c, a", ("c", "a")),
        ("names", "a,a", ("a",)),
        ("sorted", "c,all,a", ("a", "c", "all")),
        ("text", "x", "x"),
    ],
)
def test_texts(name: str, text: str, value: Any) -> None:
    found = KINDS[name].parse(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("whole", ["", "0", "-1", "1.0", "x", "٣", "1_0", "9" * LONGEST]),
        ("number", ["", "1", "-0.1", "nan", "inf", "1e999", "x", "٣", "1_0"]),
        ("number or word", ["Auto", "-1", "nan", "inf"]),
        ("whole or word", ["1.5", "-1", "off", "9" * LONGEST]),
        ("choice", ["", "three", "One"]),
        ("names", ["d", "a,,b"]),
    ],
)
def test_wrong_texts(name: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError):
            KINDS[name].parse(text)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("flag", True, True),
        ("whole", np.int64(3), 3),
        ("number", np.float32(0.5), 0.5),
        ("number", Fraction(1, 4), 0.25),
        ("number or word", 3, 3.0),
        ("digits", 4, "4"),
        ("digits", np.uint8(4), "4"),
        ("optional", None, None),
        ("names", ["b", "b"], ("b",)),
        ("names", "b,a", ("b", "a")),
    ],
)
def test_values(name: str, value: Any, stored: Any) -> None:
    found = KINDS[name].check(value)
    assert found == stored
    assert type(found) is type(stored)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("flag", [1, 0, "yes", None, np.ones(2)]),
        ("whole", [True, 1.0, "1", None, 0]),
        ("number", [True, "0.5", None, math.nan, 1j]),
        ("number or word", [True, "on", math.inf, None]),
        ("choice", [None, 1, ["one"]]),
        ("digits", [8, True, 4.0]),
        ("names", ["a,q", None, 3, ["d"]]),
        ("text", [None, 3, b"x"]),
    ],
)
def test_wrong_values(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises((TypeError, ValueError)):
            KINDS[name].check(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_survives_the_shell(number: float) -> None:
    assert Number("a finite number").parse(repr(number)) == number


@given(st.floats())
def test_conditions(number: float) -> None:
    assert not_negative(number) == (number >= 0)
    assert positive(number) == (number > 0)
    assert below_one(number) == (0 <= number < 1)
    assert inside_one(number) == (0 < number < 1)


def test_what_is_wanted_reads_like_a_sentence() -> None:
    assert {name: kind.wanted for name, kind in KINDS.items()} == {
        "flag": "True or False",
        "whole": "a whole number of 1 or more",
        "any whole": "a whole number",
        "number": "a number from 0 to below 1",
        "number or word": "a number of 0 or more, 'auto' or 'off'",
        "whole or word": "a whole number, or 'auto'",
        "choice": "one of one, two",
        "digits": "one of auto, 4",
        "optional": "a whole number of 0 or more",
        "names": "some of a, b, c, all",
        "sorted": "some of a, b, c, all",
        "text": "",
    }
