"""The reference lists every option of every command, with what it may be and its default."""

from __future__ import annotations

import re

import pytest

import emseg
from emseg.options.by_command import MODULES, options_of
from emseg.options.reference import OTHERS, PYTHON_ONLY, markdown, page, with_options

ROW = re.compile(r"^\| (.*?) \| (.*?) \| (.*) \| (.*?) \|$", re.MULTILINE)


@pytest.mark.parametrize("command", MODULES)
def test_a_row_for_every_option(command: str) -> None:
    options = options_of(command)
    rows = [row for row in ROW.findall(markdown(options, command)) if row[0] != "option"]
    assert len(rows) == len(options)
    for (spelled, name, meaning, default), option in zip(rows, options, strict=True):
        flags = () if command in PYTHON_ONLY else option.flags
        assert tuple(re.findall(r"`(-[\w-]+)", spelled)) == flags
        assert name == (f"`{option.name}`" if option.python else "")
        assert meaning.startswith(option.help_of(command)[:9])
        assert all(f"`{offered}`" in meaning for offered in option.kind.names if offered)
        value = option.default_of(command)
        assert default == (f"`{value}`" if value not in (None, "", (), {}) and value is not False else "")


def test_every_heading_once() -> None:
    text = markdown(options_of("segment"), "segment")
    headings = re.findall("^### (.*)", text, re.MULTILINE)
    assert headings == list(dict.fromkeys(option.group for option in options_of("segment")))


@pytest.mark.parametrize("command", OTHERS)
def test_the_page_names_what_other_commands_share_with_segment(command: str) -> None:
    section = page().partition(f"\n## `emseg {command}`\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(-[\w-]+)", section))
    assert all(named & set(option.flags) for option in options_of(command) if option.flags)


@pytest.mark.parametrize("command", ["segment", "compare", "fit", "impute", "denoise", "inpaint"])
def test_help_lists_every_option_once(command: str) -> None:
    text = getattr(emseg, command).__doc__
    listed = re.findall(r"^    (\w+) : ", text.partition("    Returns\n")[0], re.MULTILINE)
    assert len(set(listed)) == len(listed)
    assert {option.name for option in options_of(command) if option.python} <= set(listed)
    assert not re.search("(?<!-)--[a-z]", text)


def test_entries_stand_after_the_other_options() -> None:
    text = "Do it.\n\n    Parameters\n    ----------\n    **options\n        More.\n\n    Returns\n"
    before, after = text.split("More.\n")
    found = with_options(text, "evaluate")
    assert (
        found
        == f"{before}More.\n    ignore : int | None, default None\n        True label of pixels to leave out.\n{after}"
    )


def test_choices_follow_the_help() -> None:
    found = {option.name: option for option in options_of("segment")}
    expected = " `drop`: they get label 0; `em`: they get a label by what is known of them."
    assert found["missing"].choices("`") == expected
    assert found["neighbours"].choices() == " One of auto, 4, 8, 6, 18, 26."
    assert found["tol"].choices() == ""
