from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.strict_json import json_bytes

pytestmark = pytest.mark.long

LIKE_NUMBERS = st.text('[ \n1,-.e\u2028\x85]null"')
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | LIKE_NUMBERS
)
FACTS = st.dictionaries(
    st.text(),
    st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20),
    max_size=5,
)


def strict(data: bytes) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(data, parse_constant=refuse)


@given(FACTS)
def test_facts_come_back(facts: dict[str, Any]) -> None:
    back = strict(json_bytes(facts))
    assert back == facts
    assert list(back) == list(facts)


def test_strings_that_look_like_arrays_are_left_alone() -> None:
    facts = {"[\n 1\n]": "[ 1,\n 2 ]", "path": "[\n  1,\n  2\n]", "other": ["photo [ 1 ].png", "[  1,   2 ]"]}
    assert strict(json_bytes(facts)) == facts


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf")])
def test_what_json_has_no_number_for_is_null(number: float) -> None:
    assert strict(json_bytes({"a": number, "b": [1.5, [number]]})) == {"a": None, "b": [1.5, [None]]}


def test_numpy_values() -> None:
    facts = {"a": np.int64(3), "b": np.arange(4).reshape(2, 2), "c": np.float32(0.5), "d": np.bool_(True), "e": (1, 2)}
    assert strict(json_bytes(facts)) == {"a": 3, "b": [[0, 1], [2, 3]], "c": 0.5, "d": True, "e": [1, 2]}


def test_layout() -> None:
    text = json_bytes({"K": 2, "means": [[1.5, -2e-9], [3.0, math.nan]], "names": ["ä"]}).decode()
    assert text == (
        '{\n  "K": 2,\n  "means": [\n    [1.5, -2e-09],\n    [3.0, null]\n  ],\n  "names": [\n    "ä"\n  ]\n}\n'
    )


def test_file_names_that_are_no_text() -> None:
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    assert strict(json_bytes({"path": name})) == {"path": name}
