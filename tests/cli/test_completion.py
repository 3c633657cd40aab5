"""Completion by a shell: names where there are some, and files and folders where they are wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from emseg.cli.completion import offered
from emseg.cli.main import COMMANDS, cli
from emseg.cli.subcommands.guide_command import topics
from emseg.mixture.covariance.registry import COVARIANCES
from emseg.options.by_command import options_of
from emseg.options.kinds.basic_kinds import Choice, Flag, Kind, Names, Optional
from emseg.options.kinds.file_kinds import ExistingFolder, Folder, InputFile
from emseg.options.kinds.text_kinds import Path as PathKind

ROOT = Path(__file__).parents[2]


def complete(line: str) -> list[tuple[str, str]]:
    """Kind and value of everything that is offered for the last word of a line."""
    *words, last = line.split(" ")
    found = ShellComplete(cli, {}, "emseg", "_EMSEG_COMPLETE").get_completions(words, last)
    return [(item.type, item.value) for item in found]


def plain(line: str) -> list[str]:
    assert {kind for kind, _ in complete(line)} <= {"plain"}
    return [value for _, value in complete(line)]


def test_commands_and_words() -> None:
    assert plain("") == list(COMMANDS)
    assert plain("den") == ["denoise"]
    assert plain("help ") == list(COMMANDS)
    assert plain("guide f") == [topic for topic in topics() if topic.startswith("f")]


@pytest.mark.parametrize(
    "line",
    [
        *("segment ", "segment ph", "segment a.png b", "apply ", "apply m.json ", "apply m.json a.png b"),
        *("denoise ", "inpaint ", "compare ", "evaluate ", "evaluate a.png ", "evaluate a.png b.png c"),
        *("segment --mask ", "segment a.png --scribbles m", "segment --files-from ", "inpaint p.png --mask x"),
        "segment -k 3 --mrf auto ",
    ],
)
def test_arguments_and_file_options_are_files(line: str) -> None:
    assert complete(line)[:1] == [("file", line.rpartition(" ")[2])]
    assert all(value == "-" for _, value in complete(line)[1:])


def test_folders() -> None:
    assert complete("segment -o ou") == [("dir", "ou")]
    assert complete("inpaint --mask-dir ") == [("dir", "")]


def test_words_that_stand_instead_of_a_file_do_not_hide_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete("segment --init ") == [("file", ""), *(("plain", w) for w in ("auto", "kmeans++", "random"))]
    assert complete("segment --init r") == [("file", "r"), ("plain", "random")]
    assert complete("inpaint --mask al") == [("file", "al"), ("plain", "alpha")]
    Path("random.png").touch()
    assert complete("segment --init ") == [("file", "")]
    assert complete("segment --init r") == [("file", "r")]
    assert complete("segment --init k") == [("file", "k"), ("plain", "kmeans++")]
    assert complete("segment --init nowhere/r") == [("file", "nowhere/r")]


def test_choices() -> None:
    assert plain("segment --covariance V") == [name for name in COVARIANCES if name.startswith("V")]
    assert plain("denoise --noise ") == ["gaussian", "poisson"]
    assert plain("segment --dof ") == ["each", "common"]
    assert plain("segment -k ") == ["auto"]
    assert plain("segment --page ") == ["all"]
    assert plain("segment --base e")[0] == "em"
    assert "--mrf" in plain("segment --m")


def test_several_names_with_commas() -> None:
    assert plain("segment --save post") == ["posterior"]
    assert plain("segment --save posterior,ent") == ["posterior,entropy"]
    assert "posterior,posterior" not in plain("segment --save posterior,")
    assert plain("segment --features lab,x") == ["lab,xy"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_kind_of_option_offers_what_it_takes(command: str) -> None:
    """An option that has names or takes files offers them; a new kind must do so, too."""
    for option in options_of(command):
        if isinstance(option.kind, Flag) or not option.flags:
            continue
        found = [(item.type, item.value) for item in offered(option.kind, "")]
        inner: Kind = option.kind.inner if isinstance(option.kind, Optional) else option.kind
        if isinstance(inner, InputFile | PathKind):
            assert ("file", "") in found
        elif isinstance(inner, Folder | ExistingFolder):
            assert found == [("dir", "")]
        elif isinstance(inner, Choice | Names):
            assert [value for _, value in found] == [name for name in inner.names if name]
        if "FILE" in inner.metavar or "DIR" in inner.metavar:
            assert {kind for kind, _ in found} & {"file", "dir"}


@pytest.mark.skipif(shutil.which("bash") is None or os.name != "posix", reason="needs bash")
def test_bash_completes_files_of_its_own_accord(tmp_path: Path) -> None:
    """The script of click in a real bash: what it puts into COMPREPLY, and what it leaves to the shell."""
    script = tmp_path / "emseg"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m emseg "$@"\n')
    script.chmod(0o755)
    test = """
        eval "$(_EMSEG_COMPLETE=bash_source emseg)" || exit 9
        compopt() { echo "compopt $1 $2"; }  # which works in a completion only
        try() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _emseg_completion emseg; echo "${COMPREPLY[*]}"
        }
        try emseg segment ph
        try emseg segment --init r
        try emseg segment -o x
        try emseg segment p.png --mrf g
        complete -p emseg
    """
    env = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", test], env=env, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("compopt -o default", "", "compopt -o default", "random", "compopt -o dirnames", "", "gibbs graph-cut"),
        "complete -o nosort -F _emseg_completion emseg",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(shell: str) -> None:
    env = os.environ | {"PYTHONPATH": str(ROOT), "_EMSEG_COMPLETE": f"{shell}_source"}
    done = subprocess.run([sys.executable, "-m", "emseg"], env=env, capture_output=True, text=True)
    assert done.returncode == 0
    assert "_EMSEG_COMPLETE" in done.stdout
