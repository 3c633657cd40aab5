from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import emseg
from emseg.cli.main import COMMANDS, cli, main


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "emseg", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_opens_with_examples_and_lists_the_commands(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert done.stderr == ""
    head, _, tail = done.stdout.partition("Options:")
    assert "emseg segment photo.png -k 4" in head
    for command, summary in COMMANDS.items():
        assert re.search(rf"^  {command} +{summary}$", tail, re.MULTILINE)


def test_version() -> None:
    assert run("--version").stdout == f"emseg {emseg.__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["segment"], ["segment", "a.png", "--nonsense"]])
def test_usage_errors_are_one_line(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("emseg: ")
    assert done.stderr.count("\n") == 1
    assert "--help`)" in done.stderr


def test_every_command_exists() -> None:
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert command.name == name
    assert cli.get_command(None, "nonsense") is None  # type: ignore[arg-type]


def test_one_thread_for_the_same_bytes_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["emseg", "--version"])
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "7"})
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "1")


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("nonsense", 2)])
def test_a_process_ends_with_its_exit_code_and_what_was_to_be_done_at_its_end(argument: str, code: int) -> None:
    script = (
        "import atexit, sys; atexit.register(print, 'the end'); sys.argv[:] = ['emseg', sys.argv[1]]\n"
        "from emseg.__main__ import process; process()"
    )
    done = subprocess.run([sys.executable, "-c", script, argument], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout.endswith("the end\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, a disk that is always full")
def test_what_could_not_be_printed_is_no_success() -> None:
    script = "import emseg.__main__ as emseg; emseg.main = lambda: print('words'); emseg.process()"
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, env=buffered)
    assert done.returncode == 1
    assert not done.stderr
