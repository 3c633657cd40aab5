"""What `--features` accepts."""

from __future__ import annotations

import pytest

from emseg.errors import UsageError
from emseg.features.registry import FEATURES
from emseg.features.specification import format_spec, parse_spec


@pytest.mark.parametrize(("colour", "name"), [("rgb", "lab"), ("gray", "gray"), ("bands", "bands"), (None, "auto")])
def test_auto_follows_the_image(colour: str | None, name: str) -> None:
    assert parse_spec("auto", colour) == {name: 1.0}


def test_weights_and_blanks() -> None:
    weights = parse_spec(" lab , xy: 0.5,texture:2 ", "rgb")
    assert weights == {"lab": 1.0, "xy": 0.5, "texture": 2.0}
    assert format_spec(weights) == "lab,xy:0.5,texture:2"
    assert parse_spec(format_spec(weights), "rgb") == weights


@pytest.mark.parametrize("spec", ["", "lab,", "colour", "xy:0", "xy:-1", "xy:nan", "xy:inf", "xy:", "xy:a", "xy,xy"])
def test_nonsense_is_refused_before_any_image_is_read(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(spec)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=", ".join(FEATURES)):
        parse_spec("colour")


def test_auto_next_to_its_own_meaning_is_a_repetition() -> None:
    with pytest.raises(UsageError, match="lab is given twice"):
        parse_spec("auto,lab", "rgb")
