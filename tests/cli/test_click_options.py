from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from emseg.cli.click_options import GroupedCommand, options
from emseg.em.registry import ALGORITHMS
from emseg.features.registry import FEATURES
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.options.declarations.segmentation import SegmentOptions


def parse(*arguments: str, name: str = "segment") -> dict[str, Any]:
    """What a command of that name receives."""

    @click.command(name, cls=GroupedCommand)
    @options(name)
    def command(**values: Any) -> dict[str, Any]:
        return values

    values: dict[str, Any] = command.main(list(arguments), standalone_mode=False)
    return values


def test_defaults_are_those_of_the_library() -> None:
    values = parse()
    defaults = vars(SegmentOptions())
    assert {name: values[name] for name in defaults if name in values} == {
        name: value for name, value in defaults.items() if name != "compress"
    }
    assert values["save"] == ()
    assert values["mask"] is None


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ("posterior", ("posterior",)),
        ("model, mean", ("mean", "model")),
        ("all", ("all",)),
        ("all,mean", ("mean", "all")),
    ],
)
def test_kinds_come_in_one_order(given: str, kinds: tuple[str, ...]) -> None:
    assert parse("--save", given)["save"] == kinds


def test_a_start_may_be_a_file(tmp_path: Any) -> None:
    (tmp_path / "m.json").touch()
    assert parse("--init", str(tmp_path / "m.json"))["init"] == str(tmp_path / "m.json")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["-k", "automatic"], "whole number of 1 or more"),
        (["-k", "0"], "whole number of 1 or more"),
        (["--beta", "-1"], "give a number of 0 or more, up to 1e6, or auto, not '-1'"),
        (["--beta", "strong"], "give a number of 0 or more, up to 1e6, or auto, not 'strong'"),
        (["--beta", "nan"], "give a number of 0 or more, up to 1e6, or auto, not 'nan'"),
        (["--dof", "0"], "give a number above 0, each or common, not '0'"),
        (["--dof", "inf"], "give a number above 0, each or common"),
        (["--dof", "all"], "give a number above 0, each or common"),
        (["-k", "5:2"], "a range LO:HI as 2:9, or auto"),
        (["-k", "٣"], "whole number of 1 or more"),
        (["--tol", "nan"], "give a number of 0 or more"),
        (["--tol", "inf"], "give a number of 0 or more"),
        (["--tol", "-1"], "give a number of 0 or more"),
        (["--floor", "1"], "give a number from 0 to below 1"),
        (["--seed", "-1"], "give a whole number of 0 or more, not '-1'"),
        (["--max-iter", "0"], "give a whole number of 1 or more"),
        (["--restarts", "-1"], "give a whole number of 0 or more"),
        (["--algorithm", "magic"], "'em'"),
        (["--covariance", "round"], "'full'"),
        (["--save", "everything"], "'everything' is none of labels-tiff"),
        (["--init", "nowhere.json"], "neither a file nor one of auto"),
        (["--mask", "nowhere.png"], "is no file"),
        (["--output", __file__], "name a folder"),
    ],
)
def test_nonsense_is_refused_with_the_remedy(arguments: list[str], remedy: str) -> None:
    with pytest.raises(click.BadParameter) as error:
        parse(*arguments)
    assert remedy in error.value.format_message()
    assert error.value.exit_code == 2


def test_help_names_every_choice_and_default() -> None:
    @click.command("segment", cls=GroupedCommand)
    @options("segment")
    def command(**values: Any) -> None: ...

    text = " ".join(CliRunner().invoke(command, ["--help"], terminal_width=100).output.split())
    for word in (*FEATURES, *COVARIANCES, *ALGORITHMS):
        assert word in text
    for default in (4, "auto", "full", SegmentOptions.algorithm, 1e-5, 1000):
        assert f"default: {default}" in text
