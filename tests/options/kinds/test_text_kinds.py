"""Texts with a meaning: ranges, limits, features, paths and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError, UsageError
from emseg.options.kinds.text_kinds import (
    AUTO,
    WORDS,
    ClassGroups,
    Components,
    Features,
    Limits,
    Settings,
    groups_named,
    k_range,
)
from emseg.options.kinds.text_kinds import Path as PathKind


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_ranges(low: int, more: int) -> None:
    assert k_range(low) == (low, low)
    assert k_range(f"{low}:{low + more}") == (low, low + more)
    assert Components().parse(f"{low}:{low + more}") == f"{low}:{low + more}"
    assert Components().parse(str(low)) == low
    if more:
        with pytest.raises(ValueError):
            k_range(f"{low + more}:{low}")


def test_auto_is_a_range() -> None:
    assert k_range("auto") == AUTO
    assert Components().check("auto") == "auto"
    assert Components().check(np.int32(4)) == 4


@pytest.mark.parametrize("value", [0, -1, True, 2.5, 4.0, "4", "", "1:2:3", "a:b", ":", "1:", "٣:٤", None, [1]])
def test_what_is_no_number_of_components(value: Any) -> None:
    with pytest.raises(ValueError):
        Components().check(value)


@pytest.mark.parametrize("text", ["0", "-1", "automatic", "5:2", "٣", "1.5", "9" * 5000])
def test_texts_that_are_no_number_of_components(text: str) -> None:
    with pytest.raises(ValueError):
        Components().parse(text)


@pytest.mark.parametrize(
    ("value", "stored"), [("", ""), ("0,255", "0,255"), (",255", ",255"), ((0, 255), "0,255"), ((-np.inf, 3.5), ",3.5")]
)
def test_limits(value: Any, stored: str) -> None:
    assert Limits().check(value) == stored


@pytest.mark.parametrize("value", ["5,1", "1", ",", "a,b", (1, 2, 3), 7, None, (np.nan, 1)])
def test_what_is_no_limits(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Limits().check(value)


def test_features() -> None:
    assert Features().check("lab,xy:0.5") == "lab,xy:0.5"
    with pytest.raises(UsageError, match="unknown name 'odour'"):
        Features().check("odour")
    for value in (None, 3, ["lab"]):
        with pytest.raises(ValueError):
            Features().check(value)


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "m.json").touch()
    assert PathKind().check(tmp_path / "m.json", "scribbles") == str(tmp_path / "m.json")
    assert PathKind().check("", "scribbles") == ""
    assert PathKind(("auto",)).check("auto", "init") == "auto"
    assert PathKind(("auto",)).parse(str(tmp_path / "m.json")) == str(tmp_path / "m.json")
    with pytest.raises(ImageError, match=r"scribbles='no\.png': is no file"):
        PathKind().check("no.png", "scribbles")
    with pytest.raises(UsageError, match=r"init='no\.png': is no file; give auto or a file"):
        PathKind(("auto",)).check("no.png", "init")
    with pytest.raises(ValueError, match="is neither a file nor one of auto"):
        PathKind(("auto",)).parse("no.png")
    with pytest.raises(ValueError, match="is no file"):
        PathKind().parse(str(tmp_path))
    for value in (None, 3):
        with pytest.raises(ValueError):
            PathKind().check(value)


def test_settings() -> None:
    assert Settings().parse(" order = 3=4") == ("order", "3=4")
    given = {"order": "3"}
    stored = Settings().check(given)
    assert stored == given
    assert stored is not given
    with pytest.raises(ValueError, match="NAME=VALUE"):
        Settings().parse("order")
    with pytest.raises(ValueError):
        Settings().check([("order", "3")])


@pytest.mark.parametrize("word", WORDS)
def test_words_for_classes(word: str) -> None:
    assert ClassGroups().check(word) == word
    assert groups_named(word) == ()


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "2,2", "2+2", "2,", "a", "²", "9" * 5000, None, True, 2.0])
def test_what_names_no_classes(text: object) -> None:
    with pytest.raises(ValueError):
        ClassGroups().check(text)


def test_a_number_is_a_class() -> None:
    assert ClassGroups().check(3) == "3"
