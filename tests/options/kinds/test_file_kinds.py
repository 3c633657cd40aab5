"""What the options of every batch take."""

from __future__ import annotations

from typing import Any

import click
import pytest

from emseg.cli.click_options import options
from emseg.options.kinds.file_kinds import Channels, Page


def parse(*arguments: str) -> dict[str, Any]:
    @click.command()
    @options("apply")
    def command(**values: Any) -> dict[str, Any]:
        return values

    values: dict[str, Any] = command.main(list(arguments), standalone_mode=False)
    return values


def test_defaults() -> None:
    values = parse()
    assert (
        values
        | {
            "page": None,
            "axes": "",
            "channels": (),
            "max_pixels": None,
            "max_memory": None,
            "recursive": False,
            "files_from": None,
            "null": False,
            "name": "{stem}",
            "jobs": 1,
            "resume": False,
            "shard": None,
            "dry_run": False,
        }
        == values
    )


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", 1), ("500M", 500_000_000), ("8G", 8 * 10**9), ("8GB", 8 * 10**9), ("1.5k", 1500), ("2T", 2 * 10**12)],
)
def test_amounts(text: str, amount: int) -> None:
    assert parse("--max-memory", text)["max_memory"] == amount


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        *(
            (["--max-pixels", text], "give a number, as 500M")
            for text in ("0", "-1", "x", "1e9", "8GiB", "٣", "9" * 20)
        ),
        *((["--page", text], "give a whole number of 1 or more, or all") for text in ("0", "-1", "x", "1.5", "٣")),
        *((["--axes", text], "give a letter for each axis") for text in ("CY", "YXX", "Y,X", "CYX1", "ÇYX")),
        *((["--channels", text], "") for text in (",", "1,,2")),
        *((["--shard", text], "") for text in ("1", "2/1", "0/1", "1/0", "a/b", "1/2/3", "-1/2")),
        (["--files-from", "nowhere"], "is no file"),
        (["--jobs", "x"], "give a whole number of 0 or more"),
    ],
)
def test_nonsense(arguments: list[str], remedy: str) -> None:
    with pytest.raises(click.BadParameter) as error:
        parse(*arguments)
    assert remedy in error.value.format_message()


def test_axes_and_channels() -> None:
    assert parse("--axes", "tcYX")["axes"] == "TCYX"
    assert parse("--channels", "1,3")["channels"] == ("1", "3")
    assert parse("--channels", "DAPI, Cy5")["channels"] == ("DAPI", "Cy5")
    assert Channels().check(2) == (2,)
    assert Channels().check([1, "GFP"]) == (1, "GFP")
    assert Page().check(3) == 3


@pytest.mark.parametrize("value", [0, -1, True, "all", 1.5])
def test_pages_that_python_cannot_ask_for(value: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        Page().check(value)


def test_shards_and_pages() -> None:
    assert parse("--shard", "2/3")["shard"] == (2, 3)
    assert parse("--page", "all")["page"] == "all"
    assert parse("--page", "12")["page"] == 12
