"""Messages that name options: one text, spelled for Python and for the command line."""

from __future__ import annotations

import pickle

import pytest

from emseg.errors import (
    DataError,
    EmsegError,
    ImageError,
    OutputError,
    UsageError,
    for_command_line,
    option,
    options_named,
    shown,
)


@pytest.mark.parametrize(
    ("part", "python", "shell"),
    [
        (option("missing", "drop"), "missing='drop'", "--missing drop"),
        (option("prior_map"), "prior_map", "--prior-map"),
        (option("k", 4), "k=4", "-k 4"),
        (option("beta", 0.5), "beta=0.5", "--beta 0.5"),
        (option("partial_volume", True), "partial_volume=True", "--partial-volume"),
        (option("contrast", False), "contrast=False", "--no-contrast"),
    ],
)
def test_an_option_is_spelled_for_its_reader(part: str, python: str, shell: str) -> None:
    error = UsageError(f"photo.png: no; use {part}, please")
    assert str(error) == f"photo.png: no; use {python}, please"
    assert for_command_line(error.message) == f"photo.png: no; use {shell}, please"


@pytest.mark.parametrize("kind", [EmsegError, UsageError, ImageError, DataError, OutputError])
def test_errors_cross_processes(kind: type[EmsegError]) -> None:
    error = pickle.loads(pickle.dumps(kind(f"use {option('missing', 'em')}")))
    assert type(error) is kind
    assert str(error) == "use missing='em'"


def test_a_file_name_cannot_pose_as_an_option() -> None:
    name = shown(option("missing", "drop") + ".png")
    assert for_command_line(str(UsageError(name))) == name


def test_the_options_that_a_message_names() -> None:
    assert options_named(f"{option('k', 4)}: no; use {option('mrf', 'none')}, or {option('mask')}") == {
        "k",
        "mrf",
        "mask",
    }
    assert options_named("plain text, k=4") == set()
