"""Several numbers as one value."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from emseg.options.kinds.value_lists import Values

KIND = Values()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("0", (0,)),
        ("0, 255", (0, 255)),
        ("-9999,1.5,-9999", (-9999, 1.5)),
        ("9007199254740993", (2**53 + 1,)),
    ],
)
def test_numbers_between_commas(text: str, numbers: tuple[float, ...]) -> None:
    assert KIND.parse(text) == numbers
    assert [type(number) for number in KIND.parse(text)] == [type(number) for number in numbers]


@pytest.mark.parametrize("text", ["x", "0,", "nan", "inf", "1_0", "\u0661", "1;2", "9" * 5000])
def test_other_texts_are_refused_without_pythons_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        KIND.parse(text)


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (0, (0,)),
        (np.float32(0.5), (0.5,)),
        ([np.uint8(3), 2.0], (3, 2.0)),
        (np.arange(2), (0, 1)),
        (Fraction(1, 2), (0.5,)),
    ],
)
def test_what_python_callers_give(value: object, numbers: tuple[float, ...]) -> None:
    assert KIND.check(value) == numbers
    assert {type(number) for number in KIND.check(value)} <= {int, float}


@pytest.mark.parametrize("value", ["0", True, [True], None, math.nan, [math.inf], ["0"], 1j])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        KIND.check(value)
